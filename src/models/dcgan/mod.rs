//! DCGAN (Radford 2016): a generator learns from a set of images to draw new ones out of noise.

mod evaluation;
pub mod networks;
pub mod sampling;
mod settings;
mod steps;

pub use crate::models::adversaries::{AVERAGE, DISCRIMINATOR, GENERATOR};
pub use settings::{DcganConfig, DcganSettings};
pub use steps::{Dcgan, Objective};

use crate::Result;
use crate::device::Device;
use crate::evaluate::Figure;
use crate::graph::StateBuffer;
use crate::models::adversaries;
use crate::nn::NormMode;
use crate::ranks::Shard;
use crate::train::checkpoint::Checkpoint;
use crate::train::dataset::DatasetSpec;
use crate::train::evaluation::Judging;
use crate::train::model::{AccuracySpec, LossSpec, Model, SheetSpec, Trained};
use crate::train::phase::{Due, Phase, Source, augmentation};
use crate::train::preparation::Preparation;
use crate::train::run;
use crate::train::run_folder::RunFolder;
use crate::train::split::Members;
use sampling::{BATCH, fixed_noise, save_grid};

/// A DCGAN's run.
pub type Trainer = run::Trainer<Dcgan>;

/// A DCGAN's run, planned.
pub type Plan = run::Plan<Dcgan>;

/// Columns of the sample grid.
const COLUMNS: usize = 4;

const fn loss(name: &'static str, shown: bool) -> LossSpec {
    LossSpec { name, parts: &[], shown }
}

impl Model for Dcgan {
    type Config = DcganConfig;

    const NAME: &'static str = "DCGAN";
    const ABOUT: &'static str = "Train a DCGAN on a folder of images.";
    const SHEETS: &'static [&'static str] = &[""];
    const LOSSES: &'static [LossSpec] =
        &[loss("D", true), loss("D_real", false), loss("D_fake", false), loss("G", true), loss("R1", true)];
    const ACCURACIES: &'static [AccuracySpec] = adversaries::ACCURACIES;

    fn new(config: &DcganConfig, _: usize) -> Result<Self> {
        config.dcgan()
    }

    fn describe(&self) -> String {
        self.adversaries().describe()
    }

    fn buffers(&self) -> Vec<StateBuffer> {
        self.adversaries().buffers()
    }

    fn trained(&self) -> Vec<Trained<'_>> {
        self.adversaries().trained()
    }

    fn datasets(config: &DcganConfig) -> Vec<DatasetSpec<'_>> {
        vec![DatasetSpec {
            name: "data",
            source: &config.data,
            channels: config.common.channels,
            half: None,
            batching: config.batching(),
        }]
    }

    /// The discriminator's step, without the R1 penalty and with it where both occur, then the generator's.
    fn phases(&self, config: &DcganConfig, shard: Shard) -> Result<Vec<Phase>> {
        let (objective, common) = (&self.objective, &config.common);
        let policy = objective.diffaugment;
        let noise = |stream| ("noise".to_owned(), Source::Noise { kind: config.noise, stream });
        let rates = |adam| ("rates".to_owned(), Source::Rates(common.rates(adam)));

        let mut sources =
            vec![("real".to_owned(), Source::Images { set: 0 }), noise("noise.d"), rates(objective.d_adam)];
        sources.extend(augmentation(policy, "real", "diff.d.real"));
        sources.extend(augmentation(policy, "fake", "diff.d.fake"));
        let mut phases = Vec::new();
        for (penalized, due) in Due::with_penalty(config.d_every, objective.r1) {
            let step = match penalized {
                true => self.penalized_discriminator_step(shard)?,
                false => self.discriminator_step(shard)?,
            };
            phases.push(Phase::new(step, due, 1, &sources)?);
        }

        let own = if objective.fresh_noise { "noise.g" } else { "noise.d" };
        let mut sources = vec![noise(own), rates(objective.g_adam)];
        sources.push(("decay".to_owned(), Source::Decay { decay: common.average }));
        sources.extend(augmentation(policy, "fake", "diff.g.fake"));
        phases.push(Phase::new(self.generator_step(shard)?, Due::every(1), 0, &sources)?);
        Ok(phases)
    }

    fn sheets(&self, _: &DcganConfig, _: &[&Members]) -> Result<Vec<SheetSpec>> {
        let step = self.sampler(BATCH, NormMode::Batch)?;
        Ok(vec![SheetSpec { step, input: "noise", constants: Vec::new(), like: 0 }])
    }

    fn sheet_input(config: &DcganConfig, _: &[&Members], _: usize) -> Result<Vec<f32>> {
        Ok(fixed_noise(config, config.common.seed, BATCH))
    }

    fn save_sheet(
        config: &DcganConfig,
        _: usize,
        _: &[f32],
        outputs: &[Vec<f32>],
        folder: &RunFolder,
        step: u64,
    ) -> Result<()> {
        save_grid(&outputs[0], config, COLUMNS, &folder.sample_path(step, ""))
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
        ("draw more", format!("mewgan sample {} --count 64 --out sheet.png", folder.path().display()))
    }
}
