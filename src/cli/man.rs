//! `mewgan man`

use super::{Cli, Done, say};
use crate::{Error, Result, file};
use clap::{Args, Command, CommandFactory};
use clap_mangen::Man;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

#[derive(Args)]
pub struct Manual {
    /// Folder to write to.
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
}

impl Manual {
    pub fn run(self) -> Done {
        std::fs::create_dir_all(&self.out).map_err(Error::io(&self.out))?;
        // Its pages would repeat those of the commands.
        let mut program = Cli::command().disable_help_subcommand(true);
        program.build();
        let count = write(&program, &self.out)?;
        say(format_args!("{count} pages in {}", self.out.display()));
        Ok(ExitCode::SUCCESS)
    }
}

/// Writes the pages of a command and of those below it, and counts them.
fn write(command: &Command, folder: &Path) -> Result<usize> {
    let page = Man::new(command.clone());
    let path = folder.join(page.get_filename());
    let mut text = Vec::new();
    page.render(&mut text).map_err(Error::io(&path))?;
    file::write_atomic(&path, &text)?;
    let shown = command.get_subcommands().filter(|below| !below.is_hide_set());
    shown.map(|below| write(below, folder)).sum::<Result<usize>>().map(|below| below + 1)
}
