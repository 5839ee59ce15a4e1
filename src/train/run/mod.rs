//! A run of any model: the loop, what it logs and keeps, and how it goes on. Step t is a function of the state and of
//! (seed, t) alone.

mod distributed;
mod finite;
mod iteration;
pub(crate) mod memory;
mod plan;
mod prepare;
mod resume;
mod save;

pub use iteration::Programs;
pub use plan::Plan;

use super::checkpoint::ImageNames;
use super::config::RunConfig;
use super::dataset::Dataset;
use super::diagnostics::{Diagnostics, Finding};
use super::gallery::Gallery;
use super::log::{Clock, Log};
use super::model::Model;
use super::run_folder::RunFolder;
use super::split::Split;
use crate::device::Device;
use crate::ranks::Ranks;
use crate::report::{Events, Metrics};
use crate::{Error, Result};
use finite::Snapshot;
use iteration::Training;
use std::collections::BTreeMap;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// Who follows a run, each of its events or some: `()` follows none.
pub trait Watch {
    /// A step is done.
    fn stepped(&mut self, _step: u64) {}
    /// Losses were looked at.
    fn logged(&mut self, _log: &Log) {}
    /// Samples were drawn: the files of the sheets of [`Model::SHEETS`].
    fn sampled(&mut self, _step: u64, _sheets: &[PathBuf]) {}
    /// A checkpoint was written because it was asked for, as by [`Trainer::save_when`].
    fn saved(&mut self, _step: u64, _checkpoint: &Path) {}
    /// A sign of trouble has begun.
    fn noticed(&mut self, _finding: &Finding) {}
    /// Something went wrong that does not end the run.
    fn warned(&mut self, _warning: &str) {}
}

impl Watch for () {}

/// How [`Trainer::run`] ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// All steps are done.
    Finished,
    /// It was asked to stop; a checkpoint is written.
    Stopped,
}

/// All that a run is made ready with.
pub struct Setup<M: Model> {
    /// The settings, the number of steps among them.
    pub config: M::Config,
    /// The sets of images.
    pub sets: Vec<Dataset>,
    /// Which images they are.
    pub split: Split,
    /// All images that the run has ever known.
    pub kept: Split,
    /// What checkpoints remember of each, by its name.
    pub names: BTreeMap<String, ImageNames>,
    /// What it runs on.
    pub device: Device,
    /// Who trains together.
    pub ranks: Ranks,
    /// All that it computes.
    pub programs: Programs,
    /// Iterations done.
    pub step: u64,
    /// Iterations in all.
    pub total: u64,
}

/// The networks of `config`, as a rank has them.
fn networks<M: Model>(config: &M::Config, ranks: &Ranks) -> Result<M> {
    M::new(config, ranks.shard(config.common().batch).len)
}

/// A run, ready to start or to go on.
pub struct Trainer<M: Model> {
    training: Training<M>,
    /// What checkpoints remember of each set of images, by its name.
    names: BTreeMap<String, ImageNames>,
    /// What the images of each sheet are held against.
    galleries: Vec<Gallery>,
    folder: RunFolder,
    ranks: Ranks,
    /// Keeps other processes out of the folder.
    _held: Option<File>,
    /// Rank 0 writes them.
    metrics: Option<Metrics>,
    /// Rank 0 writes them, unless they are left out.
    events: Option<Events>,
    diagnostics: Diagnostics,
    clock: Clock,
    step: u64,
    total: u64,
    introduction: Vec<String>,
    /// The last state that was found to be finite.
    snapshot: Snapshot,
    /// Set where samples and a checkpoint are asked for.
    save: Arc<AtomicBool>,
}

impl<M: Model> Trainer<M> {
    /// Where the run is and how far, in a few lines; they follow those of its [`Plan`].
    pub fn introduction(&self) -> &[String] {
        &self.introduction
    }

    /// Where the run is kept.
    pub fn folder(&self) -> &RunFolder {
        &self.folder
    }

    /// Steps done, and steps in all.
    pub fn steps(&self) -> (u64, u64) {
        (self.step, self.total)
    }

    /// Has samples and a checkpoint written at the end of each step in which `asked` is set, which clears it.
    pub fn save_when(&mut self, asked: Arc<AtomicBool>) {
        self.save = asked;
    }

    /// Trains until all steps are done, or until the end of the step in which `stop` is set. Either way a checkpoint is
    /// there afterwards. A file that cannot be written meanwhile is a warning: training goes on, and the next checkpoint
    /// may find room.
    ///
    /// # Errors
    /// If a loss or weight is no longer finite, the last checkpoint cannot be written, or the device fails.
    pub fn run(&mut self, stop: &AtomicBool, watch: &mut dyn Watch) -> Result<Outcome> {
        self.advance(stop, watch).map_err(|error| match error {
            Error::Device(problem) => {
                Error::Device(format!("after step {}: {problem}{}", self.step, self.recovery_hint()))
            }
            Error::Ranks(problem) => Error::Ranks(format!("{problem}{}", self.recovery_hint())),
            error => error,
        })
    }

    /// How to go on from the last checkpoint, where there is one, in words that continue a sentence. The last whole state
    /// becomes one, if all that is due at its step is done.
    fn recovery_hint(&self) -> String {
        let run = self.folder.path().display();
        let newest = || self.folder.checkpoints().ok().and_then(|mut all| all.pop());
        let whole = self.snapshot.step;
        if self.ranks.leads() && whole < self.step && newest().map_or(0, |(step, _)| step) < whole {
            // Without it the one before is the newest.
            let _ = self.write_checkpoint(&self.folder.checkpoint_path(whole));
        }
        match newest() {
            Some((step, _)) => {
                format!("; the checkpoint of step {step} is kept; continue from it with: `resume {run}`")
            }
            None => String::new(),
        }
    }

    fn advance(&mut self, stop: &AtomicBool, watch: &mut dyn Watch) -> Result<Outcome> {
        let every = self.training.common().intervals();
        let leads = self.ranks.leads();
        if self.step == 0 && leads {
            self.draw(watch)?;
        }
        self.clock.resume();
        while self.step < self.total {
            let step = self.step + 1;
            self.training.iterate(step)?;
            self.step = step;
            let last = step == self.total;
            // All ranks stop, and save, after the same step.
            let asked = [stop.load(Ordering::Relaxed), self.save.swap(false, Ordering::Relaxed)];
            let [stopped, asked] = self.ranks.any_of(asked);
            if step.is_multiple_of(every.log) || last {
                let log = self.log()?;
                if leads {
                    watch.logged(&log);
                    self.keep(&log.values(), watch)?;
                }
            }
            watch.stepped(step);
            let sample = step.is_multiple_of(every.sample) || last || asked;
            let checkpoint = step.is_multiple_of(every.checkpoint) || last || stopped || asked;
            if step.is_multiple_of(every.check) || checkpoint {
                self.check()?;
            }
            if leads && (sample || checkpoint) {
                self.clock.pause();
                if sample {
                    self.save_sample(watch)?;
                }
                if checkpoint {
                    // The checkpoint comes last: whatever ends the process before, a resumed run makes all of it again.
                    #[cfg(feature = "report")]
                    self.save_report(watch);
                    self.save_checkpoint(last || stopped, watch)?;
                    let checkpoint = self.folder.checkpoint_path(step);
                    if asked && checkpoint.is_file() {
                        watch.saved(step, &checkpoint);
                    }
                }
                self.clock.resume();
            }
            if stopped && !last {
                return Ok(Outcome::Stopped);
            }
        }
        Ok(Outcome::Finished)
    }
}
