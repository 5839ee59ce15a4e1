//! A run as seen from the command line: a bar on a terminal, else a line a log, and what Ctrl-C does.

mod bar;
mod json;
mod preview;

use super::distributed::{say_when_told, told};
use super::{Done, INTERRUPTED, flags, say, warn};
use crate::train::diagnostics::Finding;
use crate::train::log::Log;
use crate::train::model::Model;
use crate::train::run::{Outcome, Plan, Watch};
use crate::{Error, Result};
use bar::Bar;
use clap::{Args, ValueEnum};
use json::{Event, Json};
use preview::Preview;
use std::io::{IsTerminal, Write, stderr, stdout};
use std::process::ExitCode;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};

/// How a run is followed.
#[derive(Args, Clone, Copy, Default)]
pub struct View {
    /// How the run tells of itself: by a bar and curves on a terminal, else by a line a log (auto); by lines everywhere; or by
    /// a JSON object a line, and all that is for people on stderr.
    #[arg(long, default_value = "auto", value_name = "auto|lines|json")]
    progress: Progress,
    /// Show the newest samples in the terminal.
    #[arg(long)]
    preview: bool,
}

#[derive(Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
enum Progress {
    #[default]
    Auto,
    Lines,
    Json,
    /// As ranks but the first are.
    #[value(skip)]
    Silent,
}

impl View {
    /// By a bar on a terminal, with the newest samples if they are to be there.
    pub fn with_preview(preview: bool) -> Self {
        Self { progress: Progress::Auto, preview }
    }

    /// Not at all.
    fn silent() -> Self {
        Self { progress: Progress::Silent, preview: false }
    }

    /// Says a line for people, with settings spelt as flags.
    pub fn say(self, line: &str) {
        let line = flags::spelt(line);
        match self.progress {
            // Nobody may be listening.
            Progress::Json => drop(writeln!(stderr(), "{line}")),
            Progress::Auto | Progress::Lines => say(line),
            Progress::Silent => {}
        }
    }

    /// Who follows a run of so many steps done and so many in all.
    fn watch(self, steps: (u64, u64)) -> Result<Box<dyn Watch>> {
        if self.progress == Progress::Silent {
            return Ok(Box::new(()));
        }
        let bar = Bar::new(steps)?;
        if self.progress == Progress::Auto && stdout().is_terminal() && bar.is_visible() {
            let preview = if self.preview { Preview::new() } else { None };
            return Ok(Box::new(bar.with(preview)));
        }
        if self.preview {
            warn("no preview: it is shown above the bar, on a terminal");
        }
        Ok(if self.progress == Progress::Json { Box::new(Json) } else { Box::new(Lines) })
    }
}

/// Runs `plan` to its end, or until Ctrl-C or SIGTERM; a second one ends the process at once. Of several ranks the first speaks.
pub fn train<M: Model>(plan: Plan<M>, view: View) -> Done {
    let stop = stop_on_signal()?;
    let ranks = plan.ranks().clone();
    let view = if ranks.leads() { view } else { View::silent() };
    plan.introduction().iter().for_each(|line| view.say(line));
    let mut trainer = plan.tuned(&mut |line| view.say(line))?.begin()?;
    say_when_told(&ranks, trainer.folder().path().display());
    trainer.introduction().iter().for_each(|line| view.say(line));
    let json = view.progress == Progress::Json;
    let run = trainer.folder().path().to_path_buf();
    let (step, total) = trainer.steps();
    if json {
        Event::Begin { run: &run, step, total }.say();
    }
    let mut watch = view.watch((step, total))?;
    let outcome = trainer.run(&stop, &mut *watch);
    // A bar goes before anything else is said.
    drop(watch);
    let outcome = outcome?;
    let (step, total) = trainer.steps();
    if json {
        Event::End { run: &run, step, total }.say();
    }
    match outcome {
        Outcome::Finished => {
            let (next, command) = M::next(trainer.folder());
            view.say(&format!(
                "done: {total} steps; look at {} and {}, {next} with: {command}",
                trainer.folder().sample_path(total, M::SHEETS.first().unwrap_or(&"")).display(),
                trainer.folder().report_path().display(),
            ));
            Ok(ExitCode::SUCCESS)
        }
        Outcome::Stopped => {
            view.say(&format!(
                "stopped after step {step} of {total}; go on with: mewgan resume {}",
                run.display()
            ));
            Ok(ExitCode::from(INTERRUPTED))
        }
    }
}

/// Set by Ctrl-C and SIGTERM; the same for all runs of a process.
pub fn stop_on_signal() -> Result<Arc<AtomicBool>> {
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

/// A line a log.
struct Lines;

impl Watch for Lines {
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
