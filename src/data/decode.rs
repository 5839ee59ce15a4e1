use std::borrow::Cow;
use std::io::{Cursor, ErrorKind};
use std::path::{Path, PathBuf};

use image::imageops::{self, FilterType};
use image::metadata::Orientation;
use image::{
    DynamicImage, ImageDecoder, ImageError, ImageFormat, ImageReader, ImageResult, Limits, Rgb, RgbImage,
};
use serde::{Deserialize, Serialize};

use crate::{Error, Result};

/// The longest side a picture file may have, in pixels.
const MAX_SIDE: u32 = 32768;
/// The most memory one picture may take while it is decoded, in bytes.
const MAX_DECODED: u64 = 1 << 30;

/// How a picture becomes square.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Fit {
    /// The largest square about the centre.
    Crop,
    /// The whole picture, its sides scaled differently.
    Stretch,
}

/// How pictures are decoded and stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LoadOptions {
    /// Height and width to store, in pixels, up to 32768; see [`Augment::stored_side`](super::Augment::stored_side).
    pub side: usize,
    /// 1 for grey (Rec. 709 luma), 3 for RGB.
    pub channels: usize,
    /// How a picture becomes square.
    pub fit: Fit,
    /// Whether to go on without pictures that cannot be read.
    pub skip_bad: bool,
}

impl LoadOptions {
    pub(super) fn check(&self) -> Result<()> {
        if !(1..=MAX_SIDE as usize).contains(&self.side) || !matches!(self.channels, 1 | 3) {
            return Err(Error::Input(format!(
                "pictures of {0}x{0} with {1} channels; the side must be from 1 to {MAX_SIDE}, the channels 1 or 3",
                self.side, self.channels
            )));
        }
        Ok(())
    }

    /// Bytes of one stored picture.
    pub(super) fn picture_len(&self) -> usize {
        self.side * self.side * self.channels
    }
}

/// A picture not yet decoded.
#[derive(Clone, Debug)]
pub struct PictureFile {
    /// Relative to the source, with `/` between folders.
    pub name: String,
    /// Where it is, for errors and for reading.
    pub path: PathBuf,
    /// Its content, where that is not to be read from `path`.
    pub(super) embedded: Option<Cow<'static, [u8]>>,
}

/// A decoded picture of any size.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Picture {
    /// `[height, width, channels]`.
    pub bytes: Vec<u8>,
    /// Height and width, in pixels.
    pub size: [usize; 2],
    /// 1 for grey, 3 for RGB.
    pub channels: usize,
}

impl PictureFile {
    /// The file at `path`, under its own name.
    pub fn at(path: &Path) -> Self {
        let name = path.file_name().map_or_else(String::new, |name| name.to_string_lossy().into_owned());
        Self { name, path: path.to_path_buf(), embedded: None }
    }

    /// The picture at its own size: made upright, composited over white, 8 bits a channel; grey (Rec. 709 luma) where
    /// `channels` is 1, else RGB.
    ///
    /// # Errors
    /// If it cannot be read.
    pub fn read(&self, channels: usize) -> Result<Picture> {
        let picture =
            self.upright().map_err(|problem| Error::Unreadable { path: self.path.clone(), problem })?;
        let (width, height) = picture.dimensions();
        let size = [height as usize, width as usize];
        let bytes = match channels {
            1 => DynamicImage::from(picture).to_luma8().into_raw(),
            _ => picture.into_raw(),
        };
        Ok(Picture { channels: bytes.len() / (size[0] * size[1]).max(1), bytes, size })
    }

    /// The stored bytes, `[side, side, channels]`: made upright, composited over white, made square and resized with
    /// the bicubic filter of PIL. The error says what is wrong with the file.
    pub(super) fn decode(&self, options: &LoadOptions) -> std::result::Result<Vec<u8>, String> {
        Ok(make_square(self.upright()?, options))
    }

    fn upright(&self) -> std::result::Result<RgbImage, String> {
        let content = match &self.embedded {
            Some(content) => Cow::Borrowed(&**content),
            None => Cow::Owned(std::fs::read(&self.path).map_err(|error| error.to_string())?),
        };
        let picture = decode(&content).map_err(|error| match error {
            ImageError::Limits(_) => {
                format!("{error}; at most {MAX_SIDE} pixels a side and {} MiB", MAX_DECODED >> 20)
            }
            error => error.to_string(),
        })?;
        Ok(over_white(&picture))
    }
}

/// Decodes a file by its content, whatever its name says, and turns it the way its EXIF orientation asks.
fn decode(content: &[u8]) -> ImageResult<DynamicImage> {
    let mut limits = Limits::default();
    limits.max_image_width = Some(MAX_SIDE);
    limits.max_image_height = Some(MAX_SIDE);
    limits.max_alloc = Some(MAX_DECODED);

    let mut reader = ImageReader::new(Cursor::new(content)).with_guessed_format()?;
    if reader.format() == Some(ImageFormat::Jpeg) && is_cut_short(content) {
        return Err(ImageError::IoError(ErrorKind::UnexpectedEof.into()));
    }
    reader.limits(limits.clone());
    let mut decoder = reader.into_decoder()?;
    limits.reserve(decoder.total_bytes())?;
    // Damaged EXIF data says nothing about the pixels.
    let orientation = decoder.orientation().unwrap_or(Orientation::NoTransforms);
    let mut picture = DynamicImage::from_decoder(decoder)?;
    picture.apply_orientation(orientation);
    Ok(picture)
}

/// Whether a JPEG file lacks the end marker after its last scan; the decoder would fill what is missing with grey.
fn is_cut_short(jpeg: &[u8]) -> bool {
    let last = |marker: [u8; 2]| jpeg.windows(2).rposition(|bytes| bytes == marker);
    let (start_of_scan, end_of_image) = (last([0xff, 0xda]), last([0xff, 0xd9]));
    end_of_image <= start_of_scan
}

/// Any picture as 8-bit RGB, its transparent parts over white.
fn over_white(picture: &DynamicImage) -> RgbImage {
    if !picture.color().has_alpha() {
        return picture.to_rgb8();
    }
    let rgba = picture.to_rgba8();
    RgbImage::from_fn(rgba.width(), rgba.height(), |x, y| {
        let [r, g, b, a] = rgba.get_pixel(x, y).0.map(u32::from);
        Rgb([r, g, b].map(|level| ((level * a + 255 * (255 - a) + 127) / 255) as u8))
    })
}

/// The bytes of `picture` at the stored size.
fn make_square(mut picture: RgbImage, options: &LoadOptions) -> Vec<u8> {
    let (width, height) = picture.dimensions();
    if options.fit == Fit::Crop && width != height {
        let side = width.min(height);
        picture =
            imageops::crop_imm(&picture, (width - side) / 2, (height - side) / 2, side, side).to_image();
    }
    let side = options.side as u32;
    // Catmull-Rom is the cubic with a = -0.5.
    if options.channels == 1 {
        let grey = DynamicImage::from(picture).to_luma8();
        imageops::resize(&grey, side, side, FilterType::CatmullRom).into_raw()
    } else {
        imageops::resize(&picture, side, side, FilterType::CatmullRom).into_raw()
    }
}
