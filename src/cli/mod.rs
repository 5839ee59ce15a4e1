//! The command line, a file a command.
//!
//! Exit codes: 0 done, 1 failed, 2 a command line that cannot be understood, 130 interrupted (a checkpoint is written).

mod demo;
mod devices;
mod follow;
mod op;
mod resume;
mod sample;
mod train;

use crate::Result;
use clap::{Parser, Subcommand};
use std::fmt::Display;
use std::io::Write;
use std::process::ExitCode;

/// The exit code of a run that was asked to stop: that of a process ended by SIGINT, as shells count it.
pub const INTERRUPTED: u8 = 130;

/// GAN training on any GPU.
#[derive(Parser)]
#[command(name = "mewgpu", version, about)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// A first run on bundled pictures, in minutes.
    Demo(demo::Demo),
    /// Train a model.
    #[command(subcommand)]
    Train(train::Train),
    /// Go on with a run from its newest checkpoint.
    Resume(resume::Resume),
    /// Draw pictures with a trained generator.
    Sample(sample::Sample),
    /// Run one operation and its gradients from file to file, in PyTorch's layouts.
    Op(op::Op),
    /// List what can be computed on.
    Devices,
}

/// Runs the program's command line and returns its exit code.
pub fn run() -> ExitCode {
    let done = match Cli::parse().command {
        Command::Demo(demo) => demo.run(),
        Command::Train(train) => train.run(),
        Command::Resume(resume) => resume.run(),
        Command::Sample(sample) => sample.run(),
        Command::Op(op) => op.run(),
        Command::Devices => devices::run(),
    };
    done.unwrap_or_else(|error| {
        // Nobody may be listening; the exit code still tells.
        let _ = writeln!(std::io::stderr(), "error: {error}");
        ExitCode::FAILURE
    })
}

/// Prints a line. A closed pipe does not stop a run.
fn say(line: impl Display) {
    let _ = writeln!(std::io::stdout(), "{line}");
}

/// What a command ends with.
type Done = Result<ExitCode>;
