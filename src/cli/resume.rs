//! `mewgan resume`

use super::Done;
use super::distributed::distributed;
use super::follow::{self, View};
use crate::models::{Kind, Settings, with_model};
use crate::ranks::Ranks;
use crate::train::config::{CommonSettings, ModelSettings};
use crate::train::run::Plan;
use crate::train::run_folder::RunFolder;
use clap::Args;
use std::path::PathBuf;

#[derive(Args)]
pub struct Resume {
    /// The run's folder.
    run: PathBuf,
    /// Steps in all, counted from the run's first.
    #[arg(long)]
    steps: Option<u64>,
    /// What to compute on from here; only on the same device a resumed run equals an uninterrupted one bit for bit.
    #[arg(long, value_name = "auto|gpu|cpu|N|NAME")]
    device: Option<String>,
    #[command(flatten)]
    view: View,
}

impl Resume {
    pub fn run(self) -> Done {
        distributed(|ranks| self.run_distributed(ranks))
    }

    fn run_distributed(self, ranks: &Ranks) -> Done {
        let Self { run, steps, device, view } = self;
        let common = CommonSettings { steps, device, ..Default::default() };
        with_model!(Kind::of_run(&RunFolder::open(&run)?)?, M => {
            let mut settings = Settings::<M>::default();
            *settings.common() = common;
            follow::train(Plan::<M>::resume_distributed(ranks, &run, settings)?, view)
        })
    }
}
