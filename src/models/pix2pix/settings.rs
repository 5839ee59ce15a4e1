//! pix2pix's settings.

use super::networks::{UNet, discriminator};
use super::{Objective, Pix2Pix};
use crate::Result;
use crate::data::Half;
use crate::models::cyclegan::Domain;
use crate::nn::loss::Adversarial;
use crate::nn::{Init, Norm, NormMode, Upsample};
use crate::optim::Schedule;
use crate::size::Size;
use crate::train::config::check::weights;
#[cfg(feature = "cli")]
use crate::train::config::fields::named;
use crate::train::config::fields::settings;
use crate::train::config::fixed::NETWORKS;
use crate::train::config::{Common, Preset, RunConfig};
use serde::{Deserialize, Serialize};

/// From which image of a pair to which.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Direction {
    /// From X, or the left image, to its partner.
    XToY,
    /// From Y, or the right image, to its partner.
    YToX,
}

impl Direction {
    /// What the other one is called.
    pub const fn reversed(self) -> &'static str {
        match self {
            Self::XToY => "y-to-x",
            Self::YToX => "x-to-y",
        }
    }
}

settings! {
    for "pix2pix";
    /// pix2pix's settings as given: each may be missing.
    given Pix2PixSettings;
    /// All settings of a pix2pix run. Written as the run's `config.toml`, they are enough to run it again.
    full Pix2PixConfig;
    perhaps {
        /// Pairs: a folder or .zip file of images that each hold X on the left and Y on the right; or give --x and --y.
        #[arg(value_name = "DIR|ZIP")]
        pairs: String,
        /// Dataset X: a folder or .zip file of images, or a bundled set [default: builtin:noto/faces].
        #[arg(value_name = "DIR|ZIP|builtin:SET")]
        x: String,
        /// Dataset Y: images with the names of those of X, with any extension [default: builtin:twemoji/faces].
        #[arg(value_name = "DIR|ZIP|builtin:SET")]
        y: String,
        /// Channels of X [default: --channels]; for example 1, with 3 for Y, to colour grey images.
        x_channels: usize,
        /// Channels of Y [default: --channels].
        y_channels: usize,
        /// Downsampling stages of the U-Net [default: as many as --size allows, up to 8]; --size must be a multiple of 2 to this
        /// power.
        depth: usize,
    }
    always {
        /// Which way to translate.
        #[arg(value_parser = named::<Direction>, value_name = "x-to-y|y-to-x")]
        direction: Direction,
        /// Stages of the discriminator: each score judges patches of 16x16 pixels with 1, 34x34 with 2, 70x70 with 3.
        d_layers: usize,
        /// Weight of the mean absolute error between translations and partners; 0 turns it off.
        lambda_l1: f64,
        /// Fraction of features that dropout drops in the U-Net's inner upsampling stages, in training and in translations; 0
        /// turns it off.
        dropout: f64,
    }
}

impl RunConfig for Pix2PixConfig {
    const KIND: &'static str = "pix2pix";
    type Settings = Pix2PixSettings;
    const FIXED: &'static [(&'static str, &'static str)] = &[
        ("direction", "it is what the networks have learned"),
        ("x_channels", NETWORKS),
        ("y_channels", NETWORKS),
        ("depth", NETWORKS),
        ("d_layers", NETWORKS),
    ];

    fn preset(preset: Preset) -> Self {
        let common =
            Common { steps: Some(5000), sample_every: 100, checkpoint_every: 800, ..Common::base(preset) };
        let seed = Self {
            pairs: None,
            x: None,
            y: None,
            x_channels: None,
            y_channels: None,
            depth: None,
            direction: Direction::XToY,
            d_layers: 2,
            lambda_l1: 100.0,
            dropout: 0.5,
            common: Common { slope: 0.2, init: vec![Init::Normal.into()], g_scale: 1.0, ..common },
        };
        match preset {
            Preset::Seed => seed,
            Preset::Course => {
                let common = Common { g_width: 32, d_width: 32, norm: Norm::Instance, ..seed.common };
                Self { common, ..seed }
            }
            Preset::Small => {
                let common = Common {
                    batch: 4,
                    g_width: 32,
                    d_width: 32,
                    norm: Norm::Instance,
                    upsample: Upsample::Nearest,
                    loss: Adversarial::Bce,
                    d_scale: 0.5,
                    average: 0.99,
                    lr: 1e-3,
                    schedule: Schedule::Linear,
                    ..seed.common
                };
                Self { common, ..seed }
            }
            Preset::Paper => {
                let common = Common {
                    steps: None,
                    epochs: Some(200),
                    size: Size::square(256),
                    batch: 1,
                    g_width: 64,
                    d_width: 64,
                    loss: Adversarial::Bce,
                    d_scale: 0.5,
                    lr: 2e-4,
                    schedule: Schedule::Linear,
                    ..seed.common
                };
                Self { d_layers: 3, common, ..seed }
            }
        }
    }

    fn check(&self) -> Result<()> {
        self.check_sources()?;
        self.check_networks()?;
        self.check_channels()?;
        weights(&[("lambda_l1", self.lambda_l1)])
    }

    fn common(&self) -> &Common {
        &self.common
    }

    fn common_mut(&mut self) -> &mut Common {
        &mut self.common
    }

    fn sources(&mut self) -> Vec<(&'static str, &mut String)> {
        let all = [("pairs", &mut self.pairs), ("x", &mut self.x), ("y", &mut self.y)];
        all.into_iter().filter_map(|(name, source)| Some((name, source.as_mut()?))).collect()
    }

    /// The run's `config.toml` also says where images come from that nobody gave.
    fn settle(&mut self, total: u64) {
        (self.common.steps, self.common.epochs) = (Some(total), None);
        if self.pairs.is_none() {
            let [x, y] = Domain::BOTH.map(|domain| self.source(domain).to_owned());
            (self.x, self.y) = (Some(x), Some(y));
        }
    }

    fn whose(name: &str) -> Option<&'static str> {
        crate::models::whose(name, Self::KIND)
    }
}

impl Pix2PixConfig {
    /// The networks and what they are trained for.
    ///
    /// # Errors
    /// If the networks do not fit the size.
    pub fn pix2pix(&self) -> Result<Pix2Pix> {
        let common = &self.common;
        let channels = self.sets().map(|domain| self.channels(domain));
        let unet = UNet {
            width: common.g_width,
            depth: self.depth(),
            channels,
            norm: common.norm,
            upsample: common.upsample,
            dropout: self.dropout,
        };
        Ok(Pix2Pix {
            generator: unet.network("generator")?,
            discriminator: discriminator(
                "discriminator",
                common.d_width,
                channels.iter().sum(),
                self.d_layers,
                common.discriminator_norm(),
                common.slope,
            ),
            size: common.size,
            channels,
            objective: Objective {
                loss: common.loss,
                d_scale: common.d_scale,
                g_scale: common.g_scale,
                lambda_l1: self.lambda_l1,
                r1: common.r1(),
                average: common.keeps_average(),
                scaled: !common.precision.is_single(),
                g_adam: common.g_adam(),
                d_adam: common.d_adam(),
                diffaugment: common.diffaugment_policy(),
            },
        })
    }

    /// The set that is translated, and that of the partners.
    pub const fn sets(&self) -> [Domain; 2] {
        match self.direction {
            Direction::XToY => [Domain::X, Domain::Y],
            Direction::YToX => [Domain::Y, Domain::X],
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
        let (own, usual) = match domain {
            Domain::X => (&self.x, "builtin:noto/faces"),
            Domain::Y => (&self.y, "builtin:twemoji/faces"),
        };
        self.pairs.as_deref().or(own.as_deref()).unwrap_or(usual)
    }

    /// The half of each of its source's files that is a set's image, where files are pairs.
    pub fn half(&self, domain: Domain) -> Option<Half> {
        self.pairs.as_ref().map(|_| match domain {
            Domain::X => Half::Left,
            Domain::Y => Half::Right,
        })
    }

    /// What batch norms normalise by in translations, where nothing else is said: each image's own statistics where a batch of training is
    /// one image, as published, else the running ones.
    pub fn statistics(&self) -> NormMode {
        if self.common.batch == 1 { NormMode::Batch } else { NormMode::Running }
    }
}
