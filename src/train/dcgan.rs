//! The training of a DCGAN.

use super::checkpoint::PictureNames;
use super::config::DcganConfig;
use super::dcgan_steps::{DISCRIMINATOR, Dcgan, GENERATOR};
use super::draws;
use super::log::Loss;
use super::model::{Model, Trained};
use super::run::{self, Data, Setup};
use super::run_folder::RunFolder;
use super::sampling::{BATCH, fixed_noise, save_grid};
use super::source::{Source, total};
use crate::data::{DiffAugmentDraws, Loader, Pictures, noise};
use crate::executor::Executor;
use crate::graph::{Bank, Step};
use crate::nn::Statistics;
use crate::optim::Adam;
use crate::{Error, Result};
use std::sync::Arc;

/// Columns of the sample grid.
const COLUMNS: usize = 4;

/// A DCGAN's run.
pub type Trainer = run::Trainer<Training>;

/// A DCGAN's run, planned.
pub type Plan = run::Plan<Training>;

/// A DCGAN in training.
pub struct Training {
    config: DcganConfig,
    dcgan: Dcgan,
    executor: Box<dyn Executor>,
    /// The steps of each batch size that occurs: its pictures, then the indices of discriminator and generator step.
    batches: Vec<(usize, usize, usize)>,
    sampler: usize,
    loader: Loader,
    /// The discriminator's and the generator's step that ran last.
    latest: (usize, usize),
}

/// The sizes of batches that occur: the usual one, and that of an epoch's short last one.
fn batch_sizes(config: &DcganConfig, pictures: &Pictures) -> Vec<usize> {
    let short = pictures.len() % config.batch;
    let mut sizes = vec![config.batch];
    if short > 0 && !config.drop_last {
        sizes.push(short);
    }
    sizes
}

impl Model for Dcgan {
    fn banks(&self) -> Vec<Bank> {
        self.banks()
    }

    fn trained(&self) -> Vec<Trained<'_>> {
        [(&self.generator, "init.g", GENERATOR), (&self.discriminator, "init.d", DISCRIMINATOR)]
            .map(|(network, purpose, banks)| Trained {
                networks: vec![(network, purpose)],
                banks,
                average: None,
            })
            .into()
    }
}

impl run::Training for Training {
    type Config = DcganConfig;
    type Model = Dcgan;
    type Pictures = Pictures;
    const SHEETS: &'static [&'static str] = &[""];
    const CURVES: &'static [&'static str] = &["D", "D_real", "D_fake", "G"];
    const TITLE: &'static str = "DCGAN losses";

    fn networks(config: &DcganConfig) -> Result<Dcgan> {
        config.dcgan()
    }

    fn load(config: &DcganConfig) -> Result<Data<Pictures>> {
        let source = Source::load(&config.data, &config.load_options(), config.holdout, &config.batching())?;
        let total = total(config.steps, config.epochs, source.epoch);
        let sets = [("data".to_owned(), PictureNames::new(source.pictures.names()))].into();
        Ok(Data { pictures: source.pictures, total, sets, lines: vec![source.line] })
    }

    fn steps(config: &DcganConfig, pictures: &Pictures) -> Result<Vec<Step>> {
        let dcgan = config.dcgan()?;
        let mut steps = Vec::new();
        for size in batch_sizes(config, pictures) {
            steps.extend([dcgan.discriminator_step(size)?, dcgan.generator_step(size)?]);
        }
        steps.push(dcgan.sampler(BATCH, Statistics::Batch)?);
        Ok(steps)
    }

    fn ready(setup: Setup<Self>) -> Result<Self> {
        let Setup { config, pictures, device, steps, step, .. } = setup;
        let dcgan = config.dcgan()?;
        let sizes = batch_sizes(&config, &pictures).into_iter().enumerate();
        let batches = sizes.map(|(index, size)| (size, 2 * index, 2 * index + 1)).collect();
        let sampler = steps.len() - 1;
        let executor = device.executor(&dcgan.banks(), steps)?;
        let loader = Loader::start(Arc::new(pictures), config.batching(), step)?;
        Ok(Self { config, dcgan, executor, batches, sampler, loader, latest: (0, 1) })
    }

    fn config(&self) -> &DcganConfig {
        &self.config
    }

    fn model(&self) -> &Dcgan {
        &self.dcgan
    }

    fn executor(&mut self) -> &mut dyn Executor {
        &mut *self.executor
    }

    fn describe(model: &Dcgan) -> String {
        format!(
            "generator {} parameters, discriminator {}",
            model.generator.parameter_count(),
            model.discriminator.parameter_count()
        )
    }

    fn batch(&self) -> String {
        format!("{} pictures", self.config.batch)
    }

    /// The discriminator's step when it is due, then the generator's.
    fn iterate(&mut self, t: u64) -> Result<()> {
        let batch = self.loader.next_batch()?;
        let (d, g) = self.steps_of(batch.count)?;
        let count = batch.count;
        let draw =
            |purpose| noise(self.config.noise, self.config.seed, purpose, t, count * self.config.noise_size);
        let rates = |adam: &Adam, update| adam.rates(update).map(|rate| rate as f32);
        let objective = self.dcgan.objective;
        let own = if objective.fresh_noise { "noise.g" } else { "noise.d" };
        let due = t.is_multiple_of(self.config.d_every);
        if due {
            let update = t / self.config.d_every;
            self.executor.write_input(d, "real", &batch.images)?;
            self.executor.write_input(d, "noise", &draw("noise.d"))?;
            self.executor.write_input(d, "rates", &rates(&objective.d_adam, update))?;
        }
        self.executor.write_input(g, "noise", &draw(own))?;
        self.executor.write_input(g, "rates", &rates(&objective.g_adam, t))?;
        if due {
            self.write_draws(d, "real", "diff.d.real", t, count)?;
            self.write_draws(d, "fake", "diff.d.fake", t, count)?;
        }
        self.write_draws(g, "fake", "diff.g.fake", t, count)?;
        let both = [d, g];
        self.executor.run(if due { &both } else { &both[1..] })?;
        self.latest = (d, g);
        Ok(())
    }

    fn losses(&mut self, t: u64) -> Result<Vec<Loss>> {
        let (d, g) = self.latest;
        let due = t.is_multiple_of(self.config.d_every);
        [("D", d, true), ("D_real", d, false), ("D_fake", d, false), ("G", g, true)]
            .into_iter()
            .map(|(name, index, shown)| {
                let measured = index == g || due;
                let value =
                    if measured { Some(run::scalar(&mut *self.executor, index, name)?) } else { None };
                Ok(Loss { name, value, shown })
            })
            .collect()
    }

    /// Draws the fixed noises' pictures.
    fn save_sample(&mut self, folder: &RunFolder, step: u64) -> Result<()> {
        let noise = fixed_noise(&self.config, self.config.seed, BATCH);
        self.executor.write_input(self.sampler, "noise", &noise)?;
        self.executor.run(&[self.sampler])?;
        let pictures = self.executor.read_output(self.sampler, "pictures")?;
        save_grid(&pictures, &self.config, COLUMNS, &folder.sample_path(step, ""))
    }

    fn farewell(folder: &RunFolder) -> String {
        let path = folder.path().display();
        format!("draw more with: mewgpu sample {path} --count 64 --out sheet.png")
    }
}

impl Training {
    /// DiffAugment's draws for step `t`.
    fn write_draws(&mut self, step: usize, source: &str, purpose: &str, t: u64, count: usize) -> Result<()> {
        let policy = self.dcgan.objective.diffaugment;
        if !draws::in_use(policy) {
            return Ok(());
        }
        let drawn = DiffAugmentDraws::new(self.config.seed, purpose, t, count, self.config.size);
        draws::write(&mut *self.executor, step, source, policy, &drawn)
    }

    /// The indices of both steps for a batch size.
    fn steps_of(&self, count: usize) -> Result<(usize, usize)> {
        let found = self.batches.iter().find(|(size, ..)| *size == count);
        found.map(|&(_, d, g)| (d, g)).ok_or_else(|| {
            Error::Input(format!("a batch of {count} pictures, which none of this run's steps takes"))
        })
    }
}
