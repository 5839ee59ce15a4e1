//! `mewgpu resume`

use super::{Done, follow};
use crate::train::config::DcganSettings;
use crate::train::dcgan::Trainer;
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
}

impl Resume {
    pub fn run(self) -> Done {
        let settings = DcganSettings { steps: self.steps, device: self.device, ..Default::default() };
        follow::train(Trainer::resume(&self.run, settings)?)
    }
}
