//! `mewgan resume`

use super::Done;
use super::distributed::distributed;
use super::follow::{self, SIGNALS, View};
use crate::models::{Kind, Settings, whose, with_model};
use crate::ranks::Ranks;
use crate::train::config::{CommonSettings, fixed};
use crate::train::model::Model;
use crate::train::run::Plan;
use crate::train::run_folder::RunFolder;
use crate::{Error, Result};
use clap::parser::ValueSource;
use clap::{Arg, ArgMatches, Args, Command, FromArgMatches};
use std::collections::BTreeSet;
use std::path::PathBuf;

/// The flags of every model, of which the run's own hold.
pub struct Resume {
    own: Own,
    flags: ArgMatches,
}

#[derive(Args)]
struct Own {
    /// The run's folder.
    run: PathBuf,
    #[command(flatten)]
    view: View,
}

impl Args for Resume {
    fn augment_args(command: Command) -> Command {
        let mut command = Own::augment_args(command).after_long_help(SIGNALS);
        for &kind in Kind::ALL {
            let (given, fixed): (Command, BTreeSet<&str>) = with_model!(kind, M => (
                Settings::<M>::augment_args(Command::new(kind.name())),
                fixed::fixed::<<M as Model>::Config>().map(|(name, _)| name).collect(),
            ));
            let own = |flag: &Arg| !CommonSettings::NAMES.contains(&flag.get_id().as_str());
            for flag in given.get_arguments() {
                if command.get_arguments().any(|known| known.get_id() == flag.get_id()) {
                    continue;
                }
                // It is there to be refused with a reason.
                let hidden = fixed.contains(flag.get_id().as_str());
                let flag_of = |flag: &Arg| match own(flag) {
                    true => flag.clone().help_heading(kind.title()),
                    false => flag.clone(),
                };
                command = command.arg(flag_of(flag).hide(hidden));
            }
        }
        command
    }

    fn augment_args_for_update(command: Command) -> Command {
        Self::augment_args(command)
    }
}

impl FromArgMatches for Resume {
    fn from_arg_matches(matches: &ArgMatches) -> std::result::Result<Self, clap::Error> {
        Ok(Self { own: Own::from_arg_matches(matches)?, flags: matches.clone() })
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> std::result::Result<(), clap::Error> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}

impl Resume {
    pub fn run(self) -> Done {
        distributed(|ranks| self.run_distributed(ranks))
    }

    fn run_distributed(self, ranks: &Ranks) -> Done {
        let Self { own: Own { run, view }, flags } = self;
        let kind = Kind::of_run(&RunFolder::open(&run)?)?;
        check_are_of(kind, &flags)?;
        with_model!(kind, M => {
            let settings = Settings::<M>::from_arg_matches(&flags).unwrap_or_else(|error| error.exit());
            follow::train(ranks, view, |watch| Plan::<M>::resume_distributed(ranks, &run, settings, watch))
        })
    }
}

/// Refuses flags that only another model than `kind` has.
fn check_are_of(kind: Kind, flags: &ArgMatches) -> Result<()> {
    let given = flags.ids().map(|id| id.as_str());
    let mut typed = given.filter(|id| flags.value_source(id) == Some(ValueSource::CommandLine));
    let foreign = typed.find_map(|name| Some((name, whose(name, kind.name())?)));
    match foreign {
        Some((name, other)) => Err(Error::Input(format!(
            "`{name}` is a setting of {other}, and this is a run of {}; leave it out",
            kind.name()
        ))),
        None => Ok(()),
    }
}
