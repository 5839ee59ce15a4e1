//! `mewgan completions`

use super::{Cli, Done, print};
use clap::{Args, CommandFactory};
use clap_complete::{Shell, generate};
use std::process::ExitCode;

#[derive(Args)]
pub struct Completions {
    /// The shell that reads the script.
    shell: Shell,
}

impl Completions {
    pub fn run(self) -> Done {
        let mut script = Vec::new();
        let mut program = Cli::command();
        let name = program.get_name().to_owned();
        generate(self.shell, &mut program, name, &mut script);
        print(&script)?;
        Ok(ExitCode::SUCCESS)
    }
}
