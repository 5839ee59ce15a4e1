//! Which sources, sizes and stages pix2pix's networks allow.

use super::Pix2PixConfig;
use crate::Result;
use crate::models::cyclegan::Domain;
use crate::train::config::check::{check_channels, refuse, setting, within};

/// The least stages of the U-Net.
const SHALLOWEST: u32 = 2;
/// The most where the size does not ask for fewer: those of the published network, for 256 pixels.
const USUAL: u32 = 8;
/// Features that the discriminator's last two convolutions need a side.
const LEAST: usize = 3;

impl Pix2PixConfig {
    /// Stages of the U-Net, down and up: as given, or as often as the size can be halved, up to 8 times.
    pub fn depth(&self) -> usize {
        let size = self.common.size;
        let halvings = size.height.trailing_zeros().min(size.width.trailing_zeros()).min(USUAL);
        self.depth.unwrap_or(halvings.max(SHALLOWEST) as usize)
    }

    pub(super) fn check_sources(&self) -> Result<()> {
        match (&self.pairs, &self.x, &self.y) {
            (Some(pairs), x, y) if x.is_some() || y.is_some() => setting(
                "pairs",
                format!(
                    "pairs is {pairs}, and {} is given too; choose `pairs`, or `x` and `y`",
                    if x.is_some() { "x" } else { "y" }
                ),
            ),
            (None, Some(_), None) => {
                setting("y", "x is given without y, where its partners are; give `y` too".into())
            }
            (None, None, Some(_)) => {
                setting("x", "y is given without x, whose partners it has; give `x` too".into())
            }
            _ => Ok(()),
        }
    }

    pub(super) fn check_networks(&self) -> Result<()> {
        let (size, depth) = (self.common.size, self.depth());
        within("size", size.most(), 1..=2048)?;
        within("depth", depth, SHALLOWEST as usize..=10)?;
        let multiple = 1 << depth;
        if !size.all(|side| side.is_multiple_of(multiple)) {
            let near = size.map(|side| side.next_multiple_of(multiple));
            let below = size.map(|side| (side / multiple).max(1) * multiple);
            let fewer = if self.depth.is_some() { ", or a smaller `depth`" } else { "" };
            return setting(
                "size",
                format!(
                    "size {size}: the U-Net halves images {depth} times; choose multiples of {multiple}, such as {below} or {near}{fewer}"
                ),
            );
        }
        within("d_layers", self.d_layers, 1..=6)?;
        let least = LEAST << self.d_layers;
        if size.least() < least {
            return setting(
                "d_layers",
                format!(
                    "size {size}: with d_layers {} the discriminator needs {least} pixels or more; choose a smaller `d_layers`, or a \
                    larger `size`",
                    self.d_layers
                ),
            );
        }
        if self.common.blocks > 0 {
            return refuse("blocks", self.common.blocks, "0: a U-Net has no residual blocks");
        }
        if !(0.0..1.0).contains(&self.dropout) {
            return refuse("dropout", self.dropout, "a fraction from 0 (off) to below 1");
        }
        Ok(())
    }

    pub(super) fn check_channels(&self) -> Result<()> {
        for (name, domain) in [("x_channels", Domain::X), ("y_channels", Domain::Y)] {
            check_channels(name, self.channels(domain))?;
        }
        Ok(())
    }
}
