//! The presets' values.

use super::{DcganConfig, DiffAugmentParts, Preset};
use crate::data::{AugmentKind, Fit, NoiseKind};
use crate::nn::Init;
use crate::nn::dcgan::Norm;
use crate::nn::loss::Adversarial;

impl Preset {
    /// All settings as this preset has them.
    pub fn config(self) -> DcganConfig {
        let seed = DcganConfig {
            preset: Some(Self::Seed),
            steps: None,
            epochs: Some(300),
            g_lr: None,
            d_lr: None,
            data: "builtin:noto".into(),
            size: 64,
            channels: 3,
            fit: Fit::Crop,
            skip_bad: false,
            holdout: 0.0,
            augment: AugmentKind::Deluxe,
            rotate: 0.0,
            stretch: 0.0,
            diffaugment: DiffAugmentParts::default(),
            batch: 16,
            drop_last: false,
            noise_size: 100,
            noise: NoiseKind::Uniform,
            g_width: 16,
            d_width: 16,
            norm: Norm::Batch,
            d_first_norm: true,
            slope: 0.0,
            init: Init::Uniform,
            loss: Adversarial::Lsgan,
            d_scale: 0.5,
            g_scale: 0.5,
            d_every: 2,
            fresh_noise: true,
            lr: 3e-4,
            beta1: 0.5,
            beta2: 0.999,
            eps: 1e-8,
            seed: 11,
            log_every: 10,
            sample_every: 200,
            checkpoint_every: 400,
            keep: 3,
            device: crate::device::AUTO.into(),
        };
        match self {
            Self::Seed => seed,
            Self::Course => DcganConfig {
                preset: Some(self),
                epochs: Some(100),
                g_width: 32,
                d_width: 32,
                norm: Norm::Instance,
                g_scale: 1.0,
                d_every: 1,
                ..seed
            },
            Self::Paper => DcganConfig {
                preset: Some(self),
                epochs: Some(25),
                augment: AugmentKind::Basic,
                batch: 64,
                noise: NoiseKind::Normal,
                g_width: 64,
                d_width: 64,
                d_first_norm: false,
                slope: 0.2,
                init: Init::Normal,
                loss: Adversarial::Bce,
                d_scale: 1.0,
                g_scale: 1.0,
                d_every: 1,
                fresh_noise: false,
                lr: 2e-4,
                ..seed
            },
        }
    }
}
