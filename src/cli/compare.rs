//! `mewgan compare`

use super::{Done, say};
use crate::train::run_folder::RunFolder;
use crate::{Error, models};
use clap::Args;
use std::path::PathBuf;
use std::process::ExitCode;

#[derive(Args)]
pub struct Compare {
    /// The runs' folders, two or more.
    #[arg(required = true, value_name = "RUN")]
    runs: Vec<PathBuf>,
    /// Where to write the page.
    #[arg(long, value_name = "FILE.html", default_value = "compare.html")]
    out: PathBuf,
}

impl Compare {
    pub fn run(self) -> Done {
        let Self { runs, out } = self;
        if let [run] = &runs[..] {
            return Err(Error::Input(format!(
                "{0}: one run alone; name two or more, or see it by: mewgan report {0}",
                run.display()
            )));
        }
        let mut folders: Vec<(String, RunFolder)> = Vec::new();
        for run in runs {
            let name = run.display().to_string();
            let folder = RunFolder::open(&run)?;
            let place = |folder: &RunFolder| folder.path().canonicalize().ok();
            if folders.iter().any(|(_, other)| place(other) == place(&folder)) {
                return Err(Error::Input(format!("{name}: named twice; name each run once")));
            }
            folders.push((name, folder));
        }
        let title = format!("{} runs side by side", folders.len());
        models::side_by_side(&title, "", &folders, &out)?;
        say(out.display());
        Ok(ExitCode::SUCCESS)
    }
}
