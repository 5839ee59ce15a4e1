//! A run before it starts: what it will be, while nothing is written yet.

use super::{Data, Setup, Trainer, Training, memory};
use crate::device::Device;
use crate::train::checkpoint::{Checkpoint, PictureNames};
use crate::train::config::RunConfig;
use crate::train::run_folder::RunFolder;
use crate::{Error, Result};
use std::path::{Path, PathBuf};

/// A run that can start: its pictures are loaded and its memory is known, but nothing is taken or written yet.
pub struct Plan<T: Training> {
    pub(super) setup: Setup<T>,
    pub(super) place: Place,
    introduction: Vec<String>,
}

/// Where a run is kept.
pub(super) enum Place {
    /// In a folder that is empty or not there, or the next free one under `runs`.
    New(Option<PathBuf>),
    /// In the folder of a run that it replaces.
    Replacing(RunFolder),
    /// In its own folder, with the numbers of all banks; notes say what is worth knowing.
    Resumed { folder: RunFolder, values: Vec<Vec<f32>>, notes: Vec<String> },
}

impl<T: Training> Plan<T> {
    /// A run in the folder `out`, or in the next free one under `runs`.
    ///
    /// # Errors
    /// If the pictures, the device or the folder cannot be used, or the run needs more memory than there is.
    pub fn start(config: T::Config, out: Option<&Path>) -> Result<Self> {
        if let Some(out) = out {
            RunFolder::check_is_free(out)?;
        }
        let (device, data) = Self::load(&config)?;
        Self::new(config, device, data, 0, Place::New(out.map(Path::to_path_buf)))
    }

    /// As [`Plan::start`], but the run in `folder` is removed once this one is ready.
    ///
    /// # Errors
    /// As [`Plan::start`], or if there is no run in `folder`.
    pub fn replace(config: T::Config, folder: &Path) -> Result<Self> {
        let folder = RunFolder::open(folder)?;
        let (device, data) = Self::load(&config)?;
        Self::new(config, device, data, 0, Place::Replacing(folder))
    }

    /// The run in `folder` from its newest whole checkpoint on, with its settings replaced by `flags`.
    ///
    /// # Errors
    /// If it is no run of this kind, has no checkpoint that can be used, or is finished already.
    pub fn resume(folder: &Path, flags: <T::Config as RunConfig>::Settings) -> Result<Self> {
        let folder = RunFolder::open(folder)?;
        let config = T::Config::from_file(&folder.config_path(), flags)?;
        let (checkpoint, damaged) = newest_whole(&folder, T::Config::KIND)?;
        checkpoint.expect_kind(T::Config::KIND)?;
        let values = checkpoint.banks(&T::networks(&config)?)?;
        let step = checkpoint.step();
        let (device, data) = Self::load(&config)?;
        if data.total <= step {
            return Err(Error::Input(format!(
                "{0}: finished at step {step} of {1}; to go on, pass a larger total: mewgpu resume {0} --steps N",
                folder.path().display(),
                data.total
            )));
        }
        let damaged = damaged.into_iter().map(|error| format!("left out a damaged checkpoint: {error}"));
        let changed = data.sets.iter().filter_map(|(name, now)| {
            let before = checkpoint.sets().get(name).filter(|before| *before != now)?;
            Some(changed(name, before, now))
        });
        let notes = damaged.chain(changed).chain([format!("goes on after step {step}")]).collect();
        Self::new(config, device, data, step, Place::Resumed { folder, values, notes })
    }

    /// The device and the pictures.
    fn load(config: &T::Config) -> Result<(Device, Data<T::Pictures>)> {
        let device = Device::open(config.device())?;
        memory::check_networks::<T>(config, &device)?;
        Ok((device, T::load(config)?))
    }

    fn new(
        mut config: T::Config,
        device: Device,
        data: Data<T::Pictures>,
        step: u64,
        place: Place,
    ) -> Result<Self> {
        let Data { pictures, total, sets, lines } = data;
        config.settle(total);
        let steps = T::steps(&config, &pictures)?;
        let device = match &place {
            Place::Resumed { folder, .. } => device.pinned(&folder.kernels_path())?,
            Place::New(_) | Place::Replacing(_) => device,
        };
        let memory = memory::check::<T>(&config, &pictures, &device, &steps)?;
        let mut introduction = vec![device.describe()];
        introduction.extend(lines);
        let networks = T::describe(&T::networks(&config)?);
        introduction.push(format!("{networks}, {memory} MiB of memory"));
        Ok(Self { setup: Setup { config, pictures, sets, device, steps, step, total }, place, introduction })
    }

    /// The same run with the fastest kernels of its device, unless its settings or what it goes on from say which to take.
    /// `progress` hears of that in lines for people.
    ///
    /// # Errors
    /// If the device fails, or these kernels need more memory than there is.
    pub fn tuned(mut self, progress: &mut dyn FnMut(&str)) -> Result<Self> {
        let Setup { config, pictures, device, steps, .. } = &mut self.setup;
        if config.tunes() {
            *device = device.clone().tuned(steps, progress)?;
            memory::check::<T>(config, pictures, device, steps)?;
        }
        Ok(self)
    }

    /// What the run is, in a few lines: the device first.
    pub fn introduction(&self) -> &[String] {
        &self.introduction
    }

    /// Takes the memory, makes the folder and writes the first state.
    ///
    /// # Errors
    /// If the device or the folder cannot be used.
    pub fn begin(self) -> Result<Trainer<T>> {
        Trainer::new(self)
    }
}

/// What a run is told whose set of pictures is another than before.
fn changed(name: &str, before: &PictureNames, now: &PictureNames) -> String {
    let counts = match before.count == now.count {
        true => format!("{} pictures of other names", now.count),
        false => format!("{} pictures, {} before", now.count, before.count),
    };
    format!(
        "warning: the set {name} has changed ({counts}); pictures come in another order than in an uninterrupted run"
    )
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
