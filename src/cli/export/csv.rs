//! `mewgpu export csv`

use crate::cli::{Done, say};
use crate::file;
use crate::report::{csv, metrics};
use crate::train::run_folder::RunFolder;
use crate::{Error, Result};
use clap::Args;
use std::path::PathBuf;
use std::process::ExitCode;

#[derive(Args)]
pub struct Csv {
    /// The run's folder.
    run: PathBuf,
    /// Where to write; to the terminal where it is not given.
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
        let rows = metrics::read(&path)?;
        match self.out {
            None => printed(csv::write(&rows, std::io::stdout().lock(), "standard output"))?,
            Some(out) => {
                let mut bytes = Vec::new();
                csv::write(&rows, &mut bytes, &out.display().to_string())?;
                file::replace(&out, &bytes)?;
                say(format_args!("{}: {} rows", out.display(), rows.len()));
            }
        }
        Ok(ExitCode::SUCCESS)
    }
}

/// A reader that has seen enough, such as `head`, is no failure.
fn printed(written: Result<()>) -> Result<()> {
    match written {
        Err(Error::Io { source, .. }) if source.kind() == std::io::ErrorKind::BrokenPipe => Ok(()),
        other => other,
    }
}
