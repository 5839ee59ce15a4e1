//! `mewgan report`

use super::{Done, say};
use crate::models;
use crate::train::run_folder::RunFolder;
use clap::Args;
use std::path::PathBuf;
use std::process::ExitCode;

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
