//! DCGAN's settings.

use super::networks::{Generator, LEAST_EXCITED, Stages, discriminator};
use super::{Dcgan, Objective};
use crate::Result;
use crate::data::{AugmentKind, Batching, NoiseKind};
use crate::nn::loss::Adversarial;
use crate::nn::{Init, Norm, Upsample};
use crate::train::config::check::{counts, setting, within};
#[cfg(feature = "cli")]
use crate::train::config::fields::named;
use crate::train::config::fields::settings;
use crate::train::config::fixed::{NETWORKS, UPDATES};
use crate::train::config::{Common, DiffAugmentPart, DiffAugmentParts, Preset, RunConfig};

settings! {
    for "dcgan";
    /// DCGAN's settings as given: each may be missing.
    given DcganSettings;
    /// All settings of a DCGAN run. Written as the run's `config.toml`, they are enough to run it again.
    full DcganConfig;
    perhaps {}
    always {
        /// A folder or .zip file of images, or a bundled set such as builtin:noto, builtin:noto/faces or builtin:twemoji.
        #[arg(value_name = "DIR|ZIP|builtin:SET")]
        data: String,
        /// Drop an epoch's last batch if it is short.
        #[arg(num_args = 0..=1, default_missing_value = "true", require_equals = true)]
        drop_last: bool,
        /// Length of a noise vector.
        noise_size: usize,
        /// Distribution of the noise: uniform from -1 to 1, or normal.
        #[arg(value_parser = named::<NoiseKind>, value_name = "uniform|normal")]
        noise: NoiseKind,
        /// Skip-layer excitation: features an eighth as large gate the generator's features of 32x32 pixels and more. For
        /// images of 64 pixels or more.
        #[arg(num_args = 0..=1, default_missing_value = "true", require_equals = true)]
        excite: bool,
        /// Update the discriminator every N iterations.
        d_every: u64,
        /// Draw new noise for the generator's step instead of reusing the discriminator's.
        #[arg(num_args = 0..=1, default_missing_value = "true", require_equals = true)]
        fresh_noise: bool,
    }
}

impl RunConfig for DcganConfig {
    const KIND: &'static str = "dcgan";
    type Settings = DcganSettings;
    const FIXED: &'static [(&'static str, &'static str)] = &[
        ("noise_size", NETWORKS),
        ("noise", "the generator has learned to draw from it"),
        ("excite", NETWORKS),
        ("d_every", UPDATES),
    ];

    fn preset(preset: Preset) -> Self {
        let common = Common { epochs: Some(300), d_scale: 0.5, ..Common::base(preset) };
        let seed = Self {
            data: "builtin:noto".into(),
            drop_last: false,
            noise_size: 100,
            noise: NoiseKind::Uniform,
            excite: false,
            d_every: 2,
            fresh_noise: true,
            common,
        };
        match preset {
            Preset::Small => {
                let paper = Self::preset(Preset::Paper);
                let common = Common {
                    preset: Some(preset),
                    steps: Some(5000),
                    epochs: None,
                    augment: AugmentKind::Deluxe,
                    diffaugment: DiffAugmentParts(vec![DiffAugmentPart::Translation]),
                    batch: 16,
                    g_width: 32,
                    upsample: Upsample::Nearest,
                    d_width: 32,
                    average: 0.995,
                    lr: 5e-4,
                    ..paper.common
                };
                Self { common, ..paper }
            }
            Preset::Seed => seed,
            Preset::Course => {
                let common = Common {
                    epochs: Some(100),
                    g_width: 32,
                    d_width: 32,
                    norm: Norm::Instance,
                    g_scale: 1.0,
                    ..seed.common
                };
                Self { d_every: 1, common, ..seed }
            }
            Preset::Paper => {
                let common = Common {
                    epochs: Some(25),
                    augment: AugmentKind::Basic,
                    batch: 64,
                    g_width: 64,
                    d_width: 64,
                    d_first_norm: false,
                    slope: 0.2,
                    init: vec![Init::Normal.into()],
                    loss: Adversarial::Bce,
                    d_scale: 1.0,
                    g_scale: 1.0,
                    lr: 2e-4,
                    ..seed.common
                };
                Self { noise: NoiseKind::Normal, d_every: 1, fresh_noise: false, common, ..seed }
            }
        }
    }

    fn check(&self) -> Result<()> {
        let size = self.common.size;
        within("size", size.most(), 6..=2048)?;
        let stages = Stages::of(size)?;
        within("noise_size", self.noise_size, 1..=65536)?;
        if self.excite && stages.count < LEAST_EXCITED {
            return setting(
                "excite",
                format!(
                    "excite gates features that were doubled three times, which an image of size {size} is not made of; choose \
                    `size` 64 or more, or `excite`=false"
                ),
            );
        }
        counts(&[("d_every", Some(self.d_every))])
    }

    fn common(&self) -> &Common {
        &self.common
    }

    fn common_mut(&mut self) -> &mut Common {
        &mut self.common
    }

    fn sources(&mut self) -> Vec<(&'static str, &mut String)> {
        vec![("data", &mut self.data)]
    }

    fn whose(name: &str) -> Option<&'static str> {
        crate::models::whose(name, Self::KIND)
    }
}

impl DcganConfig {
    /// The networks and what they are trained for.
    ///
    /// # Errors
    /// If the size is none DCGAN can draw.
    pub fn dcgan(&self) -> Result<Dcgan> {
        let common = &self.common;
        Ok(Dcgan {
            generator: Generator {
                noise: self.noise_size,
                width: common.g_width,
                size: common.size,
                channels: common.channels,
                norm: common.norm,
                upsample: common.upsample,
                blocks: common.blocks,
                excite: self.excite,
            }
            .network()?,
            discriminator: discriminator(
                common.d_width,
                common.size,
                common.channels,
                common.discriminator_norm(),
                common.d_first_norm,
                common.slope,
            )?,
            noise: self.noise_size,
            size: common.size,
            channels: common.channels,
            objective: Objective {
                loss: common.loss,
                d_scale: common.d_scale,
                g_scale: common.g_scale,
                r1: common.r1(),
                fresh_noise: self.fresh_noise,
                average: common.keeps_average(),
                scaled: !common.precision.is_single(),
                g_adam: common.g_adam(),
                d_adam: common.d_adam(),
                diffaugment: common.diffaugment_policy(),
            },
        })
    }

    /// In which order images are seen, and how they are changed.
    pub fn batching(&self) -> Batching {
        self.common.batching("data", self.drop_last)
    }
}
