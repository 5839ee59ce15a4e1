//! A run before it starts: what it will be, while nothing is written yet.

use super::{Programs, Setup, Trainer, distributed, memory, networks};
use crate::device::Device;
use crate::ranks::Ranks;
use crate::train::config::{Record, RunConfig};
use crate::train::dataset::{Data, Undecoded, overlaps};
use crate::train::initial::from_files;
use crate::train::model::Model;
use crate::train::preparation::Preparation;
use crate::train::run_folder::RunFolder;
use crate::train::split::Split;
use crate::train::starts::Start;
use crate::{Error, Result};
use std::path::{Path, PathBuf};

/// A run that can start: its images are loaded and its memory is known, but nothing is taken or written yet.
pub struct Plan<M: Model> {
    pub(super) setup: Setup<M>,
    pub(super) place: Place,
    /// The numbers of all state buffers that it begins with, unless they are drawn.
    pub(super) values: Option<Vec<Vec<f32>>>,
    /// What is worth knowing of the run that it goes on with.
    pub(super) notes: Vec<String>,
    /// What its `config.toml` holds beside the settings.
    pub(super) record: Record,
    pub(super) start: Start,
}

/// Where a run is kept.
pub(super) enum Place {
    /// In a folder that is empty or not there, or the next free one under `runs`.
    New(Option<PathBuf>),
    /// In the folder of a run that it replaces.
    Replacing(RunFolder),
    /// In its own folder, where newer checkpoints may be damaged.
    Resumed { folder: RunFolder, damaged: Vec<PathBuf> },
}

impl<M: Model> Plan<M> {
    /// A run in the folder `out`, or in the next free one under `runs`.
    ///
    /// # Errors
    /// If the images, the device or the folder cannot be used, or the run needs more memory than there is.
    pub fn start(config: M::Config, out: Option<&Path>) -> Result<Self> {
        Self::start_distributed(&Ranks::default(), config, out, &())
    }

    /// As [`Plan::start`], among `ranks` that all do the same; `watch` hears how it goes.
    ///
    /// # Errors
    /// As [`Plan::start`], or if the ranks do not agree.
    pub fn start_distributed(
        ranks: &Ranks,
        config: M::Config,
        out: Option<&Path>,
        watch: &dyn Preparation,
    ) -> Result<Self> {
        if let Some(out) = out.filter(|_| ranks.leads()) {
            RunFolder::check_is_free(out)?;
        }
        Self::new(ranks, config, Place::New(out.map(Path::to_path_buf)), None, watch)
    }

    /// As [`Plan::start`], but the run in `folder` is removed once this one is ready.
    ///
    /// # Errors
    /// As [`Plan::start`], or if there is no run in `folder`.
    pub fn replace(config: M::Config, folder: &Path, watch: &dyn Preparation) -> Result<Self> {
        let folder = RunFolder::open(folder)?;
        Self::new(&Ranks::default(), config, Place::Replacing(folder), None, watch)
    }

    /// A run from its beginning, or `after` so many steps that left these numbers in its state buffers. All that can be refused
    /// before images are decoded is.
    pub(super) fn new(
        ranks: &Ranks,
        mut config: M::Config,
        place: Place,
        after: Option<(u64, Vec<Vec<f32>>)>,
        watch: &dyn Preparation,
    ) -> Result<Self> {
        let device = Device::open_as(&config.common().device, ranks.local().0)?
            .with_precision(config.common().precision)?;
        memory::check_networks::<M>(&config, &device, ranks)?;
        let step = after.as_ref().map_or(0, |(step, _)| *step);
        let (device, kept) = match &place {
            Place::Resumed { folder, .. } => (device.pinned(&folder.kernels_path())?, Split::read(folder)?),
            Place::New(_) | Place::Replacing(_) => (device, None),
        };
        let found = Undecoded::new(&M::datasets(&config), config.common(), kept.as_ref())?;
        place.check_goes_on(step, found.total)?;
        let networks = networks::<M>(&config, ranks)?;
        let mut programs = Programs::new::<M>(&config, &found.split, ranks)?;
        let mut needed = memory::of_programs::<M>(&config, &device, &programs.steps(), ranks)?;
        let memory = memory::check::<M>(&config, (&found.split, &[]), &device, needed, ranks)?;
        let mut start = Start {
            after: step,
            version: env!("CARGO_PKG_VERSION").into(),
            device: device.describe(),
            ranks: described(&config, ranks),
            images: Vec::new(),
            networks: networks.describe(),
            memory,
            initial: None,
        };
        start.machine().iter().chain(&overlaps(&M::datasets(&config))).for_each(|line| watch.told(line));
        let notes = notes(kept.as_ref(), &found.split, step, config.common().holdout);
        let data = found.load(&M::datasets(&config), config.common(), watch)?;
        let Data { sets, split, kept, complete, names, lines, total } = data;
        place.check_goes_on(step, total)?;
        config.settle(total);
        let mut record = Record::default();
        record.locate(&config);
        distributed::agree(ranks, &config, &sets, step)?;
        if !complete {
            programs = Programs::new::<M>(&config, &split, ranks)?;
            needed = memory::of_programs::<M>(&config, &device, &programs.steps(), ranks)?;
        }
        // Only now is it known what whole images take.
        start.memory = memory::check::<M>(&config, (&split, &sets), &device, needed, ranks)?;
        let (values, initial) = match after {
            Some((_, values)) => (Some(values), None),
            None => {
                let common = config.common();
                from_files(&networks, &common.init, config.init(), common.seed)?.unzip()
            }
        };
        (start.images, start.initial) = (lines, initial);
        let ranks = ranks.clone();
        let setup = Setup { config, sets, split, kept, names, device, ranks, programs, step, total };
        Ok(Self { setup, place, values, notes, record, start })
    }

    /// The same run with the fastest kernels of its device, unless its settings or what it goes on from say which to take.
    /// `progress` hears of that in lines for people.
    ///
    /// # Errors
    /// If the device fails, or these kernels need more memory than there is.
    pub fn tuned(mut self, progress: &mut dyn FnMut(&str)) -> Result<Self> {
        let Setup { config, sets, split, device, programs, ranks, .. } = &mut self.setup;
        if !config.common().no_tune {
            let steps = programs.steps();
            *device = device.clone().tuned(&steps, progress)?;
            let needed = memory::of_programs::<M>(config, device, &steps, ranks)?;
            self.start.memory = memory::check::<M>(config, (&*split, &*sets), device, needed, ranks)?;
        }
        Ok(self)
    }

    /// What the run begins with, in a few lines; they follow those of [`Preparation::told`].
    pub fn introduction(&self) -> Vec<String> {
        self.start.content()
    }

    /// What it will run on.
    pub fn device(&self) -> &Device {
        &self.setup.device
    }

    /// Takes the memory, makes the folder and writes the first state.
    ///
    /// # Errors
    /// If the device or the folder cannot be used.
    pub fn begin(self) -> Result<Trainer<M>> {
        Trainer::new(self)
    }
}

impl Place {
    /// Refuses to go on with a run that is finished after `step`.
    fn check_goes_on(&self, step: u64, total: u64) -> Result<()> {
        match self {
            Self::Resumed { folder, .. } if step > 0 && total <= step => Err(Error::Input(format!(
                "{0}: finished at step {step} of {total}; to go on, `resume {0}` with a larger `steps`",
                folder.path().display(),
            ))),
            _ => Ok(()),
        }
    }
}

/// How ranks share a batch, where there are several.
fn described(config: &impl RunConfig, ranks: &Ranks) -> Option<String> {
    let (size, batch) = (ranks.size(), config.common().batch);
    let each = match (batch / size, batch.div_ceil(size)) {
        (few, many) if few == many => format!("{few}"),
        (few, many) => format!("{few} or {many}"),
    };
    let norm = if config.common().sync_batch_norm { ", batch norm over all of them" } else { "" };
    (size > 1).then(|| format!("{size} ranks, {each} images of a batch each{norm}"))
}

/// What a run is told of the images that it finds, where it goes on after `step`.
fn notes(kept: Option<&Split>, found: &Split, step: u64, holdout: f64) -> Vec<String> {
    match kept {
        Some(kept) => kept.changes(found).into_iter().map(|change| format!("warning: {change}")).collect(),
        None if step > 0 && holdout > 0.0 => vec![
            "warning: an earlier version began this run and did not keep which images it held out; they are chosen anew, so that \
             some of them were trained on"
                .into(),
        ],
        None => Vec::new(),
    }
}
