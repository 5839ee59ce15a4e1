//! The training of a DCGAN.

use super::checkpoint::PictureNames;
use super::config::{DcganConfig, RunConfig};
use super::dcgan_steps::{AVERAGE, DISCRIMINATOR, Dcgan, GENERATOR};
use super::draws;
use super::log::Loss;
use super::model::{Model, Trained};
use super::run::{self, Data, Judgement, Setup};
use super::run_folder::RunFolder;
use super::sampling::{BATCH, fixed_noise, save_grid};
use super::source::{Source, total};
use crate::data::{Batching, DiffAugmentDraws, Loader, Pictures, noise};
use crate::executor::Executor;
use crate::graph::{Bank, Step};
use crate::nn::Statistics;
use crate::optim::{Adam, average_decay};
use crate::ranks::{Ranks, Shard};
use crate::{Error, Result};
use std::sync::Arc;

/// Columns of the sample grid.
const COLUMNS: usize = 4;

/// How often the discriminator is right.
const JUDGEMENTS: [Judgement; 2] =
    [("accuracy_real", "errors_real", true), ("accuracy_fake", "errors_fake", false)];

/// A DCGAN's run.
pub type Trainer = run::Trainer<Training>;

/// A DCGAN's run, planned.
pub type Plan = run::Plan<Training>;

/// A DCGAN in training.
pub struct Training {
    config: DcganConfig,
    dcgan: Dcgan,
    executor: Box<dyn Executor>,
    /// The steps of each batch size that occurs.
    batches: Vec<Batch>,
    sampler: usize,
    loader: Loader,
    /// The discriminator's and the generator's step that ran last.
    latest: (usize, usize),
    /// This rank's part of the latest batch.
    shard: Shard,
}

/// The steps of one batch size, by index.
#[derive(Clone, Copy)]
struct Batch {
    pictures: usize,
    /// The discriminator's step without the R1 penalty and with it.
    d: [usize; 2],
    g: usize,
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
        let generator = Trained {
            networks: vec![(&self.generator, "init.g".into())],
            banks: GENERATOR,
            average: self.objective.average.then_some(AVERAGE),
        };
        let networks = vec![(&self.discriminator, "init.d".into())];
        vec![generator, Trained { networks, banks: DISCRIMINATOR, average: None }]
    }
}

impl run::Training for Training {
    type Config = DcganConfig;
    type Model = Dcgan;
    type Pictures = Pictures;
    const SHEETS: &'static [&'static str] = &[""];
    const CURVES: &'static [&'static str] = &["D", "D_real", "D_fake", "G", "R1"];
    const NAME: &'static str = "DCGAN";

    fn networks(config: &DcganConfig, _: &Ranks) -> Result<Dcgan> {
        config.dcgan()
    }

    fn load(config: &DcganConfig) -> Result<Data<Pictures>> {
        let source = Source::load(&config.data, &config.load_options(), config.holdout, &config.batching())?;
        let total = total(config.steps, config.epochs, source.epoch);
        let sets = [("data".to_owned(), PictureNames::new(source.pictures.names()))].into();
        Ok(Data { pictures: source.pictures, total, sets, lines: vec![source.line] })
    }

    fn targets(pictures: &Pictures) -> Vec<&Pictures> {
        vec![pictures]
    }

    fn steps(config: &DcganConfig, pictures: &Pictures, ranks: &Ranks) -> Result<Vec<Step>> {
        let dcgan = config.dcgan()?;
        let mut steps = Vec::new();
        for size in batch_sizes(config, pictures) {
            let shard = config.shard(ranks, size);
            for &penalized in dcgan.objective.r1.variants() {
                steps.push(match penalized {
                    true => dcgan.penalized_discriminator_step(shard)?,
                    false => dcgan.discriminator_step(shard)?,
                });
            }
            steps.push(dcgan.generator_step(shard)?);
        }
        steps.push(dcgan.sampler(BATCH, Statistics::Batch)?);
        Ok(steps)
    }

    fn ready(setup: Setup<Self>) -> Result<Self> {
        let Setup { config, pictures, device, ranks, steps, step, .. } = setup;
        let dcgan = config.dcgan()?;
        let variants = dcgan.objective.r1.variants().len();
        let batch = |(index, pictures)| {
            let first = index * (variants + 1);
            Batch { pictures, d: [first, first + variants - 1], g: first + variants }
        };
        let batches = batch_sizes(&config, &pictures).into_iter().enumerate().map(batch).collect();
        let sampler = steps.len() - 1;
        let executor = device.executor(&dcgan.banks(), steps)?;
        let shard = config.shard(&ranks, config.batch);
        let batching = Batching { rank: (ranks.rank(), ranks.size()), ..config.batching() };
        let loader = Loader::start(Arc::new(pictures), batching, step)?;
        Ok(Self { config, dcgan, executor, batches, sampler, loader, latest: (0, 1), shard })
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

    fn go_to(&mut self, step: u64) -> Result<()> {
        self.loader.go_to(step)
    }

    /// The discriminator's step when it is due, then the generator's.
    fn iterate(&mut self, t: u64) -> Result<()> {
        let batch = self.loader.next_batch()?;
        let Batch { d, g, .. } = self.steps_of(batch.count)?;
        let (shard, config) = (batch.shard, &self.config);
        let draw = |purpose| {
            let all = noise(config.noise, config.seed, purpose, t, batch.count * config.noise_size);
            shard.slice(&all).to_vec()
        };
        let rates = |adam: &Adam, update| adam.rates(update).map(|rate| rate as f32);
        let objective = self.dcgan.objective;
        let own = if objective.fresh_noise { "noise.g" } else { "noise.d" };
        let due = t.is_multiple_of(self.config.d_every);
        let update = t / self.config.d_every;
        let d = d[usize::from(objective.r1.is_due(update))];
        if due {
            self.executor.write_input(d, "real", &batch.images)?;
            self.executor.write_input(d, "noise", &draw("noise.d"))?;
            self.executor.write_input(d, "rates", &rates(&objective.d_adam, update))?;
        }
        self.executor.write_input(g, "noise", &draw(own))?;
        self.executor.write_input(g, "rates", &rates(&objective.g_adam, t))?;
        if objective.average {
            self.executor.write_input(g, "decay", &[average_decay(self.config.average, t) as f32])?;
        }
        if due {
            self.write_draws(d, "real", "diff.d.real", t, shard)?;
            self.write_draws(d, "fake", "diff.d.fake", t, shard)?;
        }
        self.write_draws(g, "fake", "diff.g.fake", t, shard)?;
        let both = [d, g];
        self.executor.run(if due { &both } else { &both[1..] })?;
        (self.latest, self.shard) = ((d, g), shard);
        Ok(())
    }

    fn losses(&mut self, t: u64) -> Result<Vec<Loss>> {
        let (d, g) = self.latest;
        let due = t.is_multiple_of(self.config.d_every);
        let r1 = self.dcgan.objective.r1;
        let penalized = due && r1.is_due(t / self.config.d_every);
        let mut losses = vec![
            ("D", d, true, due),
            ("D_real", d, false, due),
            ("D_fake", d, false, due),
            ("G", g, true, true),
        ];
        if r1.weight > 0.0 {
            losses.push(("R1", d, true, penalized));
        }
        let read = |(name, step, shown, measured)| {
            let value = if measured { Some(run::scalar(&mut *self.executor, step, name)?) } else { None };
            Ok(Loss { name, value, shown })
        };
        let mut losses = losses.into_iter().map(read).collect::<Result<Vec<_>>>()?;
        for judgement in JUDGEMENTS.into_iter().filter(|_| due) {
            losses.push(run::accuracy(&mut *self.executor, d, self.dcgan.objective.loss, judgement)?);
        }
        Ok(losses)
    }

    fn shard(&self) -> Shard {
        self.shard
    }

    /// Draws the fixed noises' pictures.
    fn save_sample(&mut self, folder: &RunFolder, step: u64) -> Result<Vec<Vec<f32>>> {
        let noise = fixed_noise(&self.config, self.config.seed, BATCH);
        self.executor.write_input(self.sampler, "noise", &noise)?;
        self.executor.run(&[self.sampler])?;
        let pictures = self.executor.read_output(self.sampler, "pictures")?;
        save_grid(&pictures, &self.config, COLUMNS, &folder.sample_path(step, ""))?;
        Ok(vec![pictures])
    }

    fn next(folder: &RunFolder) -> (&'static str, String) {
        ("draw more", format!("mewgan sample {} --count 64 --out sheet.png", folder.path().display()))
    }
}

impl Training {
    /// DiffAugment's draws for step `t`.
    fn write_draws(&mut self, step: usize, source: &str, purpose: &str, t: u64, shard: Shard) -> Result<()> {
        let policy = self.dcgan.objective.diffaugment;
        if !draws::in_use(policy) {
            return Ok(());
        }
        let drawn = DiffAugmentDraws::new(self.config.seed, purpose, t, shard, self.config.size);
        draws::write(&mut *self.executor, step, source, policy, &drawn)
    }

    /// The steps for a batch size.
    fn steps_of(&self, count: usize) -> Result<Batch> {
        let found = self.batches.iter().find(|batch| batch.pictures == count);
        found.copied().ok_or_else(|| {
            Error::Input(format!("a batch of {count} pictures, which none of this run's steps takes"))
        })
    }
}
