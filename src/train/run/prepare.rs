//! From settings or a checkpoint to a run that is ready.

use super::{Data, Trainer, Training};
use crate::report::{self, Metrics};
use crate::train::checkpoint::Checkpoint;
use crate::train::config::RunConfig;
use crate::train::log::Clock;
use crate::train::model::{Model, Trained};
use crate::train::run_folder::RunFolder;
use crate::{Error, Result};
use std::path::Path;

impl<T: Training> Trainer<T> {
    /// Starts a run in the folder `out`, or in the next free one under `runs`.
    ///
    /// # Errors
    /// If the pictures, the device or the folder cannot be used.
    pub fn start(config: T::Config, out: Option<&Path>) -> Result<Self> {
        let Data { pictures, total, lines } = T::load(&config)?;
        let (init, seed) = config.start();
        // All that can fail for want of pictures or memory comes before anything is written.
        let training = T::ready(config, pictures, total, 0)?;
        let folder = RunFolder::create(out, T::Config::KIND)?;
        let mut trainer = Self::new(training, folder, lines, (0, total), 0.0)?;
        let initial = trainer.training.model().initial(init, seed);
        trainer.write_state(&initial)?;
        Ok(trainer)
    }

    /// Goes on with the run in `folder` from its newest whole checkpoint, with its settings replaced by `flags`.
    ///
    /// # Errors
    /// If it is no run of this kind, has no checkpoint that can be used, or is finished already.
    pub fn resume(folder: &Path, flags: <T::Config as RunConfig>::Settings) -> Result<Self> {
        let folder = RunFolder::open(folder)?;
        let config = T::Config::from_run(&folder.config_path(), flags)?;
        let (checkpoint, damaged) = newest_whole(&folder, T::Config::KIND)?;
        let values = checkpoint.banks(&T::networks(&config)?)?;
        let step = checkpoint.step();
        let Data { pictures, total, lines } = T::load(&config)?;
        if total <= step {
            return Err(Error::Input(format!(
                "{0}: finished at step {step} of {total}; to go on, pass a larger total: mewgpu resume {0} --steps N",
                folder.path().display()
            )));
        }
        let training = T::ready(config, pictures, total, step)?;
        report::metrics::truncate_after(folder.metrics_path(), step)?;
        let rows = match folder.metrics_path() {
            path if path.is_file() => report::metrics::read(path)?,
            _ => Vec::new(),
        };
        let seconds = rows.last().and_then(|row| row.values.get("seconds")).copied().unwrap_or(0.0);
        let mut trainer = Self::new(training, folder, lines, (step, total), seconds)?;
        trainer.write_state(&values)?;
        let notes = damaged.into_iter().map(|error| format!("left out a damaged checkpoint: {error}"));
        trainer.introduction.extend(notes);
        trainer.introduction.push(format!("goes on after step {step}"));
        Ok(trainer)
    }

    /// A trainer at `step` of `total`, after `seconds` of training, that keeps its files in `folder`.
    fn new(
        training: T,
        folder: RunFolder,
        lines: Vec<String>,
        (step, total): (u64, u64),
        seconds: f64,
    ) -> Result<Self> {
        folder.write_config(training.config())?;
        let mut introduction = vec![training.device()];
        introduction.extend(lines);
        introduction.push(training.describe());
        let path = folder.path().display();
        introduction.push(format!("{path}: {total} steps of {}", training.batch()));
        Ok(Self {
            metrics: Metrics::open(folder.metrics_path())?,
            clock: Clock::new(seconds, step),
            training,
            folder,
            step,
            total,
            introduction,
        })
    }

    /// Writes all banks that are part of a run's state.
    fn write_state(&mut self, values: &[Vec<f32>]) -> Result<()> {
        let mut state = Vec::new();
        let model = self.training.model();
        for Trained { banks: of, average, .. } in model.trained() {
            state.extend([of.parameters, of.running, of.first, of.second]);
            state.extend(average);
        }
        state.extend(model.pictures().iter().map(|&(_, bank, _)| bank));
        state.sort_unstable();
        state.dedup();
        state.into_iter().try_for_each(|bank| self.training.executor().write_bank(bank, &values[bank]))
    }
}

/// The newest checkpoint that can be read, and what is wrong with newer ones.
fn newest_whole(folder: &RunFolder, kind: &str) -> Result<(Checkpoint, Vec<Error>)> {
    let mut damaged = Vec::new();
    for (_, path) in folder.checkpoints()?.into_iter().rev() {
        match Checkpoint::open(&path) {
            Ok(checkpoint) => return Ok((checkpoint, damaged)),
            Err(error) => damaged.push(error),
        }
    }
    Err(damaged.into_iter().next().unwrap_or_else(|| {
        Error::Input(format!(
            "{}: it has no checkpoint to go on from; start it again with: mewgpu train {kind} --config {}",
            folder.path().display(),
            folder.config_path().display()
        ))
    }))
}
