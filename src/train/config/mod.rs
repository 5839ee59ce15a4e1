//! Settings: presets, then a TOML file, then flags.

mod check;
mod cyclegan;
mod dcgan;
pub(super) mod names;
mod preset;

pub use cyclegan::{CycleGanConfig, CycleGanSettings, Discriminator};
pub use dcgan::{DcganConfig, DcganSettings};

use crate::Result;
use crate::nn::Init;
use crate::nn::diffaugment::DiffAugmentPolicy;
use crate::ranks::{Ranks, Shard};
use crate::train::initial::Initial;
#[cfg(feature = "cli")]
use crate::train::settings::named;
use serde::{Deserialize, Serialize};
use std::path::Path;

/// How often a run writes what, in steps, and how many checkpoints stay; 0 keeps all.
#[derive(Clone, Copy, Debug)]
pub struct Intervals {
    /// The losses.
    pub log: u64,
    /// The sample pictures.
    pub sample: u64,
    /// A checkpoint.
    pub checkpoint: u64,
    /// A look for infinities and NaN.
    pub check: u64,
    /// Checkpoints that stay.
    pub keep: usize,
}

/// All settings of a run of one kind.
pub trait RunConfig: Clone {
    /// The kind's name in checkpoints, and in `mewgan train KIND`.
    const KIND: &'static str;
    /// The same settings as given: each may be missing.
    type Settings;

    /// Those of a file such as a run's `config.toml`, replaced by `flags`.
    ///
    /// # Errors
    /// If the file cannot be read or holds a setting that cannot be; the text names the file where it is at fault.
    fn from_file(path: &Path, flags: Self::Settings) -> Result<Self>;

    /// Those of the text of a `config.toml`; `origin` names it in errors.
    ///
    /// # Errors
    /// If it holds a setting that cannot be.
    fn from_toml(text: &str, origin: &Path) -> Result<Self>;

    /// As TOML.
    ///
    /// # Errors
    /// If a number does not fit TOML.
    fn to_toml(&self) -> Result<String>;

    /// How often a run writes what.
    fn intervals(&self) -> Intervals;

    /// Iterations in all, once a run has started.
    fn total_steps(&self) -> Option<u64>;

    /// What to compute on.
    fn device(&self) -> &str;

    /// Whether the fastest kernels are measured on a GPU.
    fn tunes(&self) -> bool;

    /// Whether events for TensorBoard are written.
    fn has_events(&self) -> bool;

    /// Sets the number of steps, once it is known.
    fn settle(&mut self, total: u64);

    /// The most memory that may be planned, in MiB.
    fn memory_limit(&self) -> Option<u64>;

    /// Pictures a step, and their height and width.
    fn batch_and_size(&self) -> (usize, usize);

    /// Whether batch norm goes by the pictures of all ranks together.
    fn syncs_batch_norm(&self) -> bool;

    /// A rank's part of a batch.
    fn shard(&self, ranks: &Ranks, batch: usize) -> Shard {
        let shard = ranks.shard(batch);
        Shard { synced: shard.share.is_some() && self.syncs_batch_norm(), ..shard }
    }

    /// The same with `batch` pictures a step and all learning rates `factor` times as high.
    ///
    /// # Errors
    /// If that is more than may be.
    fn scaled(self, batch: usize, factor: f64) -> Result<Self>;

    /// The next smaller run: half the batch, or half the size where the batch is 1; none where that cannot be.
    fn smaller(&self) -> Option<Self>;

    /// Where initial weights come from, how those are drawn that no file holds, and the run's seed.
    fn start(&self) -> (&[Initial], Init, u64);
}

/// Where the values come from that nobody gave.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "cli", derive(clap::ValueEnum))]
#[serde(rename_all = "lowercase")]
pub enum Preset {
    /// The recipe that was measured to draw and translate best from some hundred to some thousand pictures, as
    /// `docs/recipes.md` shows.
    #[default]
    Small,
    /// Small networks with batch norm; DCGAN's discriminator is stepped every second iteration, CycleGAN's discriminators
    /// see fakes every second iteration.
    Seed,
    /// Instance norm, LSGAN.
    Course,
    /// As published: DCGAN by Radford 2016, CycleGAN by Zhu 2017.
    Paper,
}

impl Preset {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Small, Self::Seed, Self::Course, Self::Paper];

    /// Its name in settings.
    pub fn name(self) -> &'static str {
        match self {
            Self::Small => "small",
            Self::Seed => "seed",
            Self::Course => "course",
            Self::Paper => "paper",
        }
    }
}

/// One part of DiffAugment (Zhao 2020).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum DiffAugmentPart {
    /// Brightness, saturation, contrast.
    Color,
    /// Whole-pixel shifts.
    Translation,
    /// A square set to 0.
    Cutout,
}

/// The parts of DiffAugment in use; none turns it off.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct DiffAugmentParts(pub Vec<DiffAugmentPart>);

impl DiffAugmentParts {
    /// As the networks' steps take them.
    pub fn policy(&self) -> DiffAugmentPolicy {
        let has = |part| self.0.contains(&part);
        DiffAugmentPolicy {
            color: has(DiffAugmentPart::Color),
            translation: has(DiffAugmentPart::Translation),
            cutout: has(DiffAugmentPart::Cutout),
        }
    }
}

#[cfg(feature = "cli")]
fn parts(text: &str) -> std::result::Result<DiffAugmentParts, serde::de::value::Error> {
    let names = text.split(',').map(str::trim).filter(|name| !name.is_empty());
    match text {
        "none" => Ok(DiffAugmentParts::default()),
        _ => names.map(named).collect::<std::result::Result<_, _>>().map(DiffAugmentParts),
    }
}
