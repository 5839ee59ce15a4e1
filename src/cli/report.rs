//! `mewgan report`

use super::{Done, say};
use crate::models;
use crate::train::run_folder::RunFolder;
use clap::Args;
use std::path::PathBuf;
use std::process::ExitCode;

/// The report shows settings, device, losses, samples over time, metrics, speed and memory. It is a single file without
/// outside references. Runs also write it at every checkpoint.
#[derive(Args)]
pub struct Report {
    /// The run's folder.
    run: PathBuf,
}

impl Report {
    pub fn run(self) -> Done {
        let folder = RunFolder::open(&self.run)?;
        models::redraw(&folder)?;
        say(folder.report_path().display());
        Ok(ExitCode::SUCCESS)
    }
}
