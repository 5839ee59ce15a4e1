//! The training of a CycleGAN.

mod pool;
mod sheets;

pub use pool::PoolDraws;

use super::checkpoint::PictureNames;
use super::config::{CycleGanConfig, RunConfig};
use super::cyclegan_steps::{AVERAGES, CycleGan, DISCRIMINATORS, Domain, GENERATORS, POOLS, Updates};
use super::draws;
use super::log::Loss;
use super::model::{Model, Trained};
use super::run::{self, Data, Judgement, Setup};
use super::run_folder::{RunFolder, SHEETS};
use super::source::{Source, total};
use crate::data::{Batching, DiffAugmentDraws, Loader, Pictures};
use crate::executor::Executor;
use crate::graph::{Bank, Step};
use crate::nn::Network;
use crate::optim::{Adam, average_decay};
use crate::ranks::{Ranks, Shard};
use crate::{Error, Result};
use sheets::Sheet;
use std::sync::Arc;

/// A CycleGAN's run.
pub type Trainer = run::Trainer<Training>;

/// A CycleGAN's run, planned.
pub type Plan = run::Plan<Training>;

/// The losses of an iteration, by name.
const LOSSES: [&str; 10] =
    ["D_X", "D_Y", "G_XtoY", "G_YtoX", "cycle_X", "cycle_Y", "identity_X", "identity_Y", "R1_X", "R1_Y"];

/// How often the discriminators are right.
const JUDGEMENTS: [Judgement; 4] = [
    ("accuracy_X_real", "errors_X_real", true),
    ("accuracy_X_fake", "errors_X_fake", false),
    ("accuracy_Y_real", "errors_Y_real", true),
    ("accuracy_Y_fake", "errors_Y_fake", false),
];

/// A CycleGAN in training.
pub struct Training {
    config: CycleGanConfig,
    model: CycleGan,
    executor: Box<dyn Executor>,
    /// The optimizer steps of an iteration.
    steps: Vec<Optimizing>,
    /// The sheets of X and of Y, drawn by the steps after those.
    sheets: [Sheet; 2],
    loaders: [Loader; 2],
    /// This rank's part of every batch.
    shard: Shard,
    total: u64,
}

/// What an optimizer step takes and gives, and what it trains.
struct Optimizing {
    inputs: Vec<String>,
    outputs: Vec<String>,
    generators: bool,
}

impl Model for CycleGan {
    fn banks(&self) -> Vec<Bank> {
        self.banks()
    }

    fn trained(&self) -> Vec<Trained<'_>> {
        fn named(network: &Network) -> (&Network, String) {
            (network, format!("init.{}", network.name))
        }
        let generators = Trained {
            networks: self.generators.iter().map(named).collect(),
            banks: GENERATORS,
            average: self.objective.average.then_some(AVERAGES),
        };
        let networks = self.judges().into_iter().map(named).collect();
        vec![generators, Trained { networks, banks: DISCRIMINATORS, average: None }]
    }

    fn pictures(&self) -> Vec<(String, usize, usize)> {
        let pools = if self.objective.pool > 0 { 2 } else { 0 };
        let pool = |(index, domain): (usize, Domain)| (format!("pool.{}", domain.name()), POOLS, index);
        Domain::BOTH.into_iter().enumerate().take(pools).map(pool).collect()
    }
}

impl run::Training for Training {
    type Config = CycleGanConfig;
    type Model = CycleGan;
    type Pictures = [Source; 2];
    const SHEETS: &'static [&'static str] = &[SHEETS[0], SHEETS[1]];
    const CURVES: &'static [&'static str] = &LOSSES;
    const NAME: &'static str = "CycleGAN";

    fn networks(config: &CycleGanConfig, ranks: &Ranks) -> Result<CycleGan> {
        Ok(CycleGan { batch: ranks.shard(config.batch).len, ..config.cyclegan()? })
    }

    fn load(config: &CycleGanConfig) -> Result<Data<[Source; 2]>> {
        let load = |domain| {
            let (source, options) = (config.source(domain), config.load_options());
            Source::load(source, &options, config.holdout, &config.batching(domain))
        };
        let (x, y) = (load(Domain::X)?, load(Domain::Y)?);
        let total = total(config.steps, config.epochs, x.epoch.max(y.epoch));
        if let Some(from) = config.decay_from.filter(|from| *from >= total) {
            let problem = format!(
                "decay_from is {from}, but the run has {total} steps; choose an earlier one, or more `steps`"
            );
            return Err(Error::Setting { name: "decay_from", problem });
        }
        let lines = vec![format!("X: {}", x.line), format!("Y: {}", y.line)];
        let sets = [("X", &x), ("Y", &y)]
            .map(|(name, source)| (name.to_owned(), PictureNames::new(source.pictures.names())))
            .into();
        Ok(Data { pictures: [x, y], total, sets, lines })
    }

    /// Translations to Y, then to X.
    fn targets([x, y]: &[Source; 2]) -> Vec<&Pictures> {
        vec![&y.pictures, &x.pictures]
    }

    /// The steps of an iteration, then those of both sheets.
    fn steps(config: &CycleGanConfig, sources: &[Source; 2], ranks: &Ranks) -> Result<Vec<Step>> {
        let model = Self::networks(config, ranks)?;
        check_gathered(config, ranks)?;
        let mut steps = model.steps(config.shard(ranks, config.batch))?;
        for (from, source) in Domain::BOTH.into_iter().zip(sources) {
            steps.push(sheets::step(config, &model, from, source)?);
        }
        Ok(steps)
    }

    fn ready(setup: Setup<Self>) -> Result<Self> {
        let Setup { config, pictures: sources, device, ranks, steps, step, total, .. } = setup;
        let model = Self::networks(&config, &ranks)?;
        let [x, y] = &sources;
        let sheets = [Sheet::new(&config, Domain::X, x)?, Sheet::new(&config, Domain::Y, y)?];
        let optimizing = steps[..steps.len() - sheets.len()].iter().map(Optimizing::new).collect();
        let executor = device.executor(&model.banks(), steps)?;
        let [x, y] = sources.map(|source| Arc::new(source.pictures));
        let shard = config.shard(&ranks, config.batch);
        let rank = (ranks.rank(), ranks.size());
        let load =
            |pictures, domain| Loader::start(pictures, Batching { rank, ..config.batching(domain) }, step);
        let loaders = [load(x, Domain::X)?, load(y, Domain::Y)?];
        Ok(Self { config, model, executor, steps: optimizing, sheets, loaders, shard, total })
    }

    fn config(&self) -> &CycleGanConfig {
        &self.config
    }

    fn model(&self) -> &CycleGan {
        &self.model
    }

    fn executor(&mut self) -> &mut dyn Executor {
        &mut *self.executor
    }

    fn describe(model: &CycleGan) -> String {
        let scales = model.discriminators[0].iter().map(|network| network.parameter_count().to_string());
        format!(
            "2 generators of {} parameters, 2 discriminators of {}",
            model.generators[0].parameter_count(),
            scales.collect::<Vec<_>>().join(" + ")
        )
    }

    fn batch(&self) -> String {
        format!("{} pictures of each set", self.config.batch)
    }

    fn go_to(&mut self, step: u64) -> Result<()> {
        self.loaders.iter_mut().try_for_each(|loader| loader.go_to(step))
    }

    fn iterate(&mut self, t: u64) -> Result<()> {
        let [x, y] = &mut self.loaders;
        let pictures = [x.next_batch()?.images, y.next_batch()?.images];
        let (mut g_update, mut d_update) = self.config.update_counts(t - 1);
        let due: Vec<usize> = (0..self.steps.len()).filter(|&step| self.is_due(step, t)).collect();
        for &step in &due {
            let update = if self.steps[step].generators { &mut g_update } else { &mut d_update };
            *update += 1;
            let update = *update;
            self.write_inputs(step, t, update, &pictures)?;
        }
        self.executor.run(&due)
    }

    fn losses(&mut self, t: u64) -> Result<Vec<Loss>> {
        let mut losses = Vec::new();
        for name in LOSSES {
            // With steps of their own, a discriminator's loss is that of both.
            let parts = [name.to_owned(), format!("{name}_real"), format!("{name}_fake")];
            let whole = self.steps.iter().any(|step| step.outputs.contains(&parts[0]));
            let parts = if whole { &parts[..1] } else { &parts[1..] };
            let mut found = Vec::new();
            for part in parts {
                let has = |step: &usize| self.steps[*step].outputs.contains(part);
                let due = (0..self.steps.len()).filter(has).find(|&step| self.is_due(step, t));
                let step = due.or_else(|| (0..self.steps.len()).find(has));
                found.extend(step.map(|step| (step, part)));
            }
            if found.is_empty() {
                continue;
            }
            let mut value = None;
            if found.iter().all(|(step, _)| self.is_due(*step, t)) {
                let mut sum = 0.0;
                for (step, part) in found {
                    sum += run::scalar(&mut *self.executor, step, part)?;
                }
                value = Some(sum);
            }
            losses.push(Loss { name, value, shown: true });
        }
        for judgement in JUDGEMENTS {
            let gives = |step: &usize| self.steps[*step].outputs.iter().any(|name| name == judgement.1);
            if let Some(step) = (0..self.steps.len()).find(|step| gives(step) && self.is_due(*step, t)) {
                losses.push(run::accuracy(&mut *self.executor, step, self.model.objective.loss, judgement)?);
            }
        }
        Ok(losses)
    }

    fn shard(&self) -> Shard {
        self.shard
    }

    fn save_sample(&mut self, folder: &RunFolder, step: u64) -> Result<Vec<Vec<f32>>> {
        let first = self.steps.len();
        (first..)
            .zip(&self.sheets)
            .map(|(index, sheet)| sheet.save(&mut *self.executor, index, folder, step))
            .collect()
    }

    fn next(folder: &RunFolder) -> (&'static str, String) {
        let path = folder.path().display();
        ("translate pictures", format!("mewgan translate {path} --to y PICTURE --out translated"))
    }
}

/// Refuses batches whose translations, of which every rank has all in its pool, are more than MPI carries at once.
fn check_gathered(config: &CycleGanConfig, ranks: &Ranks) -> Result<()> {
    let bytes = config.batch * config.size * config.size * config.channels * size_of::<f32>();
    match ranks.size() > 1 && config.pool > 0 && bytes > i32::MAX as usize {
        true => Err(Error::Input(format!(
            "with a pool every rank has all translations of a batch, {} MiB here, over the 2 GiB of a message; use a smaller \
             `global_batch`, or `pool` 0",
            bytes >> 20
        ))),
        false => Ok(()),
    }
}

impl Optimizing {
    fn new(step: &Step) -> Self {
        Self {
            inputs: step.inputs().map(|(_, name, _)| name.to_owned()).collect(),
            outputs: step.outputs.iter().map(|(name, _)| name.clone()).collect(),
            generators: step.name.starts_with("generators"),
        }
    }
}

impl Training {
    /// Whether an optimizer step is part of iteration `t`.
    fn is_due(&self, step: usize, t: u64) -> bool {
        let has = |loss: &str| self.steps[step].outputs.iter().any(|name| name == loss);
        let r1 = self.model.objective.r1;
        if has("D_X_real") && r1.is_due(t) != has("R1_X") {
            return false;
        }
        let apart = self.config.updates == Updates::Apart;
        !(apart && has("D_X_fake")) || t.is_multiple_of(self.config.d_fake_every)
    }

    /// Fakes of each set that discriminators were shown before iteration `t`.
    fn fakes_seen(&self, t: u64) -> u64 {
        (t - 1) / self.config.d_fake_every * self.config.batch as u64
    }

    fn write_inputs(&mut self, step: usize, t: u64, update: u64, pictures: &[Vec<f32>; 2]) -> Result<()> {
        let (inputs, generators) = (self.steps[step].inputs.clone(), self.steps[step].generators);
        let has = |name: &str| inputs.iter().any(|input| input == name);
        let executor = &mut *self.executor;
        for (name, pictures) in ["x", "y"].into_iter().zip(pictures).filter(|(name, _)| has(name)) {
            executor.write_input(step, name, pictures)?;
        }
        let rates = self.rates(generators, t, update);
        let executor = &mut *self.executor;
        executor.write_input(step, "rates", &rates)?;
        if has("decay") {
            executor.write_input(step, "decay", &[average_decay(self.config.average, update) as f32])?;
        }
        for name in Domain::BOTH.map(Domain::name) {
            if has(&format!("{name}.rows")) {
                self.write_pool(step, t, name)?;
            }
            for source in ["real", "fake"].map(|source| format!("{name}.{source}")) {
                if inputs.iter().any(|input| input.starts_with(&format!("{source}."))) {
                    let purpose = format!("diff.{}.{source}", if generators { "g" } else { "d" });
                    let drawn =
                        DiffAugmentDraws::new(self.config.seed, &purpose, t, self.shard, self.config.size);
                    let policy = self.model.objective.diffaugment;
                    draws::write(&mut *self.executor, step, &source, policy, &drawn)?;
                }
            }
        }
        Ok(())
    }

    fn write_pool(&mut self, step: usize, t: u64, name: &str) -> Result<()> {
        let (seed, seen) = (self.config.seed, self.fakes_seen(t));
        let (pool, batch) = (self.config.pool, self.config.batch);
        let draws = PoolDraws::new(seed, &format!("pool.{name}"), t, seen, pool, batch);
        self.executor.write_input(step, &format!("{name}.rows"), self.shard.slice(&draws.rows))?;
        self.executor.write_input(step, &format!("{name}.store"), &draws.store)
    }

    /// What Adam reads at its update `update`, in iteration `t`.
    fn rates(&self, generators: bool, t: u64, update: u64) -> [f32; 2] {
        let objective = &self.model.objective;
        let adam = if generators { objective.g_adam } else { objective.d_adam };
        let from = self.config.decay_from.unwrap_or(self.total / 2);
        let lr = adam.lr * self.config.schedule.factor(t - 1, self.total, from);
        Adam { lr, ..adam }.rates(update).map(|rate| rate as f32)
    }
}
