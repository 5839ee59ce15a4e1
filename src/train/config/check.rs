//! What settings are checked by: each refusal names the setting and what can be chosen.

use super::Common;
use crate::data::CHANNELS;
use crate::nn::Norm;
use crate::optim::Schedule;
use crate::size::Size;
use crate::{Error, Result};
use std::ops::RangeInclusive;

pub(crate) fn setting(name: &'static str, problem: String) -> Result<()> {
    Err(Error::Setting { name, problem })
}

pub(crate) fn refuse(name: &'static str, value: impl std::fmt::Display, wanted: &str) -> Result<()> {
    setting(name, format!("{name} is {value}; choose {wanted}"))
}

/// Refuses channels that images do not have.
pub(crate) fn check_channels(name: &'static str, channels: usize) -> Result<()> {
    match CHANNELS.contains(&channels) {
        true => Ok(()),
        false => refuse(name, channels, "3 for colour, 1 for grey or 4 for colour and transparency"),
    }
}

pub(crate) fn within(name: &'static str, value: usize, range: RangeInclusive<usize>) -> Result<()> {
    match range.contains(&value) {
        true => Ok(()),
        false => refuse(name, value, &format!("one from {} to {}", range.start(), range.end())),
    }
}

pub(super) fn number(name: &'static str, value: f64, fits: bool, wanted: &str) -> Result<()> {
    if fits { Ok(()) } else { refuse(name, value, wanted) }
}

pub(super) fn positive(values: &[(&'static str, Option<f64>)]) -> Result<()> {
    values.iter().filter_map(|&(name, value)| Some((name, value?))).try_for_each(|(name, value)| {
        // What is computed with is its f32.
        let fits = value as f32 > 0.0 && (value as f32).is_finite();
        number(name, value, fits, "a number above 0 that a 32-bit float can hold")
    })
}

pub(crate) fn weights(values: &[(&'static str, f64)]) -> Result<()> {
    values.iter().try_for_each(|&(name, value)| {
        number(name, value, value >= 0.0 && (value as f32).is_finite(), "0 (off) or a number above")
    })
}

pub(crate) fn counts(values: &[(&'static str, Option<u64>)]) -> Result<()> {
    values.iter().filter_map(|&(name, count)| Some((name, count?))).try_for_each(|(name, count)| {
        let fits = count >= 1 && count <= u64::from(u32::MAX);
        number(name, count as f64, fits, "1 or more, up to 2^32 - 1")
    })
}

pub(super) fn check_norms(norm: Norm, d_norm: Norm, r1: f64) -> Result<()> {
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

impl Common {
    /// Names the first setting that is out of range, and what can be chosen.
    pub(super) fn check(&self) -> Result<()> {
        check_channels("channels", self.channels)?;
        if let Some(Size { height, width }) = self.load_size {
            within("load_size", height, self.size.height..=8192)?;
            within("load_size", width, self.size.width..=8192)?;
        }
        within("batch", self.batch, 1..=65536)?;
        within("g_width", self.g_width, 1..=4096)?;
        within("d_width", self.d_width, 1..=4096)?;
        within("blocks", self.blocks, 0..=100)?;
        counts(&[
            ("steps", self.steps),
            ("epochs", self.epochs),
            ("memory_limit", self.memory_limit),
            ("r1_every", Some(self.r1_every)),
            ("log_every", Some(self.log_every)),
            ("sample_every", Some(self.sample_every)),
            ("checkpoint_every", Some(self.checkpoint_every)),
            ("check_every", Some(self.check_every)),
        ])?;
        if i64::try_from(self.seed).is_err() {
            refuse("seed", self.seed, "one below 2^63")?;
        }
        positive(&[
            ("lr", Some(self.lr)),
            ("g_lr", self.g_lr),
            ("d_lr", self.d_lr),
            ("eps", Some(self.eps)),
            ("d_scale", Some(self.d_scale)),
            ("g_scale", Some(self.g_scale)),
        ])?;
        for (name, beta) in [("beta1", self.beta1), ("beta2", self.beta2)] {
            let fits = beta >= 0.0 && (beta as f32) < 1.0;
            number(name, beta, fits, "one from 0 to below 1, as a 32-bit float")?;
        }
        // What is computed with is its f32.
        let decay = self.average >= 0.0 && (self.average as f32) < 1.0;
        number("average", self.average, decay, "0 (off) or a decay below 1, as a 32-bit float")?;
        check_norms(self.norm, self.discriminator_norm(), self.r1)?;
        weights(&[("r1", self.r1)])?;
        self.check_schedule()?;
        let fraction = "a fraction from 0 to below 1";
        number("slope", self.slope, (0.0..=1.0).contains(&self.slope), "one from 0 (ReLU) to 1")?;
        number("holdout", self.holdout, (0.0..1.0).contains(&self.holdout), fraction)?;
        number("rotate", self.rotate, (0.0..=180.0).contains(&self.rotate), "degrees from 0 to 180")?;
        number("stretch", self.stretch, (0.0..1.0).contains(&self.stretch), fraction)
    }

    fn check_schedule(&self) -> Result<()> {
        match (self.decay_from, self.schedule) {
            (Some(from), Schedule::Constant | Schedule::Cosine) => Err(Error::Setting {
                name: "decay_from",
                problem: format!(
                    "decay_from is {from}, but only the linear schedule has such a step; choose `schedule` linear, or leave it out"
                ),
            }),
            _ => Ok(()),
        }
    }
}
