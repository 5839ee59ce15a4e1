//! `mewgan resume`

use super::Done;
use super::among::among;
use super::follow::{self, View};
use crate::ranks::Ranks;
use crate::train::config::{CycleGanConfig, CycleGanSettings, DcganSettings, RunConfig};
use crate::train::run_folder::RunFolder;
use crate::train::{cyclegan, dcgan};
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
    #[arg(long, value_name = "auto|gpu|cpu|NAME")]
    device: Option<String>,
    #[command(flatten)]
    view: View,
}

impl Resume {
    pub fn run(self) -> Done {
        among(|ranks| self.run_among(ranks))
    }

    fn run_among(self, ranks: &Ranks) -> Done {
        let Self { run, steps, device, view } = self;
        if RunFolder::open(&run)?.kind()? == CycleGanConfig::KIND {
            let settings = CycleGanSettings { steps, device, ..Default::default() };
            return follow::train(cyclegan::Plan::resume_among(ranks, &run, settings)?, view);
        }
        let settings = DcganSettings { steps, device, ..Default::default() };
        follow::train(dcgan::Plan::resume_among(ranks, &run, settings)?, view)
    }
}
