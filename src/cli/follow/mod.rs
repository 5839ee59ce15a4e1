//! A run as seen from the command line: a bar on a terminal, else a line a log, and what signals ask of it.

mod bar;
pub mod images;
mod json;
mod preview;
mod signals;

use super::distributed::say_when_told;
use super::{Done, INTERRUPTED, flags, say, warn};
use crate::Result;
use crate::ranks::Ranks;
use crate::train::diagnostics::Finding;
use crate::train::log::Log;
use crate::train::model::Model;
use crate::train::preparation::Preparation;
use crate::train::run::{Outcome, Plan, Watch};
use bar::Bar;
use clap::{Args, ValueEnum};
pub use images::Preparing;
use json::{Event, Json};
use preview::Preview;
use std::io::{IsTerminal, Write, stderr, stdout};
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;

pub use signals::{HELP as SIGNALS, asked};

/// How a run is followed.
#[derive(Args, Clone, Copy, Default)]
pub struct View {
    /// Progress output: a bar and curves on a terminal, else lines (auto); always lines; or one JSON object per line, with
    /// messages for people on stderr.
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

    /// As usual, but with what is for people on stderr where stdout is for JSON.
    pub fn with_json(json: bool) -> Self {
        Self { progress: if json { Progress::Json } else { Progress::Auto }, preview: false }
    }

    /// Not at all.
    fn silent() -> Self {
        Self { progress: Progress::Silent, preview: false }
    }

    /// Whether bars are wanted, and stdout goes to a terminal.
    fn draws(self) -> bool {
        self.progress == Progress::Auto && stdout().is_terminal()
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
        if self.draws() && bar.is_visible() {
            let preview = if self.preview { Preview::new() } else { None };
            return Ok(Box::new(bar.with(preview)));
        }
        if self.preview {
            warn("no preview: it is shown above the bar, on a terminal");
        }
        Ok(if self.progress == Progress::Json { Box::new(Json) } else { Box::new(Lines) })
    }
}

/// Runs what `plan` plans to its end, or until a signal asks it to stop. Of several ranks the first speaks.
pub fn train<M: Model>(
    ranks: &Ranks,
    view: View,
    plan: impl FnOnce(&dyn Preparation) -> Result<Plan<M>>,
) -> Done {
    let asked = asked()?;
    let view = if ranks.leads() { view } else { View::silent() };
    let plan = plan(&Preparing::new(view)?)?;
    plan.introduction().iter().for_each(|line| view.say(line));
    let mut trainer = plan.tuned(&mut |line| view.say(line))?.begin()?;
    trainer.save_when(Arc::clone(&asked.save));
    say_when_told(ranks, trainer.folder().path().display());
    trainer.introduction().iter().for_each(|line| view.say(line));
    let json = view.progress == Progress::Json;
    let run = trainer.folder().path().to_path_buf();
    let (step, total) = trainer.steps();
    if json {
        Event::Begin { run: &run, step, total }.say();
    }
    let mut watch = view.watch((step, total))?;
    let outcome = trainer.run(&asked.stop, &mut *watch);
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
                "stopped after step {step} of {total}; continue with: mewgan resume {}",
                run.display()
            ));
            Ok(ExitCode::from(INTERRUPTED))
        }
    }
}

/// What is said of a checkpoint that a signal asked for.
fn saved(step: u64, checkpoint: &Path) -> String {
    format!("step {step}: asked for a checkpoint, wrote {}", checkpoint.display())
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

    fn saved(&mut self, step: u64, checkpoint: &Path) {
        say(saved(step, checkpoint));
    }

    fn warned(&mut self, warning: &str) {
        warn(warning);
    }
}
