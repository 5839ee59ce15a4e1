//! Images of any size as the squares that are trained on.

use image::imageops::{self, FilterType};
use image::{DynamicImage, Rgb, RgbImage};
use serde::{Deserialize, Serialize};

use super::MAX_SIDE;
use crate::{Error, Result};

/// How an image becomes square.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Fit {
    /// The largest square about the centre.
    Crop,
    /// The whole image, its sides scaled differently.
    Stretch,
}

/// How images are decoded and stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LoadOptions {
    /// Height and width to store, in pixels, up to 32768; see [`Augment::stored_side`](crate::data::Augment::stored_side).
    pub side: usize,
    /// 1 for grey (Rec. 709 luma), 3 for RGB.
    pub channels: usize,
    /// How an image becomes square.
    pub fit: Fit,
    /// Whether to go on without images that cannot be read.
    pub skip_bad: bool,
}

impl LoadOptions {
    pub(in crate::data) fn check(&self) -> Result<()> {
        if !(1..=MAX_SIDE as usize).contains(&self.side) || !matches!(self.channels, 1 | 3) {
            return Err(Error::Input(format!(
                "images of {0}x{0} with {1} channels; the side must be from 1 to {MAX_SIDE}, the channels 1 or 3",
                self.side, self.channels
            )));
        }
        Ok(())
    }

    /// Bytes of one stored image.
    pub(in crate::data) fn image_len(&self) -> usize {
        self.side * self.side * self.channels
    }
}

/// Any image as 8-bit RGB, its transparent parts over white.
pub(super) fn over_white(image: DynamicImage) -> RgbImage {
    if !image.color().has_alpha() {
        return image.into_rgb8();
    }
    let rgba = image.into_rgba8();
    RgbImage::from_fn(rgba.width(), rgba.height(), |x, y| {
        let [r, g, b, a] = rgba.get_pixel(x, y).0.map(u32::from);
        Rgb([r, g, b].map(|level| ((level * a + 255 * (255 - a) + 127) / 255) as u8))
    })
}

/// The largest of 8, 4 and 2 by which an image of `width` and `height` can be divided before it is made square, else 1: at least
/// twice the stored side is left, for the filter to do its work, and what is cropped off is whole pixels.
pub(super) fn reduction(width: u32, height: u32, options: &LoadOptions) -> u32 {
    let (short, long) = (width.min(height), width.max(height));
    let fits = |by: &u32| {
        let whole = match options.fit {
            Fit::Crop => short % by == 0 && (long - short) % (2 * by) == 0,
            Fit::Stretch => short % by == 0 && long % by == 0,
        };
        whole && (short / by) as usize >= 2 * options.side
    };
    [8, 4, 2].into_iter().find(fits).unwrap_or(1)
}

/// The bytes of `image` at the stored size.
pub(super) fn make_square(mut image: RgbImage, options: &LoadOptions) -> Vec<u8> {
    let (width, height) = image.dimensions();
    if options.fit == Fit::Crop && width != height {
        let side = width.min(height);
        image = imageops::crop_imm(&image, (width - side) / 2, (height - side) / 2, side, side).to_image();
    }
    let side = options.side as u32;
    // Catmull-Rom is the cubic with a = -0.5.
    if options.channels == 1 {
        let grey = DynamicImage::from(image).to_luma8();
        imageops::resize(&grey, side, side, FilterType::CatmullRom).into_raw()
    } else {
        imageops::resize(&image, side, side, FilterType::CatmullRom).into_raw()
    }
}
