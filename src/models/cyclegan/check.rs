//! Which sizes, scales and batches CycleGAN's networks and pool allow.

use super::networks::DOWNSAMPLINGS;
use super::{CycleGanConfig, Discriminator, Domain};
use crate::models::dcgan::networks::Stages;
use crate::train::config::check::{check_channels, setting, within};
use crate::{Error, Result};

impl Discriminator {
    /// The smallest image it can judge: so many pixels both ways.
    const fn least(self) -> usize {
        match self {
            Self::Whole => 8,
            Self::Patch => 16,
            Self::Patch70 => 24,
        }
    }
}

impl CycleGanConfig {
    pub(super) fn check_size(&self) -> Result<()> {
        let size = self.common.size;
        let (multiple, least) = (1 << DOWNSAMPLINGS, self.discriminator.least());
        within("size", size.most(), 1..=2048)?;
        if !size.all(|side| side.is_multiple_of(multiple)) {
            let near = size.map(|side| side.next_multiple_of(multiple));
            let below = size.map(|side| (side / multiple).max(1) * multiple);
            return setting(
                "size",
                format!(
                    "size {size}: CycleGAN halves images twice; choose multiples of {multiple}, such as {below} or {near}"
                ),
            );
        }
        if size.least() < least {
            return setting(
                "size",
                format!(
                    "size {size}: this discriminator needs {least} pixels or more; choose a larger `size` or another \
                    `discriminator`"
                ),
            );
        }
        if self.discriminator == Discriminator::Whole {
            Stages::of(size).map_err(|error| Error::Setting {
                name: "size",
                problem: format!("{error} for the whole-image discriminator, or `discriminator` patch"),
            })?;
        }
        Ok(())
    }

    pub(super) fn check_channels(&self) -> Result<()> {
        for (name, channels) in [("x_channels", self.x_channels), ("y_channels", self.y_channels)] {
            check_channels(name, channels.unwrap_or(self.common.channels))?;
        }
        let [x, y] = Domain::BOTH.map(|domain| self.channels(domain));
        if x != y && self.lambda_identity > 0.0 {
            return setting(
                "lambda_identity",
                format!(
                    "lambda_identity is {}, but X has {x} channels and Y {y}: no generator can leave images of its target set as \
                     they are; choose `lambda_identity` 0",
                    self.lambda_identity
                ),
            );
        }
        Ok(())
    }

    pub(super) fn check_scales(&self) -> Result<()> {
        within("scales", self.scales, 1..=8)?;
        let (size, least) = (self.common.size, self.discriminator.least());
        let fits = |scales: usize| {
            let shrunk = 1 << (scales - 1);
            size.all(|side| side.is_multiple_of(shrunk) && side / shrunk >= least)
        };
        let most = (1..=8).take_while(|&scales| fits(scales)).last().unwrap_or(1);
        if self.scales <= most {
            return Ok(());
        }
        let shrunk = 1 << (self.scales - 1);
        setting(
            "scales",
            format!(
                "scales is {}: the last discriminator sees images of size {size} / {shrunk}, and needs a whole number of {least} \
                pixels or more; choose `scales` {most} or less, or a multiple of {shrunk} from {} on as `size`",
                self.scales,
                least * shrunk
            ),
        )
    }

    /// Refuses a batch larger than the one of the first `step` steps, `then`, before the pool is full: how full it is, a run takes from
    /// its steps and its batch.
    pub(super) fn check_batch(&self, then: usize, step: u64) -> Result<()> {
        let now = self.common.batch;
        let stored = (step / self.d_fake_every).saturating_mul(then as u64);
        if now <= then || stored >= self.pool as u64 {
            return Ok(());
        }
        setting(
            "batch",
            format!(
                "batch is {then} and cannot become {now} yet: after {step} steps only {stored} of the {} images of the pool are there; go \
                 on without, and change it once the pool is full",
                self.pool
            ),
        )
    }
}
