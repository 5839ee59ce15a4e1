//! Which sizes, scales and batches CycleGAN's networks and pool allow.

use super::networks::DOWNSAMPLINGS;
use super::{CycleGanConfig, Discriminator};
use crate::Result;
use crate::train::config::check::{setting, within};

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
        let multiple = 1 << DOWNSAMPLINGS;
        if !size.is_multiple_of(multiple) {
            let near = size.next_multiple_of(multiple);
            let below = near.saturating_sub(multiple).max(multiple);
            return setting(
                "size",
                format!(
                    "size {size}: CycleGAN halves images twice; choose a multiple of {multiple}, such as {below} or {near}"
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
                    "size {size}: the whole-image discriminator takes powers of two; choose {below} or {}, or \
                    `discriminator` patch",
                    2 * below
                ),
            );
        }
        within("size", size, least..=2048)
    }

    pub(super) fn check_scales(&self) -> Result<()> {
        within("scales", self.scales, 1..=8)?;
        let (size, least) = (self.common.size, self.discriminator.least());
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
