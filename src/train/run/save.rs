//! What a run writes while it goes on.

use super::{Trainer, Training, Watch};
use crate::report;
use crate::train::checkpoint;
use crate::train::config::RunConfig;
use crate::train::log::{Log, Loss};
use crate::train::model::Model;
use crate::{Error, Result};

/// Frames of an animation.
const FRAMES: usize = 40;

impl<T: Training> Trainer<T> {
    /// Reads the losses of the step just done and appends them to the metrics.
    pub(super) fn log(&mut self) -> Result<Log> {
        let step = self.step;
        let losses = self.training.losses(step)?;
        let time = self.clock.mark(step);
        let log = Log {
            step,
            total: self.total,
            losses,
            seconds: time.seconds,
            steps_per_second: time.speed,
            seconds_left: (self.total - step) as f64 / time.mean_speed,
        };
        if !log.losses.iter().filter_map(|loss| loss.value).all(f64::is_finite) {
            let named = |loss: &Loss| Some(format!("{} {}", loss.name, loss.value?));
            let named: Vec<String> = log.losses.iter().filter(|loss| loss.shown).filter_map(named).collect();
            return Err(self.diverged(format!("losses {}", named.join(", "))));
        }
        self.metrics.write(step, &log.values())?;
        Ok(log)
    }

    pub(super) fn save_checkpoint(&mut self) -> Result<()> {
        let count = self.training.model().banks().len();
        let executor = self.training.executor();
        let banks = (0..count).map(|bank| executor.read_bank(bank)).collect::<Result<Vec<_>>>()?;
        if !banks.iter().flatten().all(|number| number.is_finite()) {
            return Err(self.diverged("weights that are not finite".into()));
        }
        let path = self.folder.checkpoint_path(self.step);
        let config = self.training.config();
        checkpoint::write(&path, self.training.model(), config, &self.sets, self.step, &banks)?;
        self.folder.prune(config.intervals().keep)
    }

    /// Draws the losses and the animations again. What cannot be drawn is a warning: training matters more.
    pub(super) fn save_report(&self, watch: &mut dyn Watch) {
        let drawn = T::SHEETS.iter().map(|sheet| self.save_animation(sheet));
        for error in [self.save_curves()].into_iter().chain(drawn).filter_map(Result::err) {
            watch.warned(&error.to_string());
        }
    }

    fn save_curves(&self) -> Result<()> {
        let rows = report::metrics::read(self.folder.metrics_path())?;
        let drawn =
            |name: &&str| rows.iter().any(|row| row.values.get(*name).is_some_and(|value| value.is_finite()));
        let names: Vec<&str> = T::CURVES.iter().copied().filter(drawn).collect();
        match names.is_empty() {
            true => Ok(()),
            false => report::losses_svg(&rows, &names, T::TITLE, self.folder.losses_path()),
        }
    }

    fn save_animation(&self, sheet: &str) -> Result<()> {
        let frames: Vec<_> = self.folder.samples(sheet)?.into_iter().map(|(_, path)| path).collect();
        match frames.is_empty() {
            true => Ok(()),
            false => report::progress_gif(&frames, self.folder.progress_path(sheet), FRAMES),
        }
    }

    fn diverged(&self, problem: String) -> Error {
        let last = self.folder.checkpoints().ok().and_then(|mut all| all.pop());
        let checkpoint = last.map_or_else(String::new, |(_, path)| {
            format!("; the last checkpoint is kept: {}", path.display())
        });
        Error::Diverged { step: self.step, problem, checkpoint }
    }
}
