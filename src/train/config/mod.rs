//! Settings: presets, then a TOML file, then flags.

pub(crate) mod check;
mod common;
pub(crate) mod fields;
pub mod fixed;
mod names;
mod record;

pub use common::{Common, CommonSettings};
pub use names::MODEL;
pub use record::{Change, Record, word};

use crate::nn::Init;
use crate::nn::diffaugment::DiffAugmentPolicy;
use crate::optim::Schedule;
use crate::spelling::quoted;
use crate::train::initial::Initial;
use crate::{Error, Result, file};
#[cfg(feature = "cli")]
use fields::named;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use std::path::Path;

/// The longest settings file, in bytes; a run's own has some 2 kB.
pub(crate) const LONGEST: u64 = 1 << 20;

/// Settings that do not change what is learned.
pub const ELSEWHERE: [&str; 4] = ["device", "memory_limit", "no_cache", "no_tensorboard"];

/// How often a run writes what, in steps, and how many checkpoints stay; 0 keeps all.
#[derive(Clone, Copy, Debug)]
pub struct Intervals {
    /// The losses.
    pub log: u64,
    /// The sample images.
    pub sample: u64,
    /// A checkpoint.
    pub checkpoint: u64,
    /// A look for infinities and NaN.
    pub check: u64,
    /// Checkpoints that stay.
    pub keep: usize,
}

/// What settings are beside data: flags, where there is a command line.
#[cfg(feature = "cli")]
pub trait Flags: clap::Args {}
#[cfg(feature = "cli")]
impl<S: clap::Args> Flags for S {}

/// What settings are beside data: flags, where there is a command line.
#[cfg(not(feature = "cli"))]
pub trait Flags {}
#[cfg(not(feature = "cli"))]
impl<S> Flags for S {}

/// A model's settings as given: each may be missing.
pub trait ModelSettings: Clone + Default + DeserializeOwned + Flags {
    /// The settings of which none is missing.
    type Config;
    /// What those that only this model has are called in TOML.
    const OWN: &'static [&'static str];

    /// Those that every model has.
    fn common(&mut self) -> &mut CommonSettings;

    /// Replaces in `config` whatever is given here.
    fn apply(self, config: &mut Self::Config);

    /// Those of a TOML file.
    ///
    /// # Errors
    /// As [`ModelSettings::from_toml`], or if the file cannot be read.
    fn read(path: &Path) -> Result<Self>
    where
        Self::Config: RunConfig,
    {
        Self::from_toml(&file::text(path, LONGEST)?, path)
    }

    /// Those of a TOML text; `origin` names it in errors.
    ///
    /// # Errors
    /// If it is not TOML, is of another model, has an unknown setting, or one with a value that cannot be.
    fn from_toml(text: &str, origin: &Path) -> Result<Self>
    where
        Self::Config: RunConfig,
    {
        names::check::<Self::Config>(text, origin)?;
        let problem =
            |error: toml::de::Error| Error::Input(format!("{}: {}", origin.display(), quoted(error)));
        // Twice, for serde's flattening forgets on which line an error is.
        let mut given: Self = toml::from_str(text).map_err(problem)?;
        let common: CommonSettings = toml::from_str(text).map_err(problem)?;
        if common.steps.is_some() && common.epochs.is_some() {
            return Err(Error::Input(format!(
                "{}: both steps and epochs are given; remove one",
                origin.display()
            )));
        }
        *given.common() = common;
        Ok(given)
    }
}

/// All settings of a run of one model.
pub trait RunConfig: Clone + PartialEq + Serialize {
    /// The model's name in checkpoints, in settings files, and in `mewgan train MODEL`.
    const KIND: &'static str;
    /// The same settings as given: each may be missing.
    type Settings: ModelSettings<Config = Self>;
    /// Those of this model alone that a resumed run has to keep, and why.
    const FIXED: &'static [(&'static str, &'static str)];

    /// The values of a preset.
    fn preset(preset: Preset) -> Self;

    /// Names the first setting that is out of range for this model, and what can be chosen.
    ///
    /// # Errors
    /// If there is one.
    fn check(&self) -> Result<()>;

    /// The settings that every model has.
    fn common(&self) -> &Common;

    /// The settings that every model has, to be changed.
    fn common_mut(&mut self) -> &mut Common;

    /// The settings that name its sets of images, each with its name.
    fn sources(&mut self) -> Vec<(&'static str, &mut String)>;

    /// Refuses what cannot be gone on with after `step` steps with the settings `before`.
    ///
    /// # Errors
    /// If there is something.
    fn check_change(&self, _before: &Self, _step: u64) -> Result<()> {
        Ok(())
    }

    /// The model that has the setting `name`, where this one has not.
    fn whose(name: &str) -> Option<&'static str>;

    /// The preset's values, replaced by those of `file`, replaced by those of `flags`, and checked.
    ///
    /// # Errors
    /// If a setting is out of range or two contradict each other; the text names it and says what can be.
    fn new(mut file: Self::Settings, mut flags: Self::Settings) -> Result<Self> {
        let preset = flags.common().preset.or(file.common().preset).unwrap_or_default();
        Self::preset(preset).replaced(file)?.replaced(flags)?.checked()
    }

    /// These settings, replaced by those that are given.
    ///
    /// # Errors
    /// If both steps and epochs are given.
    fn replaced(mut self, mut given: Self::Settings) -> Result<Self> {
        let CommonSettings { steps, epochs, schedule, decay_from, .. } = *given.common();
        if steps.is_some() && epochs.is_some() {
            return Err(Error::Input("both steps and epochs are given; give one of them".into()));
        }
        if steps.is_some() || epochs.is_some() {
            (self.common_mut().steps, self.common_mut().epochs) = (None, None);
        }
        // Another schedule has no such step.
        if decay_from.is_none() && schedule.is_some_and(|schedule| schedule != Schedule::Linear) {
            self.common_mut().decay_from = None;
        }
        given.apply(&mut self);
        Ok(self)
    }

    /// Those of a file such as a run's `config.toml`, replaced by `flags`.
    ///
    /// # Errors
    /// If the file cannot be read or holds a setting that cannot be; the text names the file where it is at fault.
    fn from_file(path: &Path, flags: Self::Settings) -> Result<Self> {
        let given = Self::Settings::read(path)?;
        Self::new(given.clone(), flags).map_err(|error| match Self::new(given, Self::Settings::default()) {
            Ok(_) => error,
            // It is the file's, and no flag's.
            Err(_) => error.of_file(path),
        })
    }

    /// Those of the text of a `config.toml`; `origin` names it in errors.
    ///
    /// # Errors
    /// If it holds a setting that cannot be.
    fn from_toml(text: &str, origin: &Path) -> Result<Self> {
        let given = Self::Settings::from_toml(text, origin)?;
        Self::new(given, Self::Settings::default()).map_err(|error| error.of_file(origin))
    }

    /// As TOML.
    ///
    /// # Errors
    /// If a number does not fit TOML, which [`RunConfig::new`] has ruled out.
    fn to_toml(&self) -> Result<String> {
        let problem = |error| Error::Input(format!("settings: {error}"));
        let own = toml::to_string(self).map_err(problem)?;
        let common = toml::to_string(self.common()).map_err(problem)?;
        Ok(format!("{MODEL} = {:?}\n{own}{common}", Self::KIND))
    }

    /// As a table of TOML.
    ///
    /// # Errors
    /// As [`RunConfig::to_toml`].
    fn table(&self) -> Result<toml::Table> {
        toml::from_str(&self.to_toml()?).map_err(|error| Error::Input(format!("settings: {error}")))
    }

    /// The settings, if all can be.
    ///
    /// # Errors
    /// As [`RunConfig::check`].
    fn checked(self) -> Result<Self> {
        self.check()?;
        self.common().check()?;
        Ok(self)
    }

    /// Sets the number of steps, once it is known.
    fn settle(&mut self, total: u64) {
        (self.common_mut().steps, self.common_mut().epochs) = (Some(total), None);
    }

    /// The same with `batch` images a step and all learning rates `factor` times as high.
    ///
    /// # Errors
    /// If that is more than may be.
    fn scaled(mut self, batch: usize, factor: f64) -> Result<Self> {
        let common = self.common_mut();
        common.batch = batch;
        common.lr *= factor;
        [&mut common.g_lr, &mut common.d_lr].into_iter().flatten().for_each(|lr| *lr *= factor);
        self.checked()
    }

    /// The next smaller run: half the batch, or half the size where the batch is 1; none where that cannot be.
    fn smaller(&self) -> Option<Self> {
        let mut smaller = self.clone();
        let common = smaller.common_mut();
        match common.batch {
            0 | 1 => common.size = common.size.map(|side| side / 2),
            _ => common.batch /= 2,
        }
        smaller.checked().ok()
    }

    /// How initial weights are drawn that no file holds.
    fn init(&self) -> Init {
        let draw = |initial: &[Initial]| {
            initial.iter().find_map(|of| match of {
                Initial::Drawn(draw) => Some(*draw),
                Initial::File { .. } => None,
            })
        };
        let usual = || draw(&Self::preset(self.common().preset.unwrap_or_default()).common().init);
        draw(&self.common().init).or_else(usual).unwrap_or(Init::Normal)
    }
}

/// Where the values come from that nobody gave.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "cli", derive(clap::ValueEnum))]
#[serde(rename_all = "lowercase")]
pub enum Preset {
    /// The recipe that was measured to draw and translate best from some hundred to some thousand images, as
    /// `docs/recipes.md` shows.
    #[default]
    Small,
    /// Small networks with batch norm; DCGAN's discriminator is stepped every second iteration, CycleGAN's discriminators
    /// see fakes every second iteration.
    Seed,
    /// Instance norm, LSGAN.
    Course,
    /// As published: DCGAN by Radford 2016, CycleGAN by Zhu 2017, pix2pix by Isola 2017.
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
