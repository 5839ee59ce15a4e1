//! From settings or a checkpoint to a run that is ready.

use super::Trainer;
use crate::data::{Loader, Pictures};
use crate::device::Device;
use crate::executor::Executor;
use crate::nn::Statistics;
use crate::random::stream;
use crate::report::{self, Metrics};
use crate::train::checkpoint::Checkpoint;
use crate::train::config::{DcganConfig, DcganSettings};
use crate::train::dcgan_steps::{DISCRIMINATOR, Dcgan, GENERATOR};
use crate::train::log::Clock;
use crate::train::run_folder::RunFolder;
use crate::train::sampling::BATCH;
use crate::{Error, Result};
use std::path::Path;
use std::sync::Arc;

/// The pictures to train on and what follows from how many they are.
struct Data {
    pictures: Pictures,
    /// The run's last step.
    total: u64,
    /// What they are, in a line.
    line: String,
}

/// All that can fail for want of pictures or memory, before anything is written.
struct Ready {
    device: Device,
    config: DcganConfig,
    data: Data,
    dcgan: Dcgan,
    executor: Box<dyn Executor>,
    batches: Vec<(usize, usize, usize)>,
    sampler: usize,
}

impl Trainer {
    /// Starts a run in the folder `out`, or in the next free one under `runs`.
    ///
    /// # Errors
    /// If the pictures, the device or the folder cannot be used.
    pub fn start(config: DcganConfig, out: Option<&Path>) -> Result<Self> {
        let data = Data::load(&config)?;
        let ready = Ready::new(config, data)?;
        let mut trainer = ready.into_trainer(RunFolder::create(out, "dcgan")?, 0, 0.0)?;
        trainer.initialise()?;
        Ok(trainer)
    }

    /// Goes on with the run in `folder` from its newest whole checkpoint, with its settings replaced by `flags`.
    ///
    /// # Errors
    /// If it is no run, has no checkpoint that can be used, or is finished already.
    pub fn resume(folder: &Path, flags: DcganSettings) -> Result<Self> {
        let folder = RunFolder::open(folder)?;
        let config = folder.read_config(flags)?;
        let (checkpoint, damaged) = newest_whole(&folder)?;
        let banks = checkpoint.banks(&config.dcgan()?)?;
        let step = checkpoint.step();
        let data = Data::load(&config)?;
        let total = data.total;
        if total <= step {
            return Err(Error::Input(format!(
                "{0}: finished at step {step} of {total}; to go on, pass a larger total: mewgpu resume {0} --steps N",
                folder.path().display()
            )));
        }
        let ready = Ready::new(config, data)?;
        report::metrics::truncate_after(folder.metrics_path(), step)?;
        let rows = match folder.metrics_path() {
            path if path.is_file() => report::metrics::read(path)?,
            _ => Vec::new(),
        };
        let seconds = rows.last().and_then(|row| row.values.get("seconds")).copied().unwrap_or(0.0);
        let mut trainer = ready.into_trainer(folder, step, seconds)?;
        for of in [GENERATOR, DISCRIMINATOR] {
            for bank in [of.parameters, of.running, of.first, of.second] {
                trainer.executor.write_bank(bank, &banks[bank])?;
            }
        }
        let notes = damaged.into_iter().map(|error| format!("left out a damaged checkpoint: {error}"));
        trainer.introduction.extend(notes);
        trainer.introduction.push(format!("goes on after step {step}"));
        Ok(trainer)
    }

    fn initialise(&mut self) -> Result<()> {
        let (seed, init) = (self.config.seed, self.config.init);
        let banks = self.dcgan.banks();
        let networks = [
            (&self.dcgan.generator, GENERATOR, "init.g"),
            (&self.dcgan.discriminator, DISCRIMINATOR, "init.d"),
        ];
        for (network, of, purpose) in networks {
            for (bank, tensors) in [(of.parameters, network.parameters()), (of.running, network.running())] {
                let mut values = vec![0.0; banks[bank].len];
                for (index, tensor) in tensors.iter().enumerate() {
                    let drawn = init.draw(tensor, &mut stream(seed, purpose, index as u64));
                    banks[bank].view_mut(&mut values, index).copy_from_slice(&drawn);
                }
                self.executor.write_bank(bank, &values)?;
            }
        }
        Ok(())
    }
}

impl Ready {
    fn new(mut config: DcganConfig, data: Data) -> Result<Self> {
        let device = Device::open(&config.device)?;
        (config.steps, config.epochs) = (Some(data.total), None);
        let dcgan = config.dcgan()?;
        let short = data.pictures.len() % config.batch;
        let mut sizes = vec![config.batch];
        if short > 0 && !config.drop_last {
            sizes.push(short);
        }
        let (mut steps, mut batches) = (Vec::new(), Vec::new());
        for size in sizes {
            batches.push((size, steps.len(), steps.len() + 1));
            steps.extend([dcgan.discriminator_step(size)?, dcgan.generator_step(size)?]);
        }
        let sampler = steps.len();
        steps.push(dcgan.sampler(BATCH, Statistics::Batch)?);
        let executor = device.executor(&dcgan.banks(), steps)?;
        Ok(Self { device, config, data, dcgan, executor, batches, sampler })
    }

    /// A trainer at `step`, after `seconds` of training, that keeps its files in `folder`.
    fn into_trainer(self, folder: RunFolder, step: u64, seconds: f64) -> Result<Trainer> {
        let Self { device, config, data, dcgan, executor, batches, sampler } = self;
        let Data { pictures, total, line } = data;
        folder.write_config(&config)?;
        let introduction = vec![
            device.describe(),
            line,
            format!(
                "generator {} parameters, discriminator {}, {} MiB of memory",
                dcgan.generator.parameter_count(),
                dcgan.discriminator.parameter_count(),
                executor.bytes().div_ceil(1 << 20)
            ),
            format!("{}: {total} steps of {} pictures", folder.path().display(), config.batch),
        ];
        Ok(Trainer {
            loader: Loader::start(Arc::new(pictures), config.batching(), step)?,
            metrics: Metrics::open(folder.metrics_path())?,
            clock: Clock::new(seconds, step),
            config,
            folder,
            dcgan,
            executor,
            batches,
            sampler,
            step,
            total,
            latest: (0, 1),
            introduction,
        })
    }
}

impl Data {
    fn load(config: &DcganConfig) -> Result<Self> {
        let loaded = Pictures::load(&config.data, &config.load_options())?;
        let (pictures, held_out) = loaded.pictures.split(config.holdout, config.seed)?;
        let count = pictures.len();
        if count < config.batch {
            return Err(Error::Input(format!(
                "{}: {count} pictures are fewer than a batch of {}; pass --batch {count} or less, or more pictures",
                config.data, config.batch
            )));
        }
        let epoch = config.batching().steps_per_epoch(count)?;
        let total = config.steps.unwrap_or_else(|| config.epochs.unwrap_or(1).saturating_mul(epoch));
        let mut line =
            format!("{}: {count} pictures at {1}x{1}, {epoch} steps an epoch", config.data, config.size);
        if !held_out.is_empty() {
            line += &format!(", {} held out", held_out.len());
        }
        if let [(path, problem), ..] = &loaded.skipped[..] {
            let skipped = loaded.skipped.len();
            line += &format!(", {skipped} skipped (the first: {}, {problem})", path.display());
        }
        Ok(Self { pictures, total, line })
    }
}

/// The newest checkpoint that can be read, and what is wrong with newer ones.
fn newest_whole(folder: &RunFolder) -> Result<(Checkpoint, Vec<Error>)> {
    let mut damaged = Vec::new();
    for (_, path) in folder.checkpoints()?.into_iter().rev() {
        match Checkpoint::open(&path) {
            Ok(checkpoint) => return Ok((checkpoint, damaged)),
            Err(error) => damaged.push(error),
        }
    }
    Err(damaged.into_iter().next().unwrap_or_else(|| {
        Error::Input(format!(
            "{}: it has no checkpoint to go on from; start it again with: mewgpu train dcgan --config {}",
            folder.path().display(),
            folder.config_path().display()
        ))
    }))
}
