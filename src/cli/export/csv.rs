//! `mewgan export csv`

use crate::Error;
use crate::cli::{Done, print, say};
use crate::file;
use crate::report::{csv, metrics};
use crate::train::run_folder::RunFolder;
use clap::Args;
use std::path::PathBuf;
use std::process::ExitCode;

#[derive(Args)]
pub struct Csv {
    /// The run's folder.
    run: PathBuf,
    /// File to write [default: the terminal].
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

impl Csv {
    pub fn run(self) -> Done {
        let path = RunFolder::open(&self.run)?.metrics_path();
        if !path.is_file() {
            return Err(Error::Input(format!(
                "{}: nothing is measured yet; wait for the run's first --log-every steps",
                self.run.display()
            )));
        }
        let bytes = csv::bytes(&metrics::read(&path)?)?;
        match self.out {
            Some(out) => {
                file::write_atomic(&out, &bytes)?;
                say(out.display());
            }
            None => print(&bytes)?,
        }
        Ok(ExitCode::SUCCESS)
    }
}
