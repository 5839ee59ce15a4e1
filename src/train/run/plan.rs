//! A run before it starts: what it will be, while nothing is written yet.

use super::{Programs, Setup, Trainer, distributed, memory, networks};
use crate::Result;
use crate::device::Device;
use crate::ranks::Ranks;
use crate::train::config::{Record, RunConfig};
use crate::train::dataset::Data;
use crate::train::initial::from_files;
use crate::train::model::Model;
use crate::train::run_folder::RunFolder;
use crate::train::starts::Start;
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
        Self::start_distributed(&Ranks::default(), config, out)
    }

    /// As [`Plan::start`], among `ranks` that all do the same.
    ///
    /// # Errors
    /// As [`Plan::start`], or if the ranks do not agree.
    pub fn start_distributed(ranks: &Ranks, config: M::Config, out: Option<&Path>) -> Result<Self> {
        if let Some(out) = out.filter(|_| ranks.leads()) {
            RunFolder::check_is_free(out)?;
        }
        let (device, data) = Self::load(&config, ranks)?;
        Self::new(ranks, config, device, data, Place::New(out.map(Path::to_path_buf)), None)
    }

    /// As [`Plan::start`], but the run in `folder` is removed once this one is ready.
    ///
    /// # Errors
    /// As [`Plan::start`], or if there is no run in `folder`.
    pub fn replace(config: M::Config, folder: &Path) -> Result<Self> {
        let folder = RunFolder::open(folder)?;
        let ranks = Ranks::default();
        let (device, data) = Self::load(&config, &ranks)?;
        Self::new(&ranks, config, device, data, Place::Replacing(folder), None)
    }

    /// The device and the images.
    pub(super) fn load(config: &M::Config, ranks: &Ranks) -> Result<(Device, Data)> {
        let device = Device::open_as(&config.common().device, ranks.local().0)?;
        memory::check_networks::<M>(config, &device, ranks)?;
        Ok((device, Data::load(&M::datasets(config), config.common())?))
    }

    /// A run from its beginning, or `after` so many steps that left these numbers in its state buffers.
    pub(super) fn new(
        ranks: &Ranks,
        mut config: M::Config,
        device: Device,
        data: Data,
        place: Place,
        after: Option<(u64, Vec<Vec<f32>>)>,
    ) -> Result<Self> {
        let Data { sets, names, lines, total } = data;
        let step = after.as_ref().map_or(0, |(step, _)| *step);
        config.settle(total);
        let mut record = Record::default();
        record.locate(&config);
        distributed::agree(ranks, &config, &sets, step)?;
        let programs = Programs::new::<M>(&config, &sets, ranks)?;
        let device = match &place {
            Place::Resumed { folder, .. } => device.pinned(&folder.kernels_path())?,
            Place::New(_) | Place::Replacing(_) => device,
        };
        let memory = memory::check::<M>(&config, &sets, &device, &programs.steps(), ranks)?;
        let networks = networks::<M>(&config, ranks)?;
        let (values, initial) = match after {
            Some((_, values)) => (Some(values), None),
            None => {
                let common = config.common();
                from_files(&networks, &common.init, config.init(), common.seed)?.unzip()
            }
        };
        let start = Start {
            after: step,
            version: env!("CARGO_PKG_VERSION").into(),
            device: device.describe(),
            ranks: described(&config, ranks),
            images: lines,
            networks: networks.describe(),
            memory,
            initial,
        };
        let ranks = ranks.clone();
        let setup = Setup { config, sets, names, device, ranks, programs, step, total };
        Ok(Self { setup, place, values, notes: Vec::new(), record, start })
    }

    /// The same run with the fastest kernels of its device, unless its settings or what it goes on from say which to take.
    /// `progress` hears of that in lines for people.
    ///
    /// # Errors
    /// If the device fails, or these kernels need more memory than there is.
    pub fn tuned(mut self, progress: &mut dyn FnMut(&str)) -> Result<Self> {
        let Setup { config, sets, device, programs, ranks, .. } = &mut self.setup;
        if !config.common().no_tune {
            let steps = programs.steps();
            *device = device.clone().tuned(&steps, progress)?;
            self.start.memory = memory::check::<M>(config, sets, device, &steps, ranks)?;
        }
        Ok(self)
    }

    /// What the run is, in a few lines: the device first.
    pub fn introduction(&self) -> Vec<String> {
        self.start.lines()
    }

    /// Who trains together.
    pub fn ranks(&self) -> &Ranks {
        &self.setup.ranks
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
