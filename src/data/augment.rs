use rand::{Rng, RngExt};
use serde::{Deserialize, Serialize};

use super::to_unit;
use crate::size::Size;
use crate::{Error, Result};

/// The names of the usual augmentations.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum AugmentKind {
    /// The image as it is.
    None,
    /// The same: resized and scaled to -1 to 1, nothing random.
    Basic,
    /// Stored a tenth larger, a random crop of it, flipped left to right half of the time.
    Deluxe,
}

/// How a stored image becomes a training image.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Augment {
    /// Crop and flip.
    pub kind: AugmentKind,
    /// The largest rotation either way, in degrees, up to 180; 0 turns it off.
    pub rotate: f32,
    /// The largest change of height and of width, as a fraction below 1, each drawn on its own; 0 turns it off.
    pub stretch: f32,
    /// The size at which images are stored, of which random crops are trained on; where it is not given, that of the
    /// kind.
    pub load_size: Option<Size>,
}

impl Augment {
    /// The size at which images are stored for training images of `size`: `load_size` where it is given,
    /// `floor(1.1 * size)` where [`AugmentKind::Deluxe`] crops, else `size`.
    pub fn stored_size(&self, size: impl Into<Size>) -> Size {
        match (self.load_size, self.kind) {
            (Some(load_size), _) => load_size,
            (None, AugmentKind::None | AugmentKind::Basic) => size.into(),
            (None, AugmentKind::Deluxe) => size.into().map(|side| side.saturating_add(side / 10)),
        }
    }

    pub(super) fn check(&self) -> Result<()> {
        if !(0.0..=180.0).contains(&self.rotate) {
            return Err(Error::Input(format!("rotate is {}; it must be from 0 to 180 degrees", self.rotate)));
        }
        if !(0.0..1.0).contains(&self.stretch) {
            return Err(Error::Input(format!(
                "stretch is {}; it must be at least 0 and below 1",
                self.stretch
            )));
        }
        Ok(())
    }

    /// Makes a training image: `image` is bytes of a size `stored` that covers `size`, `[height, width, channels]`; `out`
    /// becomes as many values of `size`, from -1 to 1.
    ///
    /// Draws from `rng`, in this order: where the image is stored larger, the crop's top and its left; with
    /// [`AugmentKind::Deluxe`] whether to flip; with
    /// `rotate`, the angle; with `stretch`, the scale of the height, then of the width. Rotation and stretch turn
    /// about the crop's centre, sample bilinearly and reflect the stored image at its borders.
    ///
    /// # Errors
    /// If the lengths do not fit the sizes, or a setting is out of range.
    pub fn apply(
        &self,
        image: &[u8],
        channels: usize,
        [stored, size]: [Size; 2],
        rng: &mut impl Rng,
        out: &mut [f32],
    ) -> Result<()> {
        self.check()?;
        let covered = stored.height >= size.height && stored.width >= size.width;
        if channels == 0
            || !covered
            || image.len() != stored.area() * channels
            || out.len() != size.area() * channels
        {
            return Err(Error::Input(format!(
                "augment: {} bytes and {} values are not an image of size {stored} and one of size {size} with \
                 {channels} channels",
                image.len(),
                out.len()
            )));
        }
        let stored = Stored { bytes: image, size: stored, channels };
        let (top, left, flip) = self.draw_crop([stored.size, size], rng);
        let warp = self.draw_warp(rng);
        let [middle, centre] = size.extents().map(|side| (side as f32 - 1.0) / 2.0);
        for (index, pixel) in out.chunks_exact_mut(channels).enumerate() {
            let (y, mut x) = (index / size.width, index % size.width);
            if flip {
                x = size.width - 1 - x;
            }
            match &warp {
                None => stored.copy(top + y, left + x, pixel),
                Some(warp) => {
                    let (dy, dx) = warp.source(y as f32 - middle, x as f32 - centre);
                    stored.sample(top as f32 + middle + dy, left as f32 + centre + dx, pixel);
                }
            }
        }
        Ok(())
    }

    /// Draws as [`Augment::apply`] does, for an image that another makes.
    pub(super) fn skip(&self, sizes: [Size; 2], rng: &mut impl Rng) {
        self.draw_crop(sizes, rng);
        self.draw_warp(rng);
    }

    /// The crop's top and left, and whether to flip it.
    fn draw_crop(&self, [stored, size]: [Size; 2], rng: &mut impl Rng) -> (usize, usize, bool) {
        let deluxe = self.kind == AugmentKind::Deluxe;
        let mut place = |margin: usize| if margin > 0 || deluxe { rng.random_range(0..=margin) } else { 0 };
        let (top, left) = (place(stored.height - size.height), place(stored.width - size.width));
        (top, left, deluxe && rng.random())
    }

    fn draw_warp(&self, rng: &mut impl Rng) -> Option<Warp> {
        if self.rotate == 0.0 && self.stretch == 0.0 {
            return None;
        }
        let mut within = |limit: f32| {
            if limit > 0.0 { rng.random_range(-limit..=limit) } else { 0.0 }
        };
        let (sin, cos) = within(self.rotate).to_radians().sin_cos();
        let (height, width) = (1.0 + within(self.stretch), 1.0 + within(self.stretch));
        Some(Warp { sin, cos, height, width })
    }
}

/// A stretch, then a rotation, about a centre.
struct Warp {
    sin: f32,
    cos: f32,
    height: f32,
    width: f32,
}

impl Warp {
    /// Where the pixel that ends `(y, x)` from the centre comes from.
    fn source(&self, y: f32, x: f32) -> (f32, f32) {
        ((self.cos * y - self.sin * x) / self.height, (self.sin * y + self.cos * x) / self.width)
    }
}

/// A stored image, HWC bytes.
struct Stored<'a> {
    bytes: &'a [u8],
    size: Size,
    channels: usize,
}

impl Stored<'_> {
    fn pixel(&self, y: usize, x: usize) -> &[u8] {
        &self.bytes[(y * self.size.width + x) * self.channels..][..self.channels]
    }

    fn copy(&self, y: usize, x: usize, out: &mut [f32]) {
        for (out, &byte) in out.iter_mut().zip(self.pixel(y, x)) {
            *out = to_unit(byte);
        }
    }

    /// The bilinear sample at any place, the image reflected about its outermost pixels.
    fn sample(&self, y: f32, x: f32, out: &mut [f32]) {
        let [lowest, last] = self.size.extents().map(|side| side - 1);
        let (y, x) = (reflect(y, lowest as f32), reflect(x, last as f32));
        let (top, left) = (y as usize, x as usize);
        let (bottom, right) = ((top + 1).min(lowest), (left + 1).min(last));
        let (down, across) = (y - top as f32, x - left as f32);
        let mix = |a: f32, b: f32, t: f32| a + (b - a) * t;
        for (channel, out) in out.iter_mut().enumerate() {
            let level = |y, x| f32::from(self.pixel(y, x)[channel]);
            let above = mix(level(top, left), level(top, right), across);
            let below = mix(level(bottom, left), level(bottom, right), across);
            *out = to_unit(mix(above, below, down));
        }
    }
}

/// Folds `place` into 0 to `last`, as a wave between two mirrors.
fn reflect(place: f32, last: f32) -> f32 {
    if last == 0.0 {
        return 0.0;
    }
    let place = place.rem_euclid(2.0 * last);
    if place > last { 2.0 * last - place } else { place }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::{Augment, AugmentKind};
    use crate::data::{to_byte, to_unit};
    use crate::random::stream;
    use crate::size::Size;

    const DELUXE: Augment = Augment { kind: AugmentKind::Deluxe, rotate: 0.0, stretch: 0.0, load_size: None };

    #[test]
    fn deluxe_crops_and_flips() {
        // A level says where its pixel was: 10 y + x.
        let stored: Vec<u8> = (0..11).flat_map(|y| (0..11).map(move |x| 10 * y + x)).collect();
        let mut seen = BTreeSet::new();
        for step in 0..200 {
            let mut out = vec![0.0; 100];
            DELUXE
                .apply(&stored, 1, [11, 10].map(Size::square), &mut stream(1, "test", step), &mut out)
                .unwrap();
            let levels: Vec<u8> = out.iter().map(|&unit| to_byte(unit)).collect();
            let flipped = levels[0] > levels[1];
            let corner = levels[if flipped { 9 } else { 0 }];
            for (i, &level) in levels.iter().enumerate() {
                let (y, x) = (i as u8 / 10, i as u8 % 10);
                assert_eq!(level, corner + 10 * y + if flipped { 9 - x } else { x });
            }
            seen.insert((corner, flipped));
        }
        assert_eq!(seen.len(), 8, "two tops, two lefts, flipped or not");
        assert_eq!([64, 256, 10].map(|size| DELUXE.stored_size(size)), [70, 281, 11].map(Size::square));
    }

    #[test]
    fn crops_are_of_the_load_size_and_everywhere() {
        let augment = Augment { kind: AugmentKind::Basic, load_size: Some(14.into()), ..DELUXE };
        let stored: Vec<u8> = (0..14).flat_map(|y| (0..14).map(move |x| 14 * y + x)).collect();
        let mut seen = BTreeSet::new();
        for step in 0..500 {
            let mut out = vec![0.0; 100];
            augment
                .apply(&stored, 1, [14, 10].map(Size::square), &mut stream(1, "test", step), &mut out)
                .unwrap();
            let levels: Vec<u8> = out.iter().map(|&unit| to_byte(unit)).collect();
            for (i, &level) in levels.iter().enumerate() {
                assert_eq!(level, levels[0] + 14 * (i as u8 / 10) + i as u8 % 10, "never mirrored");
            }
            seen.insert(levels[0]);
        }
        assert_eq!(seen.len(), 25, "five tops, five lefts");
    }

    #[test]
    fn rotation_and_stretch_reflect_at_the_borders() {
        let augment = Augment { rotate: 180.0, stretch: 0.9, ..DELUXE };
        let noisy: Vec<u8> = (0..11 * 11 * 3).map(|i| (i * i * 37 % 256) as u8).collect();
        for step in 0..100 {
            let mut out = vec![9.0; 300];
            augment
                .apply(
                    &[77; 11 * 11 * 3],
                    3,
                    [11, 10].map(Size::square),
                    &mut stream(1, "test", step),
                    &mut out,
                )
                .unwrap();
            assert!(out.iter().all(|&unit| unit == to_unit(77u8)), "a constant image stays constant");
            augment
                .apply(&noisy, 3, [11, 10].map(Size::square), &mut stream(1, "test", step), &mut out)
                .unwrap();
            assert!(out.iter().all(|unit| (-1.0..=1.0).contains(unit)));
        }
    }

    #[test]
    fn rotation_keeps_a_symmetric_image_and_moves_another() {
        let augment = Augment { rotate: 30.0, kind: AugmentKind::Basic, ..DELUXE };
        let image = |centre: f32| -> Vec<u8> {
            let distance = move |i: usize| ((i / 41) as f32 - 20.0).hypot((i % 41) as f32 - centre);
            (0..41 * 41).map(|i| (250.0 * (-distance(i).powi(2) / 50.0).exp()) as u8).collect()
        };
        // The largest change of a pixel, in levels, over some angles.
        let moved_by = |centre: f32| {
            let image = image(centre);
            let mut out = vec![0.0; 41 * 41];
            let mut largest = 0.0f32;
            for step in 0..10 {
                augment
                    .apply(&image, 1, [41, 41].map(Size::square), &mut stream(1, "test", step), &mut out)
                    .unwrap();
                for (unit, &byte) in out.iter().zip(&image) {
                    largest = largest.max(127.5 * (unit - to_unit(byte)).abs());
                }
            }
            largest
        };
        // Bilinear interpolation of the bump is off by an eighth of its curvature along each axis, 2.5 levels, bytes by one.
        assert!(moved_by(20.0) < 3.5);
        assert!(moved_by(30.0) > 50.0);
    }
}
