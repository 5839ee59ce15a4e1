//! A run as seen from the command line: a bar on a terminal, else a line a log, and what Ctrl-C does.

use super::among::{say_when_told, told};
use super::{Done, INTERRUPTED, say, warn};
use crate::train::log::Log;
use crate::train::run::{Outcome, Plan, Training, Watch};
use crate::train::symptoms::Finding;
use crate::{Error, Result};
use indicatif::{ProgressBar, ProgressStyle};
use std::fmt::Display;
use std::io::IsTerminal;
use std::process::ExitCode;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};

/// Runs `plan` to its end, or until Ctrl-C or SIGTERM; a second one ends the process at once. Of several ranks the first speaks.
pub fn train<T: Training>(plan: Plan<T>) -> Done {
    let stop = stop_on_signal()?;
    let ranks = plan.ranks().clone();
    let say = |line: &dyn Display| {
        if ranks.leads() {
            super::say(line);
        }
    };
    plan.introduction().iter().for_each(|line| say(line));
    let mut trainer = plan.tuned(&mut |line| say(&line))?.begin()?;
    say_when_told(&ranks, trainer.folder().path().display());
    trainer.introduction().iter().for_each(|line| say(line));
    let outcome = if !ranks.leads() {
        trainer.run(&stop, &mut Silent)?
    } else if std::io::stderr().is_terminal() {
        let bar = Bar::new(trainer.steps())?;
        let outcome = trainer.run(&stop, &mut { &bar });
        bar.0.finish_and_clear();
        outcome?
    } else {
        trainer.run(&stop, &mut Lines)?
    };
    let (path, (step, total)) = (trainer.folder().path().display(), trainer.steps());
    match outcome {
        Outcome::Finished => {
            say(&format_args!(
                "done: {total} steps; look at {} and {}, {}",
                trainer.folder().sample_path(total, T::SHEETS.first().unwrap_or(&"")).display(),
                trainer.folder().losses_path().display(),
                T::farewell(trainer.folder()),
            ));
            Ok(ExitCode::SUCCESS)
        }
        Outcome::Stopped => {
            say(&format_args!("stopped after step {step} of {total}; go on with: mewgpu resume {path}"));
            Ok(ExitCode::from(INTERRUPTED))
        }
    }
}

/// Set by Ctrl-C and SIGTERM; the same for all runs of a process.
fn stop_on_signal() -> Result<Arc<AtomicBool>> {
    static STOP: OnceLock<Arc<AtomicBool>> = OnceLock::new();
    if let Some(stop) = STOP.get() {
        return Ok(Arc::clone(stop));
    }
    let stop = Arc::clone(STOP.get_or_init(Arc::default));
    let handle = Arc::clone(&stop);
    ctrlc::set_handler(move || {
        told();
        if handle.swap(true, Ordering::Relaxed) {
            std::process::exit(INTERRUPTED.into());
        }
    })
    .map_err(|error| Error::Device(format!("Ctrl-C cannot be caught: {error}")))?;
    Ok(stop)
}

/// Nothing is said.
struct Silent;

impl Watch for Silent {
    fn stepped(&mut self, _: u64) {}
    fn logged(&mut self, _: &Log) {}
    fn noticed(&mut self, _: &Finding) {}
    fn warned(&mut self, _: &str) {}
}

/// A line a log.
struct Lines;

impl Watch for Lines {
    fn stepped(&mut self, _: u64) {}

    fn logged(&mut self, log: &Log) {
        say(log);
    }

    fn noticed(&mut self, finding: &Finding) {
        say(finding);
    }

    fn warned(&mut self, warning: &str) {
        warn(warning);
    }
}

/// A bar on the terminal.
struct Bar(ProgressBar);

impl Bar {
    fn new((step, total): (u64, u64)) -> Result<Self> {
        let style = ProgressStyle::with_template("{bar:24} step {pos}/{len}  {msg}")
            .map_err(|error| Error::Device(format!("progress bar: {error}")))?;
        let bar = ProgressBar::new(total).with_style(style);
        bar.set_position(step);
        Ok(Self(bar))
    }
}

impl Watch for &Bar {
    fn stepped(&mut self, step: u64) {
        self.0.set_position(step);
    }

    fn logged(&mut self, log: &Log) {
        self.0.set_message(log.progress());
    }

    fn noticed(&mut self, finding: &Finding) {
        self.0.suspend(|| say(finding));
    }

    fn warned(&mut self, warning: &str) {
        self.0.suspend(|| warn(warning));
    }
}
