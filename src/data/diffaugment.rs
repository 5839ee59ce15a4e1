use rand::{Rng, RngExt};

use crate::random::stream;
use crate::ranks::Shard;
use crate::size::Size;

/// The random part of DiffAugment (Zhao et al., 2020) for a batch of `n` images of `h` x `w` pixels: one draw an
/// image, the same whichever of colour, translation and cutout are used.
#[derive(Debug, Clone, PartialEq)]
pub struct DiffAugmentParams {
    /// `[n]`, added to an image: uniform from -0.5 to 0.5.
    pub brightness: Vec<f32>,
    /// `[n]`, scales the distance of a pixel's channels from their mean: uniform from 0 to 2.
    pub saturation: Vec<f32>,
    /// `[n]`, scales the distance from an image's mean: uniform from 0.5 to 1.5.
    pub contrast: Vec<f32>,
    /// `[n, 2]`, down and right, in whole pixels: uniform over up to an eighth of either side, rounded, each way.
    pub shift: Vec<f32>,
    /// `[n, h, w]`, 0 in a rectangle of half of either side, else 1; its centre is anywhere, borders clip it.
    pub mask: Vec<f32>,
}

impl DiffAugmentParams {
    /// Draws from the stream of (seed, purpose, step), image by image: brightness, saturation, contrast, shift
    /// down, shift right, the cutout's centre down, its centre right. Of a part of a batch, those that the whole one has for it.
    ///
    /// # Panics
    /// If `purpose` is longer than 16 bytes, as [`stream`].
    pub fn new(seed: u64, purpose: &str, step: u64, batch: impl Into<Shard>, size: impl Into<Size>) -> Self {
        let (shard, size) = (batch.into(), size.into());
        let mut rng = stream(seed, purpose, step);
        let mut draws = Self {
            brightness: Vec::with_capacity(shard.len),
            saturation: Vec::with_capacity(shard.len),
            contrast: Vec::with_capacity(shard.len),
            shift: Vec::with_capacity(2 * shard.len),
            mask: vec![1.0; shard.len * size.area()],
        };
        let reach = size.extents().map(|side| ((side + 4) / 8) as i32);
        for image in 0..shard.range().end {
            let brightness = rng.random_range(-0.5..0.5);
            let saturation = rng.random_range(0.0..2.0);
            let contrast = rng.random_range(0.5..1.5);
            let shift = reach.map(|reach| rng.random_range(-reach..=reach) as f32);
            let [rows, columns] = size.extents().map(|side| cutout(&mut rng, side));
            let Some(own) = image.checked_sub(shard.first) else { continue };
            draws.brightness.push(brightness);
            draws.saturation.push(saturation);
            draws.contrast.push(contrast);
            draws.shift.extend(shift);
            let mask = &mut draws.mask[own * size.area()..][..size.area()];
            for row in rows {
                mask[row * size.width..][columns.clone()].fill(0.0);
            }
        }
        draws
    }
}

/// The pixels a cutout covers along one axis.
fn cutout(rng: &mut impl Rng, side: usize) -> std::ops::Range<usize> {
    let length = side / 2;
    // The middle of an even length lies between two pixels, or at a border; that of an odd one is a pixel.
    let centre: usize = rng.random_range(0..side + 1 - length % 2);
    let start = centre.saturating_sub(length / 2);
    let end = (centre + length - length / 2).min(side);
    start..end
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::DiffAugmentParams;

    #[test]
    fn diffaugment_draws_keep_their_ranges() {
        let (batch, side) = (500, 16);
        let draws = DiffAugmentParams::new(1, "diffaug", 4, batch, side);
        assert_eq!(draws, DiffAugmentParams::new(1, "diffaug", 4, batch, side));
        let within = |values: &[f32], low: f32, high: f32| {
            values.len() == batch && values.iter().all(|x| (low..=high).contains(x))
        };
        assert!(within(&draws.brightness, -0.5, 0.5));
        assert!(within(&draws.saturation, 0.0, 2.0));
        assert!(within(&draws.contrast, 0.5, 1.5));
        let shifts: BTreeSet<i32> = draws.shift.iter().map(|&x| x as i32).collect();
        assert_eq!(shifts, (-2..=2).collect());
        assert_eq!(draws.shift.len(), 2 * batch);

        let areas: BTreeSet<usize> = draws
            .mask
            .chunks_exact(side * side)
            .map(|mask| mask.iter().filter(|&&keep| keep == 0.0).count())
            .collect();
        assert_eq!(
            (areas.first(), areas.last()),
            (Some(&16), Some(&64)),
            "from a corner to the whole square"
        );
        assert!(draws.mask.iter().all(|&keep| keep == 0.0 || keep == 1.0));
        assert_eq!(draws.mask.len(), batch * side * side);
    }
}
