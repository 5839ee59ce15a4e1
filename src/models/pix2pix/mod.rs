//! pix2pix (Isola 2017): a generator learns from pairs of images to draw the second of the first.

mod check;
pub mod evaluation;
pub mod networks;
mod phases;
mod settings;
mod sheets;
mod steps;
mod translation;

pub use crate::models::adversaries::{AVERAGE, DISCRIMINATOR, GENERATOR};
pub use settings::{Direction, Pix2PixConfig, Pix2PixSettings};
pub use steps::{Objective, Pix2Pix};
pub use translation::OneWay;

use crate::Result;
use crate::device::Device;
use crate::evaluate::Figure;
use crate::graph::StateBuffer;
use crate::models::adversaries;
use crate::models::cyclegan::Domain;
use crate::ranks::Shard;
use crate::train::checkpoint::Checkpoint;
use crate::train::dataset::DatasetSpec;
use crate::train::evaluation::Judging;
use crate::train::model::{AccuracySpec, LossSpec, Model, SheetSpec, Trained};
use crate::train::phase::Phase;
use crate::train::preparation::Preparation;
use crate::train::run;
use crate::train::run_folder::RunFolder;
use crate::train::split::Members;

/// A pix2pix's run.
pub type Trainer = run::Trainer<Pix2Pix>;

/// A pix2pix's run, planned.
pub type Plan = run::Plan<Pix2Pix>;

const fn loss(name: &'static str, parts: &'static [&'static str]) -> LossSpec {
    LossSpec { name, parts, shown: true }
}

impl Model for Pix2Pix {
    type Config = Pix2PixConfig;

    const NAME: &'static str = "pix2pix";
    const ABOUT: &'static str = "Train pix2pix to translate images, from pairs of an image and its translation.\n\nPairs are files \
        of two images side by side (--pairs), or images of the same name in two folders (--x and --y).";
    const SHEETS: &'static [&'static str] = &[""];
    const LOSSES: &'static [LossSpec] =
        &[loss("D", &["D_real", "D_fake"]), loss("G", &[]), loss("L1", &[]), loss("R1", &[])];
    const ACCURACIES: &'static [AccuracySpec] = adversaries::ACCURACIES;

    fn new(config: &Pix2PixConfig, _images: usize) -> Result<Self> {
        config.pix2pix()
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

    fn datasets(config: &Pix2PixConfig) -> Vec<DatasetSpec<'_>> {
        let set = |domain: Domain| DatasetSpec {
            name: domain.name(),
            source: config.source(domain),
            channels: config.channels(domain),
            half: config.half(domain),
            // One name for both: partners are seen together, and changed in the same way.
            batching: config.common.batching("pairs", true),
        };
        Domain::BOTH.map(set).into()
    }

    fn phases(&self, config: &Pix2PixConfig, shard: Shard) -> Result<Vec<Phase>> {
        phases::phases(self, config, shard)
    }

    fn sheets(&self, config: &Pix2PixConfig, sets: &[&Members]) -> Result<Vec<SheetSpec>> {
        Ok(vec![sheets::spec(config, self, sets)?])
    }

    fn sheet_input(config: &Pix2PixConfig, sets: &[&Members], _: usize) -> Result<Vec<f32>> {
        sheets::input(config, sets)
    }

    fn save_sheet(
        config: &Pix2PixConfig,
        _: usize,
        input: &[f32],
        outputs: &[Vec<f32>],
        folder: &RunFolder,
        step: u64,
    ) -> Result<()> {
        sheets::save(config, input, &outputs[0], folder, step)
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
        ("translate images", format!("mewgan translate {} IMAGE --out translated", folder.path().display()))
    }
}
