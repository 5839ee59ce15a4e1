//! From a file's image to colours and transparency, and back to a file.

use super::jobs::Encoding;
use crate::data::{Depth, Levels, Pixels, over_white};
use crate::{Result, file};
use clap::ValueEnum;
use image::codecs::jpeg::JpegEncoder;
use image::codecs::png::PngEncoder;
use image::codecs::webp::WebPEncoder;
use image::{DynamicImage, ExtendedColorType, ImageBuffer, ImageEncoder, Primitive, Rgba, RgbaImage};
use std::borrow::Cow;
use std::io::{Error as IoError, Write};
use std::path::Path;

/// What becomes of transparency, as named on the command line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Alpha {
    Keep,
    White,
}

/// An image's colours, its transparent parts over white as in training, and its transparency; or both together, where the networks
/// see transparency.
pub struct Planes {
    pub colours: Pixels,
    /// One channel: 0 where nothing is seen.
    pub alpha: Option<Pixels>,
}

impl Planes {
    /// Those of an image that the networks see with so many `channels`.
    pub fn new(image: DynamicImage, channels: usize) -> Self {
        let (width, height) = (image.width() as usize, image.height() as usize);
        let has_alpha = image.color().has_alpha();
        let pixels = |levels, channels| Pixels { levels, size: [height, width], channels };
        if channels == 4 {
            let levels = match is_deep(&image) {
                false => Levels::Eight(image.into_rgba8().into_raw()),
                true => Levels::Sixteen(image.into_rgba16().into_raw()),
            };
            return Self { colours: pixels(levels, 4), alpha: None };
        }
        let (colours, alpha) = match (is_deep(&image), has_alpha) {
            (_, false) => (image, None),
            (false, true) => {
                let rgba = image.into_rgba8();
                (over_white(&rgba).into(), Some(pixels(Levels::Eight(alpha(&rgba)), 1)))
            }
            (true, true) => {
                let rgba = image.into_rgba16();
                (over_white(&rgba).into(), Some(pixels(Levels::Sixteen(alpha(&rgba)), 1)))
            }
        };
        let levels = match (is_deep(&colours), channels) {
            (false, 1) => Levels::Eight(colours.into_luma8().into_raw()),
            (false, _) => Levels::Eight(colours.into_rgb8().into_raw()),
            (true, 1) => Levels::Sixteen(colours.into_luma16().into_raw()),
            (true, _) => Levels::Sixteen(colours.into_rgb16().into_raw()),
        };
        Self { colours: pixels(levels, channels), alpha }
    }
}

/// Whether an image has more than 8 bits a channel.
fn is_deep(image: &DynamicImage) -> bool {
    image.color().bytes_per_pixel() > image.color().channel_count()
}

/// The transparency of an image.
fn alpha<T: Primitive>(image: &ImageBuffer<Rgba<T>, Vec<T>>) -> Vec<T>
where
    Rgba<T>: image::Pixel<Subpixel = T>,
{
    image.pixels().map(|pixel| pixel.0[3]).collect()
}

/// How a translation is written.
#[derive(Clone, Copy)]
pub struct Writing {
    pub encoding: Encoding,
    /// That of JPEG, 1 to 100.
    pub quality: u8,
}

impl Writing {
    /// Writes an image, whole or not at all.
    ///
    /// # Errors
    /// If it cannot be written, or is larger than its format can be.
    pub fn save(self, planes: &Planes, path: &Path) -> Result<()> {
        let [height, width] = planes.colours.size.map(|side| side as u32);
        let flat = flat(planes).filter(|_| !self.has_alpha());
        let (bytes, colour) = interleaved(flat.as_ref().unwrap_or(planes));
        file::write_atomic_with(path, |file| {
            let encoded = match self.encoding {
                Encoding::Png => PngEncoder::new(&mut *file).write_image(&bytes, width, height, colour),
                Encoding::Jpeg => JpegEncoder::new_with_quality(&mut *file, self.quality)
                    .write_image(&bytes, width, height, colour),
                Encoding::Webp => {
                    WebPEncoder::new_lossless(&mut *file).write_image(&bytes, width, height, colour)
                }
            };
            encoded.map_err(IoError::other)?;
            file.flush()
        })
    }

    /// The depth that the format can hold, of one that is asked for.
    pub fn depth(self, wanted: Depth) -> Depth {
        if self.encoding == Encoding::Png { wanted } else { Depth::Eight }
    }

    /// Whether the format has transparency.
    pub fn has_alpha(self) -> bool {
        self.encoding != Encoding::Jpeg
    }
}

/// Colours with transparency over white, for what has none.
fn flat(planes: &Planes) -> Option<Planes> {
    let Pixels { levels: Levels::Eight(levels), size, channels: 4 } = &planes.colours else { return None };
    let [height, width] = size.map(|side| side as u32);
    let rgb = over_white(&RgbaImage::from_raw(width, height, levels.clone())?);
    Some(Planes {
        colours: Pixels { levels: Levels::Eight(rgb.into_raw()), size: *size, channels: 3 },
        alpha: None,
    })
}

/// The bytes of colours and transparency, pixel by pixel, as encoders take them.
fn interleaved(planes: &Planes) -> (Cow<'_, [u8]>, ExtendedColorType) {
    use ExtendedColorType::{L8, L16, La8, La16, Rgb8, Rgb16, Rgba8, Rgba16};
    let Pixels { levels, channels, .. } = &planes.colours;
    let (grey, transparent) = (*channels == 1, *channels == 4);
    match (levels, &planes.alpha) {
        (Levels::Eight(levels), None) if transparent => (levels.into(), Rgba8),
        (Levels::Sixteen(levels), None) if transparent => (bytemuck::cast_slice(levels).into(), Rgba16),
        (Levels::Eight(levels), None) => (levels.into(), if grey { L8 } else { Rgb8 }),
        (Levels::Sixteen(levels), None) => {
            (bytemuck::cast_slice(levels).into(), if grey { L16 } else { Rgb16 })
        }
        (Levels::Eight(levels), Some(alpha)) => {
            (from_white(levels, alpha, *channels).into(), if grey { La8 } else { Rgba8 })
        }
        (Levels::Sixteen(levels), Some(alpha)) => {
            let levels = from_white(levels, alpha, *channels);
            (bytemuck::cast_slice(&levels).to_vec().into(), if grey { La16 } else { Rgba16 })
        }
    }
}

/// The inverse of [`over_white`]: the colours that give `levels` over white, and `alpha` behind them, pixel by pixel. Where nothing is
/// seen the colours stay.
fn from_white<T: Primitive + Into<u64> + TryFrom<u64>>(
    levels: &[T],
    alpha: &Pixels,
    channels: usize,
) -> Vec<T> {
    let white: u64 = T::DEFAULT_MAX_VALUE.into();
    let to = |level: u64| T::try_from(level).unwrap_or(T::DEFAULT_MAX_VALUE);
    let mut all = Vec::with_capacity(levels.len() / channels * (channels + 1));
    for (at, pixel) in levels.chunks_exact(channels).enumerate() {
        let seen = match &alpha.levels {
            Levels::Eight(alpha) => (u64::from(alpha[at]) * white + 127) / 255,
            Levels::Sixteen(alpha) => (u64::from(alpha[at]) * white + 32767) / 65535,
        };
        all.extend(pixel.iter().map(|&level| match seen {
            0 => level,
            seen => to(white.saturating_sub(((white - level.into()) * white + seen / 2) / seen)),
        }));
        all.push(to(seen));
    }
    all
}

#[cfg(test)]
mod tests {
    use super::{alpha, from_white, over_white};
    use crate::data::{Levels, Pixels};
    use image::{Rgba, RgbaImage};

    #[test]
    fn colours_come_back_from_over_white_as_far_as_they_are_seen() {
        let image = RgbaImage::from_fn(16, 16, |x, y| {
            Rgba([(x * 17) as u8, (y * 17) as u8, 60, if x + y == 0 { 0 } else { (x * y) as u8 + 30 }])
        });
        let (rgb, alpha) = (over_white(&image), alpha(&image));
        let alpha = Pixels { levels: Levels::Eight(alpha), size: [16, 16], channels: 1 };
        let again = from_white(rgb.as_raw(), &alpha, 3);
        for (before, after) in image.pixels().zip(again.chunks_exact(4)) {
            let seen = before.0[3];
            assert_eq!(seen, after[3]);
            for (before, after) in before.0[..3].iter().zip(after).filter(|_| seen > 0) {
                // Over white there is one level for every 255 / seen.
                let apart = u32::from(before.abs_diff(*after)) * u32::from(seen);
                assert!(apart <= 255, "{before} {after} where {seen} is seen");
            }
        }
        assert_eq!(again[..4], [255, 255, 255, 0]);
    }
}
