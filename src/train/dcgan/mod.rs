//! The DCGAN trainer: step t is a function of the state and of (seed, t) alone.

mod prepare;
mod save;

use super::config::DcganConfig;
use super::dcgan_steps::Dcgan;
use super::log::{Clock, Log};
use super::run_folder::RunFolder;
use crate::data::{DiffAugmentDraws, Loader, noise};
use crate::executor::Executor;
use crate::optim::Adam;
use crate::report::Metrics;
use crate::{Error, Result};
use std::sync::atomic::{AtomicBool, Ordering};

/// Who follows a run.
pub trait Watch {
    /// A step is done.
    fn stepped(&mut self, step: u64);
    /// Losses were looked at.
    fn logged(&mut self, log: &Log);
}

/// How [`Trainer::run`] ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// All steps are done.
    Finished,
    /// It was asked to stop; a checkpoint is written.
    Stopped,
}

/// A run, ready to start or to go on.
pub struct Trainer {
    config: DcganConfig,
    folder: RunFolder,
    dcgan: Dcgan,
    executor: Box<dyn Executor>,
    /// The steps of each batch size that occurs: its pictures, then the indices of discriminator and generator step.
    batches: Vec<(usize, usize, usize)>,
    sampler: usize,
    loader: Loader,
    metrics: Metrics,
    clock: Clock,
    step: u64,
    total: u64,
    /// The discriminator's and the generator's step that ran last.
    latest: (usize, usize),
    introduction: Vec<String>,
}

impl Trainer {
    /// What the run is, in a few lines: the device first.
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
    /// there afterwards.
    ///
    /// # Errors
    /// If a loss or weight is no longer finite, a file cannot be written, or the device fails.
    pub fn run(&mut self, stop: &AtomicBool, watch: &mut dyn Watch) -> Result<Outcome> {
        if self.step == 0 {
            self.save_sample()?;
        }
        self.clock.go_on();
        while self.step < self.total {
            self.iterate()?;
            let step = self.step;
            let (last, stopped) = (step == self.total, stop.load(Ordering::Relaxed));
            if step.is_multiple_of(self.config.log_every) || last {
                watch.logged(&self.log()?);
            }
            watch.stepped(step);
            let sample = step.is_multiple_of(self.config.sample_every) || last;
            let checkpoint = step.is_multiple_of(self.config.checkpoint_every) || last || stopped;
            if sample || checkpoint {
                self.clock.pause();
                if sample {
                    self.save_sample()?;
                }
                if checkpoint {
                    self.save_checkpoint()?;
                    self.save_report()?;
                }
                self.clock.go_on();
            }
            if stopped && !last {
                return Ok(Outcome::Stopped);
            }
        }
        Ok(Outcome::Finished)
    }

    /// One iteration: the discriminator's step when it is due, then the generator's.
    fn iterate(&mut self) -> Result<()> {
        let t = self.step + 1;
        let batch = self.loader.next_batch()?;
        let (d, g) = self.steps_of(batch.count)?;
        let count = batch.count;
        let draw =
            |purpose| noise(self.config.noise, self.config.seed, purpose, t, count * self.config.noise_size);
        let rates = |adam: &Adam, update| adam.rates(update).map(|rate| rate as f32);
        let objective = self.dcgan.objective;
        let own = if objective.fresh_noise { "noise.g" } else { "noise.d" };
        let due = t.is_multiple_of(self.config.d_every);
        if due {
            let update = t / self.config.d_every;
            self.executor.write_input(d, "real", &batch.images)?;
            self.executor.write_input(d, "noise", &draw("noise.d"))?;
            self.executor.write_input(d, "rates", &rates(&objective.d_adam, update))?;
        }
        self.executor.write_input(g, "noise", &draw(own))?;
        self.executor.write_input(g, "rates", &rates(&objective.g_adam, t))?;
        if due {
            self.write_draws(d, "real", "diff.d.real", count)?;
            self.write_draws(d, "fake", "diff.d.fake", count)?;
        }
        self.write_draws(g, "fake", "diff.g.fake", count)?;
        let both = [d, g];
        self.executor.run(if due { &both } else { &both[1..] })?;
        (self.step, self.latest) = (t, (d, g));
        Ok(())
    }

    /// DiffAugment's draws for the step after this one.
    fn write_draws(&mut self, step: usize, source: &str, purpose: &str, count: usize) -> Result<()> {
        let policy = self.dcgan.objective.diffaugment;
        if !(policy.color || policy.translation || policy.cutout) {
            return Ok(());
        }
        let draws = DiffAugmentDraws::new(self.config.seed, purpose, self.step + 1, count, self.config.size);
        let inputs = [
            (policy.color, "brightness", &draws.brightness),
            (policy.color, "saturation", &draws.saturation),
            (policy.color, "contrast", &draws.contrast),
            (policy.translation, "shift", &draws.shift),
            (policy.cutout, "mask", &draws.mask),
        ];
        for (_, name, values) in inputs.into_iter().filter(|(used, ..)| *used) {
            self.executor.write_input(step, &format!("{source}.{name}"), values)?;
        }
        Ok(())
    }

    /// The indices of both steps for a batch size.
    fn steps_of(&self, count: usize) -> Result<(usize, usize)> {
        let found = self.batches.iter().find(|(size, ..)| *size == count);
        found.map(|&(_, d, g)| (d, g)).ok_or_else(|| {
            Error::Input(format!("a batch of {count} pictures, which none of this run's steps takes"))
        })
    }
}
