//! From a plan to a run that is ready.

use super::finite::Whole;
use super::plan::{Place, Plan};
use super::{Trainer, Training};
use crate::Result;
use crate::report::{self, Metrics};
use crate::train::config::RunConfig;
use crate::train::gallery::Gallery;
use crate::train::log::Clock;
use crate::train::model::Model;
use crate::train::run_folder::RunFolder;
use crate::train::symptoms::Symptoms;
use std::path::Path;

impl<T: Training> Trainer<T> {
    /// Starts a run as [`Plan::start`] has it.
    ///
    /// # Errors
    /// As [`Plan::start`] and [`Plan::begin`].
    pub fn start(config: T::Config, out: Option<&Path>) -> Result<Self> {
        Plan::start(config, out)?.begin()
    }

    /// Goes on with a run as [`Plan::resume`] has it.
    ///
    /// # Errors
    /// As [`Plan::resume`] and [`Plan::begin`].
    pub fn resume(folder: &Path, flags: <T::Config as RunConfig>::Settings) -> Result<Self> {
        Plan::resume(folder, flags)?.begin()
    }

    pub(super) fn new(plan: Plan<T>) -> Result<Self> {
        let Plan { setup, place, .. } = plan;
        let (step, total) = (setup.step, setup.total);
        let sets = setup.sets.clone();
        let (init, seed) = setup.config.start();
        let kernels = setup.device.kernels(&setup.steps);
        let galleries = T::targets(&setup.pictures).into_iter();
        let side = setup.config.batch_and_size().1;
        let galleries = galleries.map(|pictures| Gallery::new(pictures, side)).collect::<Result<Vec<_>>>()?;
        // All that can fail for want of pictures or memory comes before anything is written or removed.
        let training = T::ready(setup)?;
        let initial = |training: &T| training.model().initial(init, seed);
        let (folder, values, notes) = match place {
            Place::New(out) => {
                (RunFolder::create(out.as_deref(), T::Config::KIND)?, initial(&training), Vec::new())
            }
            Place::Replacing(folder) => {
                folder.clear()?;
                let folder = RunFolder::create(Some(folder.path()), T::Config::KIND)?;
                (folder, initial(&training), Vec::new())
            }
            Place::Resumed { folder, values, notes } => (folder, values, notes),
        };
        report::metrics::truncate_after(folder.metrics_path(), step)?;
        let rows = match folder.metrics_path() {
            path if path.is_file() => report::metrics::read(path)?,
            _ => Vec::new(),
        };
        let seconds = rows.iter().rev().find_map(|row| row.values.get("seconds")).copied().unwrap_or(0.0);
        folder.write_config(training.config())?;
        if let Some(kernels) = kernels {
            kernels.write(&folder.kernels_path())?;
        }
        let mut introduction =
            vec![format!("{}: {total} steps of {}", folder.path().display(), training.batch())];
        introduction.extend(notes);
        let mut trainer = Self {
            metrics: Metrics::open(folder.metrics_path())?,
            symptoms: Symptoms::new(&rows),
            clock: Clock::new(seconds, step),
            training,
            sets,
            galleries,
            folder,
            step,
            total,
            introduction,
            whole: Whole { step, banks: values },
        };
        trainer.write_state()?;
        Ok(trainer)
    }
}
