//! Which values settings can have.

use super::DcganConfig;
use crate::nn::dcgan::halvings;
use crate::{Error, Result};

impl DcganConfig {
    /// Names the first setting that is out of range, and what can be chosen.
    pub(super) fn check(&self) -> Result<()> {
        let within = |name: &str, value: usize, range: std::ops::RangeInclusive<usize>| {
            if range.contains(&value) {
                return Ok(());
            }
            Err(Error::Input(format!(
                "{name} is {value}; choose one from {} to {}",
                range.start(),
                range.end()
            )))
        };
        let number = |name: &str, value: f64, fits: bool, wanted: &str| {
            if fits { Ok(()) } else { Err(Error::Input(format!("{name} is {value}; choose {wanted}"))) }
        };
        halvings(self.size)?;
        within("size", self.size, 8..=2048)?;
        if !matches!(self.channels, 1 | 3) {
            return Err(Error::Input(format!(
                "channels is {}; choose 3 for colour or 1 for grey",
                self.channels
            )));
        }
        within("batch", self.batch, 1..=65536)?;
        within("noise_size", self.noise_size, 1..=65536)?;
        within("g_width", self.g_width, 1..=4096)?;
        within("d_width", self.d_width, 1..=4096)?;
        let counts = [
            ("steps", self.steps.unwrap_or(1)),
            ("epochs", self.epochs.unwrap_or(1)),
            ("d_every", self.d_every),
            ("log_every", self.log_every),
            ("sample_every", self.sample_every),
            ("checkpoint_every", self.checkpoint_every),
        ];
        for (name, count) in counts {
            number(
                name,
                count as f64,
                count >= 1 && count <= u64::from(u32::MAX),
                "1 or more, up to 2^32 - 1",
            )?;
        }
        number("seed", self.seed as f64, i64::try_from(self.seed).is_ok(), "one below 2^63")?;
        let rates =
            [("lr", Some(self.lr)), ("g_lr", self.g_lr), ("d_lr", self.d_lr), ("eps", Some(self.eps))];
        for (name, rate) in rates {
            let rate = rate.unwrap_or(1.0);
            number(name, rate, rate > 0.0 && rate.is_finite(), "a number above 0")?;
        }
        for (name, beta) in [("beta1", self.beta1), ("beta2", self.beta2)] {
            number(name, beta, (0.0..1.0).contains(&beta), "one from 0 to below 1")?;
        }
        for (name, scale) in [("d_scale", self.d_scale), ("g_scale", self.g_scale)] {
            number(name, scale, scale > 0.0 && scale.is_finite(), "a number above 0")?;
        }
        number("slope", self.slope, (0.0..=1.0).contains(&self.slope), "one from 0 (ReLU) to 1")?;
        number("holdout", self.holdout, (0.0..1.0).contains(&self.holdout), "a fraction from 0 to below 1")?;
        number("rotate", self.rotate, (0.0..=180.0).contains(&self.rotate), "degrees from 0 to 180")?;
        number("stretch", self.stretch, (0.0..1.0).contains(&self.stretch), "a fraction from 0 to below 1")
    }
}
