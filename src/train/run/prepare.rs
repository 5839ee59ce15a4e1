//! From a plan to a run that is ready.

use super::Trainer;
use super::finite::Snapshot;
use super::iteration::Training;
use super::plan::{Place, Plan};
use crate::Result;
use crate::ranks::Ranks;
use crate::report::{Events, Metrics};
use crate::train::config::RunConfig;
use crate::train::diagnostics::Diagnostics;
use crate::train::gallery::Gallery;
use crate::train::log::Clock;
use crate::train::model::Model;
use crate::train::run_folder::RunFolder;
use crate::train::starts;
use std::path::Path;
use std::sync::Arc;

impl<M: Model> Trainer<M> {
    /// Starts a run as [`Plan::start`] has it.
    ///
    /// # Errors
    /// As [`Plan::start`] and [`Plan::begin`].
    pub fn start(config: M::Config, out: Option<&Path>) -> Result<Self> {
        Plan::start(config, out)?.begin()
    }

    /// Goes on with a run as [`Plan::resume`] has it.
    ///
    /// # Errors
    /// As [`Plan::resume`] and [`Plan::begin`].
    pub fn resume(folder: &Path, flags: <M::Config as RunConfig>::Settings) -> Result<Self> {
        Plan::resume(folder, flags)?.begin()
    }

    pub(super) fn new(plan: Plan<M>) -> Result<Self> {
        let Plan { setup, place, values, notes, record, start } = plan;
        let kept = setup.kept.clone();
        let (step, total) = (setup.step, setup.total);
        let (names, ranks) = (setup.names.clone(), setup.ranks.clone());
        let (draw, seed, side) =
            (setup.config.init(), setup.config.common().seed, setup.config.common().size);
        let kernels = setup.device.kernels(&setup.programs.steps());
        let like = setup.programs.like().map(|set| &setup.sets[set].images);
        let galleries = like.map(|images| Gallery::new(images, side)).collect::<Result<Vec<_>>>()?;
        // All that can fail for want of images or memory comes before anything is written or removed.
        let mut training = Training::<M>::new(setup)?;
        training.executor.join(&ranks);
        let mut values = values.unwrap_or_else(|| training.model.initial(draw, seed));
        let (mut held, mut metrics, mut events, mut rows) = (None, None, None, Vec::new());
        let folder = place.folder(M::Config::KIND, &ranks)?;
        if ranks.leads() {
            held = folder.lock()?;
            place.clear(&folder)?;
            folder.prepare(&training.config, &record)?;
            kept.write(&folder)?;
            starts::add(&folder, start)?;
            if let Some(kernels) = kernels {
                kernels.write(&folder.kernels_path())?;
            }
            let (opened, before) = Metrics::open(folder.metrics_path(), step)?;
            (metrics, rows) = (Some(opened), before);
            let created = training.common().has_events().then(|| Events::create(folder.path(), step));
            events = created.transpose()?;
        }
        for buffer in training.model.state() {
            ranks.broadcast(&mut values[buffer]);
        }
        let seconds = rows.iter().rev().find_map(|row| row.values.get("seconds")).copied().unwrap_or(0.0);
        let mut introduction =
            vec![format!("{}: {total} steps of {}", folder.path().display(), training.batch())];
        introduction.extend(notes);
        let mut trainer = Self {
            metrics,
            events,
            diagnostics: Diagnostics::new(&rows),
            clock: Clock::new(seconds, step),
            training,
            names,
            galleries,
            folder,
            ranks,
            _held: held,
            step,
            total,
            introduction,
            snapshot: Snapshot { step, buffers: values },
            save: Arc::default(),
        };
        trainer.write_state()?;
        Ok(trainer)
    }
}

impl Place {
    /// The run's folder, made by rank 0 where there is none.
    fn folder(&self, kind: &str, ranks: &Ranks) -> Result<RunFolder> {
        match self {
            Self::New(out) if ranks.leads() => {
                let folder = RunFolder::create(out.as_deref(), kind)?;
                ranks.broadcast_text(folder.path().display().to_string());
                Ok(folder)
            }
            Self::New(_) => Ok(RunFolder::named(ranks.broadcast_text(String::new()).as_ref())),
            Self::Replacing(folder) | Self::Resumed { folder, .. } => Ok(folder.clone()),
        }
    }

    /// Takes out of the way what is in `folder` and not part of the run.
    fn clear(self, folder: &RunFolder) -> Result<()> {
        match self {
            Self::New(_) => Ok(()),
            Self::Replacing(_) => folder.clear(),
            Self::Resumed { damaged, .. } => {
                damaged.iter().try_for_each(|checkpoint| folder.quarantine(checkpoint))
            }
        }
    }
}
