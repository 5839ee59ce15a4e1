//! `mewgan train`

use super::Done;
use super::distributed::distributed;
use super::follow::{self, SIGNALS, View};
use crate::Result;
use crate::models::{Kind, Settings, with_model};
use crate::ranks::Ranks;
use crate::train::config::{ModelSettings, RunConfig};
use crate::train::model::Model;
use crate::train::run::Plan;
use clap::error::ErrorKind;
use clap::{ArgMatches, Args, Command, FromArgMatches, Subcommand, ValueEnum};
use std::path::PathBuf;

/// Said below what each model is trained to do.
const LAYERS: &str =
    "Settings come from the preset, replaced by those of the --config file, replaced by flags.";

/// A subcommand for every model.
pub struct Train {
    kind: Kind,
    flags: ArgMatches,
}

impl Subcommand for Train {
    fn augment_subcommands(command: Command) -> Command {
        let add = |command: Command, &kind: &Kind| {
            command.subcommand(with_model!(kind, M => {
                let about = M::ABOUT.split("\n\n").next().unwrap_or_default();
                let long = format!("{}{}{LAYERS}", M::ABOUT, if about == M::ABOUT { "\n\n" } else { " " });
                Run::<Settings<M>>::augment_args(Command::new(kind.name()))
                    .about(about.trim_end_matches('.'))
                    .long_about(long)
                    .after_long_help(SIGNALS)
            }))
        };
        Kind::ALL.iter().fold(command, add).subcommand_required(true).arg_required_else_help(true)
    }

    fn augment_subcommands_for_update(command: Command) -> Command {
        Self::augment_subcommands(command)
    }

    fn has_subcommand(name: &str) -> bool {
        Kind::ALL.iter().any(|kind| kind.name() == name)
    }
}

impl FromArgMatches for Train {
    fn from_arg_matches(matches: &ArgMatches) -> std::result::Result<Self, clap::Error> {
        let (name, flags) =
            matches.subcommand().ok_or_else(|| clap::Error::new(ErrorKind::MissingSubcommand))?;
        let kind =
            Kind::named(name).map_err(|error| clap::Error::raw(ErrorKind::InvalidSubcommand, error))?;
        Ok(Self { kind, flags: flags.clone() })
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> std::result::Result<(), clap::Error> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}

#[derive(Args)]
pub struct Run<S: Args> {
    /// The run's folder [default: the next free one under runs].
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// A TOML file of settings, such as the config.toml of another run.
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Batch size over all ranks started by mpirun; --batch is per rank.
    #[arg(long, value_name = "N", conflicts_with = "batch")]
    global_batch: Option<usize>,
    /// Multiply the learning rates by the ratio of the global batch to --batch, or by its square root.
    #[arg(long)]
    scale_lr: Option<Scaling>,
    #[command(flatten)]
    view: View,
    #[command(flatten)]
    settings: S,
}

/// How learning rates follow the size of a batch.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum Scaling {
    Linear,
    Sqrt,
}

impl Scaling {
    fn factor(self, ratio: f64) -> f64 {
        match self {
            Self::Linear => ratio,
            Self::Sqrt => ratio.sqrt(),
        }
    }
}

impl Train {
    pub fn run(self) -> Done {
        distributed(|ranks| {
            with_model!(self.kind, M => {
                let run = Run::<Settings<M>>::from_arg_matches(&self.flags).unwrap_or_else(|error| error.exit());
                let view = run.view;
                let (config, out) = run.config::<<M as Model>::Config>(ranks)?;
                follow::train(ranks, view, |watch| {
                    Plan::<M>::start_distributed(ranks, config, out.as_deref(), watch)
                })
            })
        })
    }
}

impl<S: ModelSettings> Run<S> {
    /// The settings, with the batch of all ranks together, and where the run is to be kept.
    fn config<C: RunConfig<Settings = S>>(self, ranks: &Ranks) -> Result<(C, Option<PathBuf>)> {
        let config = match self.config {
            Some(path) => C::from_file(&path, self.settings)?,
            None => C::new(S::default(), self.settings)?,
        };
        let own = config.common().batch;
        let batch = self.global_batch.unwrap_or(own * ranks.size());
        let factor = self.scale_lr.map_or(1.0, |scaling| scaling.factor(batch as f64 / own as f64));
        if self.scale_lr.is_some() && ranks.leads() {
            let line = format!("learning rates times {factor:.3}, for a batch of {batch} instead of {own}");
            self.view.say(&line);
        }
        Ok((config.scaled(batch, factor)?, self.out))
    }
}
