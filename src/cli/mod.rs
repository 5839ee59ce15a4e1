//! The command line, a file a command.
//!
//! Exit codes: 0 done, 1 failed, 2 a command line that cannot be understood, 130 interrupted (a checkpoint is written).

mod bench;
mod compare;
mod completions;
mod demo;
mod devices;
mod distributed;
mod evaluate;
mod experiment;
mod explain;
mod export;
mod flags;
mod follow;
mod gradcheck;
mod kernels;
mod man;
mod op;
mod report;
mod resume;
mod sample;
mod settings;
mod train;
mod translate;

use crate::data::decoding;
use crate::models::cyclegan::Domain;
use crate::nn::NormMode;
use crate::{Error, Result};
use clap::{Parser, Subcommand, ValueEnum};
use std::fmt::Display;
use std::io::{ErrorKind, Write};
use std::path::Path;
use std::process::ExitCode;

/// The exit code of a run that was asked to stop: that of a process ended by SIGINT, as shells count it.
pub const INTERRUPTED: u8 = 130;

/// GAN training on any GPU.
#[derive(Parser)]
#[command(name = "mewgan", version, about)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Train on bundled images for a few minutes and write a report.
    Demo(demo::Demo),
    /// Train a model.
    #[command(subcommand)]
    Train(train::Train),
    /// Continue a run from its newest checkpoint.
    ///
    /// On the same device and with the same settings, the result is bit-identical to an uninterrupted run. A setting given
    /// here replaces the run's own from this step on; config.toml and the report record it. Settings that the trained
    /// weights depend on, such as --size or --norm, cannot change. --batch counts the images of all ranks. --data, or --x
    /// and --y, say where the same images are now.
    Resume(resume::Resume),
    /// Draw images with a trained generator.
    ///
    /// With batch statistics, as in training, images are always drawn 16 at a time, so the first ones do not depend on the
    /// count. With the run's own seed they are those of its sample grids.
    Sample(sample::Sample),
    /// Translate images with a trained CycleGAN or pix2pix.
    ///
    /// Images keep their size, name and subfolder. Images that cannot be translated are listed at the end. An image that does
    /// not fit the device or the memory is translated in tiles, without seams.
    Translate(translate::Translate),
    /// Measure the quality of a run, or of a folder of images.
    ///
    /// A run is measured on the images that --holdout kept out of training, or on the training images if there are none. Each
    /// value is printed beside a yardstick: what real, or untranslated, images score.
    Evaluate(evaluate::Evaluate),
    /// Write a run's report, curves and animations again.
    ///
    /// The report shows settings, device, losses, samples over time, metrics, speed and memory. It is a single file without
    /// outside references. Runs also write it at every checkpoint.
    Report(report::Report),
    /// Compare several runs on one page.
    ///
    /// The page lists the settings that differ, overlays the curves of each metric, and shows the samples of all runs on one
    /// slider. It is a single file without outside references.
    Compare(compare::Compare),
    /// Export a run for other programs: web site, ONNX, CSV.
    #[command(subcommand)]
    Export(export::Export),
    /// Train several runs that differ in one setting, and compare them on one page.
    #[command(subcommand)]
    Experiment(experiment::Experiment),
    /// Run one operation and its gradients on files, in PyTorch's layouts.
    Op(op::Op),
    /// Check every operation, gradient and kernel on a device.
    ///
    /// Checks that a device computes correctly: every operation and gradient at many shapes, with every kernel, against the
    /// reference in f64. If the device supports f64, kernels also run in f64 and gradients are compared with central
    /// differences. On the CPU: the f32 reference against f64, and gradients against differences. Errors are relative to the
    /// largest number of a result. The exit code is 1 if an error exceeds its tolerance or the device rejects a kernel.
    Gradcheck(gradcheck::Gradcheck),
    /// Benchmark a device and every kernel.
    ///
    /// Measures the device's peak (multiply-adds, copies), each kernel's share of it at the presets' sizes, then whole training
    /// iterations. Rows are measured in turn, so a slow phase of the machine affects all of them; a control row shows the
    /// spread.
    Bench(bench::Bench),
    /// List and time every dispatch of a training iteration.
    ///
    /// Times every dispatch of an iteration on its own (on the CPU, every operation): kernel, shapes, workgroups, arithmetic,
    /// memory traffic, and share of the device's measured peak. Does not train or change the run.
    Explain(explain::Explain),
    /// List all kernels, or print one for a given shape.
    ///
    /// Without a name: all kernels, with equation, variants and source file. With the name of a kernel or operation: its WGSL
    /// for a shape with all constants filled in, or naga's translation of it.
    Kernels(kernels::Kernels),
    /// List the available devices.
    Devices,
    /// Print a completion script for a shell.
    ///
    /// For bash: mewgan completions bash > ~/.local/share/bash-completion/completions/mewgan. For zsh, a file _mewgan in a
    /// folder of $fpath; for fish, ~/.config/fish/completions/mewgan.fish.
    Completions(completions::Completions),
    /// Write man pages.
    ///
    /// One page per command, for section 1: mewgan.1, mewgan-train.1, mewgan-train-dcgan.1, and so on. Read one with man -l,
    /// or put them into a folder man1 of the manual path.
    Man(man::Manual),
    /// Print every setting and its value in every preset, as the page docs/settings.md.
    #[command(hide = true)]
    Settings,
}

/// Runs the program's command line and returns its exit code.
pub fn run() -> ExitCode {
    let hook = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        if !decoding() {
            hook(panic);
        }
    }));
    let done = match Cli::parse().command {
        Command::Demo(demo) => demo.run(),
        Command::Train(train) => train.run(),
        Command::Resume(resume) => resume.run(),
        Command::Sample(sample) => sample.run(),
        Command::Translate(translate) => translate.run(),
        Command::Evaluate(evaluate) => evaluate.run(),
        Command::Report(report) => report.run(),
        Command::Compare(compare) => compare.run(),
        Command::Experiment(experiment) => experiment.run(),
        Command::Export(export) => export.run(),
        Command::Op(op) => op.run(),
        Command::Gradcheck(gradcheck) => gradcheck.run(),
        Command::Bench(bench) => bench.run(),
        Command::Explain(explain) => explain.run(),
        Command::Kernels(kernels) => kernels.run(),
        Command::Devices => devices::run(),
        Command::Completions(completions) => completions.run(),
        Command::Man(manual) => manual.run(),
        Command::Settings => settings::run(),
    };
    done.unwrap_or_else(|error| {
        report(error);
        ExitCode::FAILURE
    })
}

/// Prints what ends the program.
fn report(error: impl Display) {
    tell(format_args!("error: {error}"));
}

/// Prints a line where errors go, with settings spelt as flags. Nobody may be listening; the exit code still tells.
fn tell(line: impl Display) {
    let _ = writeln!(std::io::stderr(), "{}", flags::spelt(&line.to_string()));
}

/// Prints a line. A closed pipe does not stop a run.
fn say(line: impl Display) {
    let _ = writeln!(std::io::stdout(), "{line}");
}

/// Writes to standard output. A reader that has seen enough, such as `head`, is no failure.
fn print(bytes: &[u8]) -> Result<()> {
    match std::io::stdout().write_all(bytes) {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => Err(Error::io("standard output")(error)),
        _ => Ok(()),
    }
}

/// Prints a warning.
fn warn(warning: impl Display) {
    tell(format_args!("warning: {warning}"));
}

/// What batch norms normalise by, as named on the command line.
#[derive(Clone, Copy, ValueEnum)]
enum Normalise {
    Batch,
    Running,
}

impl From<Normalise> for NormMode {
    fn from(named: Normalise) -> Self {
        match named {
            Normalise::Batch => Self::Batch,
            Normalise::Running => Self::Running,
        }
    }
}

/// The set that a generator translates to, as named on the command line.
#[derive(Clone, Copy, ValueEnum)]
enum Target {
    X,
    Y,
}

impl From<Target> for Domain {
    fn from(named: Target) -> Self {
        match named {
            Target::X => Self::X,
            Target::Y => Self::Y,
        }
    }
}

/// Whether a file's name ends in `.` and `extension`, in small or capital letters.
fn has_extension(path: &Path, extension: &str) -> bool {
    path.extension().is_some_and(|found| found.eq_ignore_ascii_case(extension))
}

/// What a command ends with.
type Done = Result<ExitCode>;
