//! CycleGAN's settings.

use super::networks::{Translator, generator, patch_discriminator, patch70_discriminator};
use super::{CycleGan, CycleLoss, CycleObjective, Domain, Updates};
use crate::Result;
use crate::data::Batching;
use crate::models::dcgan::networks::discriminator;
use crate::nn::{Init, Network, Norm, Upsample};
use crate::optim::Schedule;
use crate::size::Size;
use crate::train::config::check::{counts, setting, weights, within};
#[cfg(feature = "cli")]
use crate::train::config::fields::named;
use crate::train::config::fields::settings;
use crate::train::config::fixed::{NETWORKS, UPDATES};
use crate::train::config::{Common, DiffAugmentPart, DiffAugmentParts, Preset, RunConfig};
use serde::{Deserialize, Serialize};

/// What a discriminator looks at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Discriminator {
    /// The whole image, as DCGAN's: one score.
    Whole,
    /// Patches: a score for every 16x16 pixels.
    Patch,
    /// Overlapping patches of 70x70 pixels (Isola 2017).
    Patch70,
}

settings! {
    for "cyclegan";
    /// CycleGAN's settings as given: each may be missing.
    given CycleGanSettings;
    /// All settings of a CycleGAN run. Written as the run's `config.toml`, they are enough to run it again.
    full CycleGanConfig;
    perhaps {
        /// Channels of X [default: --channels]; for example 1, with 3 for Y, to colour grey images.
        x_channels: usize,
        /// Channels of Y [default: --channels].
        y_channels: usize,
    }
    always {
        /// Dataset X: a folder or .zip file of images, or a bundled set such as builtin:noto.
        #[arg(value_name = "DIR|ZIP|builtin:SET")]
        x: String,
        /// Dataset Y.
        #[arg(value_name = "DIR|ZIP|builtin:SET")]
        y: String,
        /// The generators: plain convolutions, or the published residual network.
        #[arg(value_parser = named::<Translator>, value_name = "plain|resnet")]
        generator: Translator,
        /// What the discriminators judge: the whole image, patches, or overlapping patches of 70x70 pixels.
        #[arg(value_parser = named::<Discriminator>, value_name = "whole|patch|patch70")]
        discriminator: Discriminator,
        /// Discriminators per dataset, each on images half as large as the one before; their losses are averaged.
        scales: usize,
        /// Cycle-consistency loss between an image and its translation there and back: mean squared error, mean absolute
        /// error, or none.
        #[arg(value_parser = named::<CycleLoss>, value_name = "mse|l1|none")]
        cycle_loss: CycleLoss,
        /// Weight of the cycle loss; 0 turns it off.
        lambda_cycle: f64,
        /// Weight of the identity loss (a generator should not change images of its target dataset); 0 turns it off.
        lambda_identity: f64,
        /// Order of updates in an iteration: each loss on its own, discriminators then generators, or generators then
        /// discriminators.
        #[arg(value_parser = named::<Updates>, value_name = "apart|discriminators-first|generators-first")]
        updates: Updates,
        /// With --updates apart: train the discriminators on fakes every N iterations.
        d_fake_every: u64,
        /// Size of each direction's image pool of past translations; 0 turns it off.
        pool: usize,
    }
}

impl RunConfig for CycleGanConfig {
    const KIND: &'static str = "cyclegan";
    type Settings = CycleGanSettings;
    const FIXED: &'static [(&'static str, &'static str)] = &[
        ("generator", NETWORKS),
        ("x_channels", NETWORKS),
        ("y_channels", NETWORKS),
        ("discriminator", NETWORKS),
        ("scales", NETWORKS),
        ("updates", UPDATES),
        ("d_fake_every", UPDATES),
        ("pool", "its images are part of the checkpoint"),
    ];

    fn preset(preset: Preset) -> Self {
        let common = Common {
            steps: Some(600),
            blocks: 1,
            sample_every: 100,
            checkpoint_every: 800,
            ..Common::base(preset)
        };
        let seed = Self {
            x: "builtin:noto".into(),
            y: "builtin:twemoji".into(),
            x_channels: None,
            y_channels: None,
            generator: Translator::Plain,
            discriminator: Discriminator::Whole,
            scales: 1,
            cycle_loss: CycleLoss::Mse,
            lambda_cycle: 10.0,
            lambda_identity: 0.0,
            updates: Updates::Apart,
            d_fake_every: 2,
            pool: 0,
            common,
        };
        match preset {
            Preset::Small => {
                let course = Self::preset(Preset::Course);
                let common = Common {
                    preset: Some(preset),
                    steps: Some(5000),
                    diffaugment: DiffAugmentParts(vec![DiffAugmentPart::Translation]),
                    average: 0.99,
                    lr: 1e-3,
                    schedule: Schedule::Linear,
                    ..course.common
                };
                Self {
                    discriminator: Discriminator::Patch,
                    updates: Updates::GeneratorsFirst,
                    pool: 50,
                    common,
                    ..course
                }
            }
            Preset::Seed => seed,
            Preset::Course => {
                let common = Common {
                    steps: Some(10_000),
                    g_width: 32,
                    blocks: 3,
                    upsample: Upsample::Nearest,
                    d_width: 32,
                    norm: Norm::Instance,
                    g_scale: 1.0,
                    ..seed.common
                };
                Self {
                    cycle_loss: CycleLoss::L1,
                    updates: Updates::DiscriminatorsFirst,
                    d_fake_every: 1,
                    common,
                    ..seed
                }
            }
            Preset::Paper => {
                let common = Common {
                    steps: None,
                    epochs: Some(200),
                    size: Size::square(256),
                    batch: 1,
                    g_width: 64,
                    blocks: 9,
                    d_width: 64,
                    norm: Norm::Instance,
                    d_first_norm: false,
                    slope: 0.2,
                    init: vec![Init::Normal.into()],
                    d_scale: 0.5,
                    g_scale: 1.0,
                    lr: 2e-4,
                    schedule: Schedule::Linear,
                    ..seed.common
                };
                Self {
                    generator: Translator::Resnet,
                    discriminator: Discriminator::Patch70,
                    cycle_loss: CycleLoss::L1,
                    lambda_identity: 5.0,
                    updates: Updates::GeneratorsFirst,
                    d_fake_every: 1,
                    pool: 50,
                    common,
                    ..seed
                }
            }
        }
    }

    fn check(&self) -> Result<()> {
        self.check_size()?;
        self.check_scales()?;
        self.check_channels()?;
        within("pool", self.pool, 0..=65536)?;
        counts(&[("d_fake_every", Some(self.d_fake_every))])?;
        if self.d_fake_every > 1 && self.updates != Updates::Apart {
            return setting(
                "d_fake_every",
                format!(
                    "d_fake_every is {}, which needs a step of its own for fakes; choose `updates` apart, or `d_fake_every` 1",
                    self.d_fake_every
                ),
            );
        }
        weights(&[("lambda_cycle", self.lambda_cycle), ("lambda_identity", self.lambda_identity)])
    }

    fn common(&self) -> &Common {
        &self.common
    }

    fn common_mut(&mut self) -> &mut Common {
        &mut self.common
    }

    fn sources(&mut self) -> Vec<(&'static str, &mut String)> {
        vec![("x", &mut self.x), ("y", &mut self.y)]
    }

    fn check_change(&self, before: &Self, step: u64) -> Result<()> {
        self.check_batch(before.common.batch, step)
    }

    fn whose(name: &str) -> Option<&'static str> {
        crate::models::whose(name, Self::KIND)
    }
}

impl CycleGanConfig {
    /// The networks and what they are trained for.
    ///
    /// # Errors
    /// If the networks do not fit the size.
    pub fn cyclegan(&self) -> Result<CycleGan> {
        let common = &self.common;
        let translator = |name, to: Domain| {
            generator(
                name,
                self.generator,
                common.g_width,
                common.blocks,
                [self.channels(to.other()), self.channels(to)],
                common.norm,
                common.upsample,
            )
        };
        let counted = self.lambda_cycle > 0.0;
        Ok(CycleGan {
            generators: [translator("G_XtoY", Domain::Y)?, translator("G_YtoX", Domain::X)?],
            discriminators: [self.discriminators(Domain::X)?, self.discriminators(Domain::Y)?],
            size: common.size,
            channels: Domain::BOTH.map(|domain| self.channels(domain)),
            batch: common.batch,
            objective: CycleObjective {
                loss: common.loss,
                d_scale: common.d_scale,
                r1: common.r1(),
                g_scale: common.g_scale,
                cycle: if counted { self.cycle_loss } else { CycleLoss::None },
                lambda_cycle: self.lambda_cycle,
                lambda_identity: self.lambda_identity,
                updates: self.updates,
                pool: self.pool,
                average: common.keeps_average(),
                scaled: !common.precision.is_single(),
                g_adam: common.g_adam(),
                d_adam: common.d_adam(),
                diffaugment: common.diffaugment_policy(),
            },
        })
    }

    /// The discriminators of one domain: `D_X`, or where there are several scales `D_X.0`, `D_X.1`, .. (an `nn.ModuleList`).
    fn discriminators(&self, domain: Domain) -> Result<Vec<Network>> {
        let (size, name, channels) =
            (self.common.size, format!("D_{}", domain.name()), self.channels(domain));
        if self.scales == 1 {
            return Ok(vec![self.discriminator(&name, size, channels)?]);
        }
        let of =
            |scale| self.discriminator(&format!("{name}.{scale}"), size.map(|side| side >> scale), channels);
        (0..self.scales).map(of).collect()
    }

    fn discriminator(&self, name: &str, size: Size, channels: usize) -> Result<Network> {
        let Common { d_width: width, slope, d_first_norm, .. } = self.common;
        let norm = self.common.discriminator_norm();
        match self.discriminator {
            Discriminator::Patch => Ok(patch_discriminator(name, width, channels, norm, slope)),
            Discriminator::Patch70 => Ok(patch70_discriminator(name, width, channels, norm, slope)),
            Discriminator::Whole => {
                let network = discriminator(width, size, channels, norm, d_first_norm, slope)?;
                Ok(Network { name: name.into(), ..network })
            }
        }
    }

    /// Channels of a set's images.
    pub fn channels(&self, domain: Domain) -> usize {
        let own = match domain {
            Domain::X => self.x_channels,
            Domain::Y => self.y_channels,
        };
        own.unwrap_or(self.common.channels)
    }

    /// The source of a set's images.
    pub fn source(&self, domain: Domain) -> &str {
        match domain {
            Domain::X => &self.x,
            Domain::Y => &self.y,
        }
    }

    /// In which order a set's images are seen, and how they are changed.
    pub fn batching(&self, domain: Domain) -> Batching {
        let name = match domain {
            Domain::X => "x",
            Domain::Y => "y",
        };
        self.common.batching(name, true)
    }
}
