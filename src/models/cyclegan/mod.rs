//! CycleGAN (Zhu 2017): two generators learn from two unpaired sets of images, X and Y, to translate between them, both ways.

mod check;
pub mod evaluation;
pub mod networks;
mod phases;
mod settings;
mod sheets;
mod steps;
mod translation;

pub use settings::{CycleGanConfig, CycleGanSettings, Discriminator};
pub use steps::{
    AVERAGES, CycleGan, CycleLoss, CycleObjective, DISCRIMINATORS, Domain, FAKES, GENERATORS, POOLS, SCALES,
    Updates,
};
pub use translation::{OneWay, SMALLEST};

use crate::device::Device;
use crate::evaluate::Figure;
use crate::graph::StateBuffer;
use crate::nn::Network;
use crate::optim::OptimizerState;
use crate::ranks::Shard;
use crate::shape::Shape;
use crate::train::checkpoint::Checkpoint;
use crate::train::dataset::DatasetSpec;
use crate::train::evaluation::Judging;
use crate::train::model::{AccuracySpec, LossSpec, Model, SheetSpec, Trained};
use crate::train::phase::Phase;
use crate::train::preparation::Preparation;
use crate::train::run;
use crate::train::run_folder::RunFolder;
use crate::train::split::Members;
use crate::{Error, Result};

/// A CycleGAN's run.
pub type Trainer = run::Trainer<CycleGan>;

/// A CycleGAN's run, planned.
pub type Plan = run::Plan<CycleGan>;

const fn loss(name: &'static str, parts: &'static [&'static str]) -> LossSpec {
    LossSpec { name, parts, shown: true }
}

const fn accuracy(name: &'static str, output: &'static str, real: bool) -> AccuracySpec {
    AccuracySpec { name, output, real }
}

impl Model for CycleGan {
    type Config = CycleGanConfig;

    const NAME: &'static str = "CycleGAN";
    const ABOUT: &'static str = "Train a CycleGAN to translate between two sets of images, both ways.\n\nThe images of the two \
        sets need not be partners.";
    const SHEETS: &'static [&'static str] = &["XtoY", "YtoX"];
    const LOSSES: &'static [LossSpec] = &[
        loss("D_X", &["D_X_real", "D_X_fake"]),
        loss("D_Y", &["D_Y_real", "D_Y_fake"]),
        loss("G_XtoY", &[]),
        loss("G_YtoX", &[]),
        loss("cycle_X", &[]),
        loss("cycle_Y", &[]),
        loss("identity_X", &[]),
        loss("identity_Y", &[]),
        loss("R1_X", &[]),
        loss("R1_Y", &[]),
    ];
    const ACCURACIES: &'static [AccuracySpec] = &[
        accuracy("accuracy_X_real", "errors_X_real", true),
        accuracy("accuracy_X_fake", "errors_X_fake", false),
        accuracy("accuracy_Y_real", "errors_Y_real", true),
        accuracy("accuracy_Y_fake", "errors_Y_fake", false),
    ];

    fn new(config: &CycleGanConfig, images: usize) -> Result<Self> {
        Ok(Self { batch: images, ..config.cyclegan()? })
    }

    fn describe(&self) -> String {
        let scales = self.discriminators[0].iter().map(|network| network.parameter_count().to_string());
        format!(
            "2 generators of {} parameters, 2 discriminators of {}",
            self.generators[0].parameter_count(),
            scales.collect::<Vec<_>>().join(" + ")
        )
    }

    /// In the order of [`GENERATORS`], [`DISCRIMINATORS`], [`AVERAGES`], [`FAKES`], [`POOLS`] and [`SCALES`]; the last five are empty where
    /// the objective does not need them.
    fn buffers(&self) -> Vec<StateBuffer> {
        let objective = &self.objective;
        let generators = OptimizerState::buffers(&self.generators.each_ref());
        let averages = if objective.average { generators[0].clone() } else { StateBuffer::default() };
        let images = |count: usize, wanted: bool| {
            let mut buffer = StateBuffer::default();
            for (name, channels) in ["X", "Y"].iter().zip(self.channels).filter(|_| wanted) {
                buffer.push(*name, Shape([count, self.size.height, self.size.width, channels]));
            }
            buffer
        };
        let mut buffers: Vec<StateBuffer> = generators.into();
        buffers.extend(OptimizerState::buffers(&self.all_discriminators()));
        buffers.push(averages);
        buffers.push(images(self.batch, objective.updates == Updates::GeneratorsFirst));
        buffers.push(images(objective.pool, objective.pool > 0));
        let scale = if objective.scaled { StateBuffer::loss_scale() } else { StateBuffer::default() };
        buffers.extend([scale.clone(), scale]);
        buffers
    }

    fn trained(&self) -> Vec<Trained<'_>> {
        fn named(network: &Network) -> (&Network, String) {
            (network, format!("init.{}", network.name))
        }
        let [of_generators, of_discriminators] = self.optimizers();
        let generators = Trained {
            networks: self.generators.iter().map(named).collect(),
            buffers: of_generators,
            average: self.objective.average.then_some(AVERAGES),
        };
        let networks = self.all_discriminators().into_iter().map(named).collect();
        vec![generators, Trained { networks, buffers: of_discriminators, average: None }]
    }

    fn images(&self) -> Vec<(String, usize, usize)> {
        let pools = if self.objective.pool > 0 { 2 } else { 0 };
        let pool = |(index, domain): (usize, Domain)| (format!("pool.{}", domain.name()), POOLS, index);
        Domain::BOTH.into_iter().enumerate().take(pools).map(pool).collect()
    }

    fn datasets(config: &CycleGanConfig) -> Vec<DatasetSpec<'_>> {
        let set = |domain: Domain| DatasetSpec {
            name: domain.name(),
            source: config.source(domain),
            channels: config.channels(domain),
            half: None,
            batching: config.batching(domain),
        };
        Domain::BOTH.map(set).into()
    }

    fn phases(&self, config: &CycleGanConfig, shard: Shard) -> Result<Vec<Phase>> {
        phases::phases(self, config, shard)
    }

    fn sheets(&self, config: &CycleGanConfig, sets: &[&Members]) -> Result<Vec<SheetSpec>> {
        Domain::BOTH.into_iter().zip(sets).map(|(from, set)| sheets::spec(config, self, from, set)).collect()
    }

    fn sheet_input(config: &CycleGanConfig, sets: &[&Members], index: usize) -> Result<Vec<f32>> {
        sheets::input(config, Domain::BOTH[index], sets[index])
    }

    fn save_sheet(
        config: &CycleGanConfig,
        index: usize,
        input: &[f32],
        outputs: &[Vec<f32>],
        folder: &RunFolder,
        step: u64,
    ) -> Result<()> {
        sheets::save(config, Domain::BOTH[index], [input, &outputs[0], &outputs[1]], folder, step)
    }

    /// With a pool every rank has all translations of a batch, which MPI carries in one message.
    fn check_ranks(config: &CycleGanConfig) -> Result<()> {
        let common = &config.common;
        let bytes = common.batch
            * common.size.area()
            * Domain::BOTH.map(|domain| config.channels(domain)).into_iter().max().unwrap_or(0)
            * size_of::<f32>();
        match config.pool > 0 && bytes > i32::MAX as usize {
            true => Err(Error::Input(format!(
                "with a pool every rank has all translations of a batch, {} MiB here, over the 2 GiB of a message; use a smaller \
                 `global_batch`, or `pool` 0",
                bytes >> 20
            ))),
            false => Ok(()),
        }
    }

    fn evaluate(
        checkpoint: &Checkpoint,
        device: &Device,
        judging: &Judging,
        watch: &dyn Preparation,
    ) -> Result<Vec<Figure>> {
        evaluation::evaluate(checkpoint, device, judging, watch)
    }

    fn next(folder: &RunFolder) -> (&'static str, String) {
        let path = folder.path().display();
        ("translate images", format!("mewgan translate {path} --to y IMAGE --out translated"))
    }
}
