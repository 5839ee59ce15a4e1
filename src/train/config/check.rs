//! Which values settings can have.

use super::{CycleGanConfig, DcganConfig, Discriminator};
use crate::nn::cyclegan::HALVINGS;
use crate::nn::dcgan::{LEAST_EXCITED, Norm, halvings};
use crate::optim::Schedule;
use crate::train::cyclegan_steps::Updates;
use crate::{Error, Result};
use std::ops::RangeInclusive;

fn setting(name: &'static str, problem: String) -> Result<()> {
    Err(Error::Setting { name, problem })
}

fn refuse(name: &'static str, value: impl std::fmt::Display, wanted: &str) -> Result<()> {
    setting(name, format!("{name} is {value}; choose {wanted}"))
}

fn within(name: &'static str, value: usize, range: RangeInclusive<usize>) -> Result<()> {
    match range.contains(&value) {
        true => Ok(()),
        false => refuse(name, value, &format!("one from {} to {}", range.start(), range.end())),
    }
}

fn number(name: &'static str, value: f64, fits: bool, wanted: &str) -> Result<()> {
    if fits { Ok(()) } else { refuse(name, value, wanted) }
}

fn positive(values: &[(&'static str, Option<f64>)]) -> Result<()> {
    values.iter().filter_map(|&(name, value)| Some((name, value?))).try_for_each(|(name, value)| {
        // What is computed with is its f32.
        let fits = value as f32 > 0.0 && (value as f32).is_finite();
        number(name, value, fits, "a number above 0 that a 32-bit float can hold")
    })
}

fn weights(values: &[(&'static str, f64)]) -> Result<()> {
    values.iter().try_for_each(|&(name, value)| {
        number(name, value, value >= 0.0 && (value as f32).is_finite(), "0 (off) or a number above")
    })
}

fn counts(values: &[(&'static str, Option<u64>)]) -> Result<()> {
    values.iter().filter_map(|&(name, count)| Some((name, count?))).try_for_each(|(name, count)| {
        let fits = count >= 1 && count <= u64::from(u32::MAX);
        number(name, count as f64, fits, "1 or more, up to 2^32 - 1")
    })
}

fn check_norms(norm: Norm, d_norm: Norm, r1: f64) -> Result<()> {
    if norm == Norm::Spectral {
        let problem = "norm is spectral, which is for discriminators; choose none, batch or instance, and `d_norm` spectral";
        return setting("norm", problem.into());
    }
    if r1 > 0.0 && matches!(d_norm, Norm::Batch | Norm::Instance) {
        return setting(
            "r1",
            format!(
                "r1 is {r1}, the gradient of a gradient, which batch and instance norm do not have; choose `d_norm` spectral or \
                `d_norm` none, or `r1` 0"
            ),
        );
    }
    Ok(())
}

/// The settings every kind of run has.
macro_rules! check_common {
    ($config:expr) => {{
        let config = $config;
        if !matches!(config.channels, 1 | 3) {
            refuse("channels", config.channels, "3 for colour or 1 for grey")?;
        }
        within("batch", config.batch, 1..=65536)?;
        within("g_width", config.g_width, 1..=4096)?;
        within("d_width", config.d_width, 1..=4096)?;
        counts(&[
            ("steps", config.steps),
            ("epochs", config.epochs),
            ("memory_limit", config.memory_limit),
            ("r1_every", Some(config.r1_every)),
            ("log_every", Some(config.log_every)),
            ("sample_every", Some(config.sample_every)),
            ("checkpoint_every", Some(config.checkpoint_every)),
            ("check_every", Some(config.check_every)),
        ])?;
        number("seed", config.seed as f64, i64::try_from(config.seed).is_ok(), "one below 2^63")?;
        positive(&[
            ("lr", Some(config.lr)),
            ("g_lr", config.g_lr),
            ("d_lr", config.d_lr),
            ("eps", Some(config.eps)),
            ("d_scale", Some(config.d_scale)),
            ("g_scale", Some(config.g_scale)),
        ])?;
        for (name, beta) in [("beta1", config.beta1), ("beta2", config.beta2)] {
            let fits = beta >= 0.0 && (beta as f32) < 1.0;
            number(name, beta, fits, "one from 0 to below 1, as a 32-bit float")?;
        }
        // What is computed with is its f32.
        let decay = config.average >= 0.0 && (config.average as f32) < 1.0;
        number("average", config.average, decay, "0 (off) or a decay below 1, as a 32-bit float")?;
        check_norms(config.norm, config.d_norm.unwrap_or(config.norm), config.r1)?;
        weights(&[("r1", config.r1)])?;
        let fraction = "a fraction from 0 to below 1";
        number("slope", config.slope, (0.0..=1.0).contains(&config.slope), "one from 0 (ReLU) to 1")?;
        number("holdout", config.holdout, (0.0..1.0).contains(&config.holdout), fraction)?;
        number("rotate", config.rotate, (0.0..=180.0).contains(&config.rotate), "degrees from 0 to 180")?;
        number("stretch", config.stretch, (0.0..1.0).contains(&config.stretch), fraction)
    }};
}

impl DcganConfig {
    /// Names the first setting that is out of range, and what can be chosen.
    pub(super) fn check(&self) -> Result<()> {
        halvings(self.size)?;
        within("size", self.size, 8..=2048)?;
        within("noise_size", self.noise_size, 1..=65536)?;
        within("blocks", self.blocks, 0..=100)?;
        if self.excite && self.size < LEAST_EXCITED {
            return setting(
                "excite",
                format!(
                    "excite gates features of 32x32 pixels or more, which a picture of size {} is not made of; choose `size` \
                    {LEAST_EXCITED} or more, or `excite`=false",
                    self.size
                ),
            );
        }
        counts(&[("d_every", Some(self.d_every))])?;
        check_common!(self)
    }
}

impl CycleGanConfig {
    /// Names the first setting that is out of range, and what can be chosen.
    pub(super) fn check(&self) -> Result<()> {
        self.check_size()?;
        self.check_scales()?;
        within("blocks", self.blocks, 0..=100)?;
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
        if let (Some(from), Schedule::Constant | Schedule::Cosine) = (self.decay_from, self.schedule) {
            return setting(
                "decay_from",
                format!(
                    "decay_from is {from}, but only the linear schedule has such a step; choose `schedule` linear, or leave it out"
                ),
            );
        }
        weights(&[("lambda_cycle", self.lambda_cycle), ("lambda_identity", self.lambda_identity)])?;
        check_common!(self)
    }

    fn check_size(&self) -> Result<()> {
        let size = self.size;
        let multiple = 1 << HALVINGS;
        if !size.is_multiple_of(multiple) {
            let near = size.next_multiple_of(multiple);
            let below = near.saturating_sub(multiple).max(multiple);
            return setting(
                "size",
                format!(
                    "size {size}: CycleGAN halves pictures twice; choose a multiple of {multiple}, such as {below} or {near}"
                ),
            );
        }
        let least = self.discriminator.least();
        if size < least {
            return setting(
                "size",
                format!(
                    "size {size}: this discriminator needs {least} pixels or more; choose a larger `size` or another \
                    `discriminator`"
                ),
            );
        }
        if self.discriminator == Discriminator::Whole && !size.is_power_of_two() {
            let below = 1_usize << size.ilog2();
            return setting(
                "size",
                format!(
                    "size {size}: the whole-picture discriminator takes powers of two; choose {below} or {}, or \
                    `discriminator` patch",
                    2 * below
                ),
            );
        }
        within("size", size, least..=2048)
    }

    fn check_scales(&self) -> Result<()> {
        within("scales", self.scales, 1..=8)?;
        let (size, least) = (self.size, self.discriminator.least());
        let fits = |scales: usize| {
            let shrunk = 1 << (scales - 1);
            size.is_multiple_of(shrunk) && size / shrunk >= least
        };
        let most = (1..=8).take_while(|&scales| fits(scales)).last().unwrap_or(1);
        if self.scales <= most {
            return Ok(());
        }
        let shrunk = 1 << (self.scales - 1);
        setting(
            "scales",
            format!(
                "scales is {}: the last discriminator sees pictures of size {size} / {shrunk}, and needs a whole number of {least} \
                pixels or more; choose `scales` {most} or less, or a multiple of {shrunk} from {} on as `size`",
                self.scales,
                least * shrunk
            ),
        )
    }
}
