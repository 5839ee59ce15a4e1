//! What settings are checked by: each refusal names the setting and what can be chosen.

use crate::data::CHANNELS;
use crate::nn::Norm;
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
