//! What a run writes while it goes on.

use super::finite::Snapshot;
use super::{Trainer, Watch};
use crate::file;
use crate::report::{Events, Metrics, Row};
use crate::train::checkpoint;
use crate::train::log::{Exchanged, Log, Loss};
use crate::train::model::{Model, Trained};
#[cfg(feature = "report")]
use crate::train::reporting;
use crate::train::run_folder::suffix;
use crate::{Error, Result};
use std::fs;
use std::path::{Path, PathBuf};

impl<M: Model> Trainer<M> {
    /// Reads the losses of the step just done.
    pub(super) fn log(&mut self) -> Result<Log> {
        let step = self.step;
        let losses = self.training.losses(step)?;
        let losses = self.of_all(losses);
        let time = self.clock.mark(step);
        let log = Log {
            step,
            total: self.total,
            losses,
            seconds: time.seconds,
            steps_per_second: time.speed,
            seconds_left: (self.total - step) as f64 / time.mean_speed,
            exchanged: self.ranks.take_stats().map(|spent| Exchanged { spent, steps: time.steps }),
        };
        if !log.losses.iter().filter_map(|loss| loss.value).all(f64::is_finite) {
            let named = |loss: &Loss| Some(format!("{} {}", loss.name, loss.value?));
            let named: Vec<String> = log.losses.iter().filter(|loss| loss.shown).filter_map(named).collect();
            return Err(self.diverged(&format!("losses {}", named.join(", "))));
        }
        Ok(log)
    }

    /// Appends figures of the step just done to the metrics and the events, and tells what they are signs of. Figures that
    /// cannot be written yet are a warning, once.
    pub(super) fn keep(&mut self, figures: &[(&str, f64)], watch: &mut dyn Watch) -> Result<()> {
        let Some(metrics) = &mut self.metrics else { return Ok(()) };
        let told = metrics.is_behind();
        late(metrics.write(self.step, figures), told, "lines", watch)?;
        if let Some(events) = &mut self.events {
            let told = events.is_behind();
            late(events.figures(self.step, figures), told, "records", watch)?;
        }
        let values = figures.iter().map(|&(name, value)| (name.to_owned(), value)).collect();
        let findings = self.diagnostics.observe(&Row { step: self.step, values });
        findings.iter().for_each(|finding| watch.noticed(finding));
        Ok(())
    }

    /// Draws the samples of the step just done and measures them and the networks' gradients.
    pub(super) fn save_sample(&mut self, watch: &mut dyn Watch) -> Result<()> {
        let drawn = self.draw(watch)?;
        let mut figures = Vec::new();
        for ((sheet, images), gallery) in M::SHEETS.iter().zip(&drawn).zip(&self.galleries) {
            let named = |(name, value)| (format!("{name}{}", suffix('_', sheet)), value);
            figures.extend(gallery.figures(images)?.into_iter().map(named));
        }
        figures.extend(self.gradients()?);
        let figures: Vec<(&str, f64)> = figures.iter().map(|(name, value)| (name.as_str(), *value)).collect();
        self.keep(&figures, watch)
    }

    /// Draws the samples of the step just done and returns the images of each sheet; none where they cannot be written, which
    /// is a warning.
    pub(super) fn draw(&mut self, watch: &mut dyn Watch) -> Result<Vec<Vec<f32>>> {
        let drawn = match self.training.save_sheets(&self.folder, self.step) {
            Err(error) => {
                warn(error, "training continues without this sample", watch)?;
                return Ok(Vec::new());
            }
            Ok(drawn) => drawn,
        };
        let path = |sheet: &&str| self.folder.sample_path(self.step, sheet);
        let sheets: Vec<_> = M::SHEETS.iter().map(path).collect();
        watch.sampled(self.step, &sheets);
        let shown = self.show(&sheets);
        shown.or_else(|error| warn(error, "TensorBoard does not show this sample", watch))?;
        Ok(drawn)
    }

    /// Appends the sheets of the step just done to the events.
    fn show(&mut self, sheets: &[PathBuf]) -> Result<()> {
        let Some(events) = &mut self.events else { return Ok(()) };
        for (sheet, path) in M::SHEETS.iter().zip(sheets) {
            let png = fs::read(path).map_err(Error::io(path))?;
            events.sheet(self.step, &format!("samples{}", suffix('/', sheet)), png)?;
        }
        Ok(())
    }

    /// The root mean square of Adam's first moments of each network: of its gradients over the last few updates.
    fn gradients(&mut self) -> Result<Vec<(String, f64)>> {
        let buffers = self.training.model.buffers();
        let trained = self.training.model.trained();
        let of = |Trained { networks, buffers, .. }: Trained<'_>| {
            let sizes =
                networks.iter().map(|(network, _)| (network.name.clone(), network.parameters().len()));
            (buffers.gradient_average(), sizes.collect::<Vec<_>>())
        };
        let trained: Vec<_> = trained.into_iter().map(of).collect();
        let mut figures = Vec::new();
        for (first, networks) in trained {
            let values = self.training.executor.read_state(first)?;
            let mut tensors = 0..buffers[first].tensors.len();
            for (name, count) in networks {
                let own = tensors.by_ref().take(count).flat_map(|index| buffers[first].view(&values, index));
                let (count, sum) = own
                    .fold((0.0, 0.0), |(count, sum), &value| (count + 1.0, sum + f64::from(value).powi(2)));
                figures.push((format!("gradient_{name}"), (sum / count).sqrt()));
            }
        }
        Ok(figures)
    }

    /// Writes a checkpoint of the step just done, whose state has been looked at, and makes room for it first. One that cannot be
    /// written is a warning, unless it is the `last`.
    pub(super) fn save_checkpoint(&mut self, last: bool, watch: &mut dyn Watch) -> Result<()> {
        let keep = self.training.common().intervals().keep;
        // The newest stays until this one is whole.
        self.prune(keep, 1, watch)?;
        let synced = self.metrics.as_ref().map_or(Ok(()), Metrics::sync);
        let synced = synced.and_then(|()| self.events.as_ref().map_or(Ok(()), Events::sync));
        synced.or_else(|error| warn(error, "its end may get lost with the power", watch))?;
        match self.write_checkpoint(&self.folder.checkpoint_path(self.step)) {
            Ok(()) => self.prune(keep, 0, watch),
            Err(problem @ Error::Io { .. }) if last => Err(self.unsaved(&problem)),
            Err(problem) => warn(problem, "training continues without this checkpoint", watch),
        }
    }

    /// Writes the last whole state.
    pub(super) fn write_checkpoint(&self, path: &Path) -> Result<()> {
        let (training, Snapshot { step, buffers }) = (&self.training, &self.snapshot);
        checkpoint::write(path, &training.model, &training.config, &self.names, *step, buffers)?;
        file::sync_name(path);
        Ok(())
    }

    /// Removes checkpoints before this step's so that `keep` are there with it, but at least the newest `stay` of them stay.
    fn prune(&self, keep: usize, stay: usize, watch: &mut dyn Watch) -> Result<()> {
        let Some(before) = keep.checked_sub(1) else { return Ok(()) };
        let pruned = self.folder.prune(self.step, before.max(stay));
        pruned.or_else(|error| warn(error, "an old checkpoint stays", watch))
    }

    /// Keeps the last state elsewhere, if there is room, and tells where.
    fn unsaved(&self, problem: &Error) -> Error {
        let (step, folder, path) = (self.step, self.folder.path(), self.folder.checkpoint_path(self.step));
        let name = folder.file_name().unwrap_or_default().display();
        let name = format!("mewgan-{name}-{step:06}-{}.safetensors", std::process::id());
        let elsewhere = std::env::temp_dir().join(name);
        let kept = match self.write_checkpoint(&elsewhere) {
            Ok(()) => format!("its state is kept as {}: move it to {}", elsewhere.display(), path.display()),
            Err(error) => format!(
                "nor could its state be kept elsewhere ({error}); from the last whole checkpoint on: `resume {}`",
                folder.display()
            ),
        };
        Error::Unsaved { step, problem: problem.to_string(), kept }
    }

    /// Draws the losses, the animations and the page again. What cannot be drawn is a warning: training matters more.
    #[cfg(feature = "report")]
    pub(super) fn save_report(&self, watch: &mut dyn Watch) {
        reporting::redraw::<M>(&self.folder).iter().for_each(|error| watch.warned(&error.to_string()));
    }
}

/// As [`warn`], of a file whose `records` wait while they cannot be written; nothing where that is `told` already.
fn late(written: Result<()>, told: bool, records: &str, watch: &mut dyn Watch) -> Result<()> {
    match written {
        Err(Error::Io { .. }) if told => Ok(()),
        written => {
            written.or_else(|error| warn(error, &format!("its {records} wait until there is room"), watch))
        }
    }
}

/// Makes a file that cannot be written a warning with what follows from it; other errors stay.
fn warn(error: Error, consequence: &str, watch: &mut dyn Watch) -> Result<()> {
    match error {
        Error::Io { .. } => watch.warned(&format!("{error}; {consequence}")),
        other => return Err(other),
    }
    Ok(())
}
