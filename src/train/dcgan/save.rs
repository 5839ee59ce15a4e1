//! What the trainer writes while it runs.

use super::Trainer;
use crate::report;
use crate::train::checkpoint;
use crate::train::log::Log;
use crate::train::sampling::{BATCH, fixed_noise, save_grid};
use crate::{Error, Result};

/// Frames of `progress.gif`.
const FRAMES: usize = 40;
/// Columns of the sample grid.
const COLUMNS: usize = 4;

impl Trainer {
    /// Reads the losses of the step just done and appends them to the metrics.
    pub(super) fn log(&mut self) -> Result<Log> {
        let (step, (d, g)) = (self.step, self.latest);
        let mut value = |index, name| -> Result<f64> {
            Ok(self.executor.read_output(index, name)?.first().map_or(f64::NAN, |&loss| f64::from(loss)))
        };
        let d = match step.is_multiple_of(self.config.d_every) {
            true => Some([value(d, "D")?, value(d, "D_real")?, value(d, "D_fake")?]),
            false => None,
        };
        let g = value(g, "G")?;
        let time = self.clock.mark(step);
        let log = Log {
            step,
            total: self.total,
            d,
            g,
            seconds: time.seconds,
            steps_per_second: time.speed,
            seconds_left: (self.total - step) as f64 / time.mean_speed,
        };
        if !d.iter().flatten().chain([&g]).all(|loss| loss.is_finite()) {
            let d = d.map_or_else(String::new, |[d, ..]| format!("D {d}, "));
            return Err(self.diverged(format!("losses {d}G {g}")));
        }
        self.metrics.write(step, &log.values())?;
        Ok(log)
    }

    /// Draws the fixed noises' pictures; the state stays as it is.
    pub(super) fn save_sample(&mut self) -> Result<()> {
        let noise = fixed_noise(&self.config, self.config.seed, BATCH);
        self.executor.write_input(self.sampler, "noise", &noise)?;
        self.executor.run(&[self.sampler])?;
        let pictures = self.executor.read_output(self.sampler, "pictures")?;
        save_grid(&pictures, &self.config, COLUMNS, &self.folder.sample_path(self.step))
    }

    pub(super) fn save_checkpoint(&mut self) -> Result<()> {
        let count = self.dcgan.banks().len();
        let banks = (0..count).map(|bank| self.executor.read_bank(bank)).collect::<Result<Vec<_>>>()?;
        if !banks.iter().flatten().all(|number| number.is_finite()) {
            return Err(self.diverged("weights that are not finite".into()));
        }
        let path = self.folder.checkpoint_path(self.step);
        checkpoint::write(&path, &self.dcgan, &self.config, self.step, &banks)?;
        self.folder.prune(self.config.keep)
    }

    /// Draws the losses and the animation again.
    pub(super) fn save_report(&self) -> Result<()> {
        let rows = report::metrics::read(self.folder.metrics_path())?;
        let drawn =
            |name: &&str| rows.iter().any(|row| row.values.get(*name).is_some_and(|value| value.is_finite()));
        let names: Vec<&str> = ["D", "D_real", "D_fake", "G"].into_iter().filter(drawn).collect();
        if !names.is_empty() {
            report::losses_svg(&rows, &names, "DCGAN losses", self.folder.losses_path())?;
        }
        let frames: Vec<_> = self.folder.samples()?.into_iter().map(|(_, path)| path).collect();
        report::progress_gif(&frames, self.folder.progress_path(), FRAMES)
    }

    fn diverged(&self, problem: String) -> Error {
        let last = self.folder.checkpoints().ok().and_then(|mut all| all.pop());
        let checkpoint = last.map_or_else(String::new, |(_, path)| {
            format!("; the last checkpoint is kept: {}", path.display())
        });
        Error::Diverged { step: self.step, problem, checkpoint }
    }
}
