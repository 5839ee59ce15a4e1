//! Training progress as an animated GIF.

use std::path::{Path, PathBuf};

use gif::{Encoder, Frame, Repeat};
use image::RgbImage;
use image::imageops::{self, FilterType};

use crate::file;
use crate::{Error, Result};

/// Wider frames are scaled down to this.
const MAX_WIDTH: u32 = 512;
/// How long a frame stays, in hundredths of a second.
const DELAY: u16 = 15;
/// How long the last frame stays.
const LAST_DELAY: u16 = 250;
/// NeuQuant's sampling factor, 1 (best) to 30 (fastest).
const QUANTIZER_SPEED: i32 = 10;

/// Writes the sample images `frames`, given in order, as a GIF that loops. Only images of the last one's size are
/// taken; of more than `max_frames` of them an even choice, the last one always and the first wherever there is room for
/// two.
pub fn progress_gif(frames: &[PathBuf], path: impl AsRef<Path>, max_frames: usize) -> Result<()> {
    let path = path.as_ref();
    file::write_atomic(path, &encoded(frames, path, max_frames, MAX_WIDTH)?)
}

/// The GIF of [`progress_gif`], its frames at most `max_width` pixels wide; errors name `path`.
pub(super) fn encoded(frames: &[PathBuf], path: &Path, max_frames: usize, max_width: u32) -> Result<Vec<u8>> {
    let Some(last_path) = frames.last().filter(|_| max_frames > 0) else {
        return Err(Error::Input(format!(
            "{}: {} sample images, of which at most {max_frames} are wanted; expected 1 or more of both",
            path.display(),
            frames.len()
        )));
    };

    let last = open(last_path)?;
    let (width, height) = screen_size(&last, max_width, path)?;
    let of_one_size: Vec<&PathBuf> =
        frames.iter().filter(|path| image::image_dimensions(path).ok() == Some(last.dimensions())).collect();
    let encoding = |error: gif::EncodingError| Error::io(path)(std::io::Error::other(error));
    let mut bytes = Vec::new();
    let mut encoder = Encoder::new(&mut bytes, width, height, &[]).map_err(encoding)?;
    encoder.set_repeat(Repeat::Infinite).map_err(encoding)?;
    for image_path in evenly_spaced(of_one_size.len(), max_frames).map(|index| of_one_size[index]) {
        let image = open(image_path)?;
        let image = imageops::resize(&image, width.into(), height.into(), FilterType::Triangle);
        let mut frame = Frame::from_rgb_speed(width, height, &image, QUANTIZER_SPEED);
        frame.delay = if image_path == last_path { LAST_DELAY } else { DELAY };
        encoder.write_frame(&frame).map_err(encoding)?;
    }
    drop(encoder);
    Ok(bytes)
}

/// At most `limit` of the indices below `count`, in order and evenly spaced, ending with the last.
pub(super) fn evenly_spaced(count: usize, limit: usize) -> impl Iterator<Item = usize> {
    let chosen = count.min(limit);
    (0..chosen).rev().map(move |from_end| count - 1 - from_end * (count - 1) / (chosen - 1).max(1))
}

fn open(path: &Path) -> Result<RgbImage> {
    let image = image::open(path).map_err(|error| {
        Error::Input(format!(
            "{}: not a readable sample image ({error}); remove it and make the animation again",
            path.display()
        ))
    })?;
    Ok(image.into_rgb8())
}

/// The size of the animation: that of its images, or smaller where they are wider than `max_width`.
fn screen_size(image: &RgbImage, max_width: u32, path: &Path) -> Result<(u16, u16)> {
    let (width, height) = image.dimensions();
    let shown = width.min(max_width);
    let scaled = (u64::from(height) * u64::from(shown)).div_ceil(u64::from(width.max(1)));
    match (u16::try_from(shown), u16::try_from(scaled)) {
        (Ok(shown), Ok(scaled)) if shown > 0 && scaled > 0 => Ok((shown, scaled)),
        _ => Err(Error::Input(format!(
            "{}: frames of {width} x {height} pixels do not fit a GIF; use more columns a sheet",
            path.display()
        ))),
    }
}
