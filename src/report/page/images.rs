//! Images as part of a page: no more bytes of them than a page should have.

use crate::file;
use crate::report::animation::{self, evenly_spaced};
use crate::{Error, Result};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use image::codecs::jpeg::JpegEncoder;
use image::{DynamicImage, imageops::FilterType};
use rayon::prelude::*;
use serde::Serialize;
use std::path::{Path, PathBuf};

/// At most so many images of a sheet; a slider with more is no clearer.
const FRAMES: usize = 40;
/// A sheet has at least this many, its beginning and its end, whatever they take.
const LEAST: usize = 2;
/// Where images have to be packed: wider ones are scaled down to this.
const WIDTH: u32 = 768;
/// JPEG's quality, 1 to 100: no fault to be seen at samples of this size.
const QUALITY: u8 = 85;
/// Frames, and pixels a row, of an animation that would take too much: half a MiB to one.
const SMALL: (usize, u32) = (24, 224);
/// The longest file that is read, in bytes.
const LONGEST: u64 = 1 << 28;

/// A sheet at one step.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Frame {
    /// The step.
    pub step: u64,
    /// The image, as a data URI.
    pub image: String,
}

/// An even choice of `samples`, PNG files by step: the first, the last and as many others as `budget` bytes hold. They are taken as they
/// are where enough of them fit, else as JPEGs of limited width.
///
/// # Errors
/// If an image cannot be read.
pub fn frames(samples: &[(u64, PathBuf)], budget: usize) -> Result<Vec<Frame>> {
    let Some((_, last)) = samples.last() else { return Ok(Vec::new()) };
    let most = samples.len().min(FRAMES);
    let fits = file::bytes(last, LONGEST)?.len().saturating_mul(most) <= budget;
    let (kind, count) = match fits {
        true => ("png", most),
        false => ("jpeg", (budget / packed(last)?.len().max(1)).clamp(LEAST.min(most), most)),
    };
    let chosen: Vec<_> = evenly_spaced(samples.len(), count).map(|index| &samples[index]).collect();
    let frame = |(step, path): &(u64, PathBuf)| {
        let bytes = if fits { file::bytes(path, LONGEST)? } else { packed(path)? };
        Ok(Frame { step: *step, image: data_uri(kind, &bytes) })
    };
    chosen.into_par_iter().map(frame).collect()
}

/// The GIF at `path` as a data URI, or a smaller one of the same `samples` where it is longer than `budget` bytes; none
/// where there is none.
///
/// # Errors
/// If it or a sample cannot be read.
pub fn animation(path: &Path, samples: &[PathBuf], budget: usize) -> Result<Option<String>> {
    let bytes = match path.metadata() {
        Ok(found) if found.len() <= budget as u64 => file::bytes(path, LONGEST)?,
        Ok(_) if !samples.is_empty() => animation::encoded(samples, path, SMALL.0, SMALL.1)?,
        _ => return Ok(None),
    };
    Ok(Some(data_uri("gif", &bytes)))
}

fn data_uri(kind: &str, bytes: &[u8]) -> String {
    format!("data:image/{kind};base64,{}", STANDARD.encode(bytes))
}

/// The image at `path` as a JPEG.
fn packed(path: &Path) -> Result<Vec<u8>> {
    let problem = |error| {
        Error::Input(format!(
            "{}: not a readable sample image ({error}); remove it and make the page again",
            path.display()
        ))
    };
    let image = image::load_from_memory(&file::bytes(path, LONGEST)?).map_err(problem)?;
    let image = match image.width() {
        ..=WIDTH => image,
        _ => image.resize(WIDTH, u32::MAX, FilterType::Triangle),
    };
    let mut bytes = Vec::new();
    JpegEncoder::new_with_quality(&mut bytes, QUALITY)
        .encode_image(&DynamicImage::from(image.into_rgb8()))
        .map_err(problem)?;
    Ok(bytes)
}
