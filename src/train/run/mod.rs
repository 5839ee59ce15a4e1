//! A run of any model: the loop, what it logs and keeps, and how it goes on. Step t is a function of the state and of
//! (seed, t) alone.

mod finite;
pub(crate) mod memory;
mod plan;
mod prepare;
mod save;
mod together;

pub use plan::Plan;

use super::checkpoint::PictureNames;
use super::config::RunConfig;
use super::gallery::Gallery;
use super::log::{Clock, Log, Loss};
use super::model::Model;
use super::run_folder::RunFolder;
use super::symptoms::{Finding, Symptoms};
use crate::data::Pictures;
use crate::device::Device;
use crate::executor::Executor;
use crate::graph::Step;
use crate::nn::loss::Adversarial;
use crate::ranks::{Ranks, Shard};
use crate::report::{Events, Metrics};
use crate::{Error, Result};
use finite::Whole;
use std::collections::BTreeMap;
use std::fs::File;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};

/// Who follows a run, each of its events or some: `()` follows none.
pub trait Watch {
    /// A step is done.
    fn stepped(&mut self, _step: u64) {}
    /// Losses were looked at.
    fn logged(&mut self, _log: &Log) {}
    /// Samples were drawn: the files of the sheets of [`Training::SHEETS`].
    fn sampled(&mut self, _step: u64, _sheets: &[PathBuf]) {}
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

/// The pictures to train on and what follows from how many they are.
pub struct Data<P> {
    /// The pictures.
    pub pictures: P,
    /// The run's last step.
    pub total: u64,
    /// What checkpoints remember of each set, by its name.
    pub sets: BTreeMap<String, PictureNames>,
    /// What they are, in lines for people.
    pub lines: Vec<String>,
}

/// All that a run is made ready with.
pub struct Setup<T: Training> {
    /// The settings, the number of steps among them.
    pub config: T::Config,
    /// The pictures.
    pub pictures: T::Pictures,
    /// What it runs on.
    pub device: Device,
    /// Who trains together.
    pub ranks: Ranks,
    /// What checkpoints remember of each set of pictures, by its name.
    pub sets: BTreeMap<String, PictureNames>,
    /// Its programs, as [`Training::steps`] has them.
    pub steps: Vec<Step>,
    /// Iterations done.
    pub step: u64,
    /// Iterations in all.
    pub total: u64,
}

/// What one kind of model brings to a run.
pub trait Training: Sized {
    /// Its settings.
    type Config: RunConfig;
    /// Its networks.
    type Model: Model;
    /// The pictures it is trained on.
    type Pictures;

    /// Sheets that become an animation each, as in [`RunFolder::sample_path`].
    const SHEETS: &'static [&'static str];
    /// Losses that are drawn as curves.
    const CURVES: &'static [&'static str];
    /// What people call it.
    const NAME: &'static str;

    /// The networks that `config` describes, as a rank has them.
    ///
    /// # Errors
    /// If they do not fit each other.
    fn networks(config: &Self::Config, ranks: &Ranks) -> Result<Self::Model>;

    /// Loads the pictures.
    ///
    /// # Errors
    /// If they cannot be read, or are too few.
    fn load(config: &Self::Config) -> Result<Data<Self::Pictures>>;

    /// The pictures that those of each sheet are to look like.
    fn targets(pictures: &Self::Pictures) -> Vec<&Pictures>;

    /// Every program of a rank of a run on `pictures`.
    ///
    /// # Errors
    /// If the networks do not fit the size.
    fn steps(config: &Self::Config, pictures: &Self::Pictures, ranks: &Ranks) -> Result<Vec<Step>>;

    /// Makes everything ready to go on after the steps done; the state is still to be written.
    ///
    /// # Errors
    /// If the device cannot be used or is too small.
    fn ready(setup: Setup<Self>) -> Result<Self>;

    /// The settings, the number of steps among them.
    fn config(&self) -> &Self::Config;

    /// The networks.
    fn model(&self) -> &Self::Model;

    /// What holds the state.
    fn executor(&mut self) -> &mut dyn Executor;

    /// The parameters, in words.
    fn describe(model: &Self::Model) -> String;

    /// What one step sees, such as `16 pictures`.
    fn batch(&self) -> String;

    /// Goes to where it was after `step`, as far as that is not in the state.
    ///
    /// # Errors
    /// If the system gives no thread.
    fn go_to(&mut self, step: u64) -> Result<()>;

    /// Iteration `t`, counted from 1.
    ///
    /// # Errors
    /// If the device fails.
    fn iterate(&mut self, t: u64) -> Result<()>;

    /// The losses of iteration `t`, the one that ran last, on this rank's part of the batch.
    ///
    /// # Errors
    /// If the device fails.
    fn losses(&mut self, t: u64) -> Result<Vec<Loss>>;

    /// This rank's part of the batch of the iteration that ran last.
    fn shard(&self) -> Shard;

    /// Draws the samples after `step`; the state stays as it is. Returns the drawn pictures of each sheet, `[n, size, size,
    /// channels]` in [-1, 1].
    ///
    /// # Errors
    /// If the device fails or a file cannot be written.
    fn save_sample(&mut self, folder: &RunFolder, step: u64) -> Result<Vec<Vec<f32>>>;

    /// What to do with the trained run in `folder`: in words, and the command.
    fn next(folder: &RunFolder) -> (&'static str, String);
}

/// A run, ready to start or to go on.
pub struct Trainer<T> {
    training: T,
    sets: BTreeMap<String, PictureNames>,
    /// What the pictures of each sheet are held against.
    galleries: Vec<Gallery>,
    folder: RunFolder,
    ranks: Ranks,
    /// Keeps other processes out of the folder.
    _held: Option<File>,
    /// Rank 0 writes them.
    metrics: Option<Metrics>,
    /// Rank 0 writes them, unless they are left out.
    events: Option<Events>,
    symptoms: Symptoms,
    clock: Clock,
    step: u64,
    total: u64,
    introduction: Vec<String>,
    /// The last state that was found to be finite.
    whole: Whole,
}

impl<T: Training> Trainer<T> {
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

    /// Trains until all steps are done, or until the end of the step in which `stop` is set. Either way a checkpoint is
    /// there afterwards. A file that cannot be written meanwhile is a warning: training goes on, and the next checkpoint
    /// may find room.
    ///
    /// # Errors
    /// If a loss or weight is no longer finite, the last checkpoint cannot be written, or the device fails.
    pub fn run(&mut self, stop: &AtomicBool, watch: &mut dyn Watch) -> Result<Outcome> {
        self.advance(stop, watch).map_err(|error| match error {
            Error::Device(problem) => {
                Error::Device(format!("after step {}: {problem}{}", self.step, self.way_on()))
            }
            Error::Ranks(problem) => Error::Ranks(format!("{problem}{}", self.way_on())),
            error => error,
        })
    }

    /// How to go on from the last checkpoint, where there is one, in words that continue a sentence. The last whole state
    /// becomes one, if all that is due at its step is done.
    fn way_on(&self) -> String {
        let run = self.folder.path().display();
        let newest = || self.folder.checkpoints().ok().and_then(|mut all| all.pop());
        let whole = self.whole.step;
        if self.ranks.leads() && whole < self.step && newest().map_or(0, |(step, _)| step) < whole {
            // Without it the one before is the newest.
            let _ = self.write_checkpoint(&self.folder.checkpoint_path(whole));
        }
        match newest() {
            Some((step, _)) => {
                format!("; the checkpoint of step {step} is kept, go on from it with: `resume {run}`")
            }
            None => String::new(),
        }
    }

    fn advance(&mut self, stop: &AtomicBool, watch: &mut dyn Watch) -> Result<Outcome> {
        let every = self.training.config().intervals();
        let leads = self.ranks.leads();
        if self.step == 0 && leads {
            self.draw(watch)?;
        }
        self.clock.go_on();
        while self.step < self.total {
            let step = self.step + 1;
            self.training.iterate(step)?;
            self.step = step;
            // All ranks stop after the same step.
            let (last, stopped) = (step == self.total, self.ranks.any(stop.load(Ordering::Relaxed)));
            if step.is_multiple_of(every.log) || last {
                let log = self.log()?;
                if leads {
                    watch.logged(&log);
                    self.keep(&log.values(), watch)?;
                }
            }
            watch.stepped(step);
            let sample = step.is_multiple_of(every.sample) || last;
            let checkpoint = step.is_multiple_of(every.checkpoint) || last || stopped;
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
                }
                self.clock.go_on();
            }
            if stopped && !last {
                return Ok(Outcome::Stopped);
            }
        }
        Ok(Outcome::Finished)
    }
}

/// How often a discriminator is right: the figure's name, the output with its errors, and whether they are of real pictures.
pub type Judgement = (&'static str, &'static str, bool);

/// The figure of a judgement by `step`, which trains with `loss`; it is kept, not shown.
///
/// # Errors
/// If the step has no such output or the device fails.
pub fn accuracy(
    executor: &mut dyn Executor,
    step: usize,
    loss: Adversarial,
    (name, output, real): Judgement,
) -> Result<Loss> {
    let errors = executor.read_output(step, output)?;
    Ok(Loss { name, value: Some(loss.accuracy(&errors, real)), shown: false })
}

/// The value of an output of one number.
///
/// # Errors
/// If the step has no such output or the device fails.
pub fn scalar(executor: &mut dyn Executor, step: usize, name: &str) -> Result<f64> {
    Ok(executor.read_output(step, name)?.first().map_or(f64::NAN, |&value| f64::from(value)))
}
