use std::borrow::Cow;
use std::cell::Cell;
use std::io::{Cursor, ErrorKind};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use image::imageops::{self, FilterType};
use image::metadata::Orientation;
use image::{DynamicImage, ImageDecoder, ImageError, ImageFormat, ImageReader, Limits, Rgb, RgbImage};
use serde::{Deserialize, Serialize};

use crate::file;
use crate::{Error, Result};

/// The longest side an image file may have, in pixels.
const MAX_SIDE: u32 = 32768;
/// The most pixels it may have: 1 GiB where they are largest, of 8 bytes.
const MAX_PIXELS: u64 = 1 << 27;
/// The longest an image file may be, in bytes.
const MAX_FILE: u64 = 1 << 28;
/// The most memory for what a file holds beside its pixels, such as a colour profile, in bytes.
const MAX_BESIDE: u64 = 1 << 26;
/// Images with more pixels than this are decoded one at a time, however many threads there are.
const LARGE: u64 = 1 << 24;

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
    /// Height and width to store, in pixels, up to 32768; see [`Augment::stored_side`](super::Augment::stored_side).
    pub side: usize,
    /// 1 for grey (Rec. 709 luma), 3 for RGB.
    pub channels: usize,
    /// How an image becomes square.
    pub fit: Fit,
    /// Whether to go on without images that cannot be read.
    pub skip_bad: bool,
}

impl LoadOptions {
    pub(super) fn check(&self) -> Result<()> {
        if !(1..=MAX_SIDE as usize).contains(&self.side) || !matches!(self.channels, 1 | 3) {
            return Err(Error::Input(format!(
                "images of {0}x{0} with {1} channels; the side must be from 1 to {MAX_SIDE}, the channels 1 or 3",
                self.side, self.channels
            )));
        }
        Ok(())
    }

    /// Bytes of one stored image.
    pub(super) fn image_len(&self) -> usize {
        self.side * self.side * self.channels
    }
}

/// An image not yet decoded.
#[derive(Clone, Debug)]
pub struct ImageFile {
    /// Relative to the source, with `/` between folders.
    pub name: String,
    /// Where it is, for errors and for reading.
    pub path: PathBuf,
    /// Its content, where that is not to be read from `path`.
    pub(super) embedded: Option<Cow<'static, [u8]>>,
}

/// A decoded image of any size.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Image {
    /// `[height, width, channels]`.
    pub bytes: Vec<u8>,
    /// Height and width, in pixels.
    pub size: [usize; 2],
    /// 1 for grey, 3 for RGB.
    pub channels: usize,
}

/// A file's image as it was stored.
#[derive(Clone, Debug)]
pub struct Decoded {
    /// Upright, sRGB, with the channels and the depth of the file.
    pub image: DynamicImage,
    /// The file's format.
    pub format: ImageFormat,
    /// What is doubtful about it.
    pub warning: Option<String>,
}

impl ImageFile {
    /// The file at `path`, under its own name.
    pub fn at(path: &Path) -> Self {
        let name = path.file_name().map_or_else(String::new, |name| name.to_string_lossy().into_owned());
        Self { name, path: path.to_path_buf(), embedded: None }
    }

    /// A file that is `content` already; `name` stands for it in errors.
    pub fn of_bytes(name: &str, content: Vec<u8>) -> Self {
        Self { name: name.to_owned(), path: name.into(), embedded: Some(Cow::Owned(content)) }
    }

    /// The image at its own size: made upright, composited over white, 8 bits a channel; grey (Rec. 709 luma) where
    /// `channels` is 1, else RGB.
    ///
    /// # Errors
    /// If it cannot be read.
    pub fn read(&self, channels: usize) -> Result<Image> {
        let image =
            self.upright().map_err(|problem| Error::Unreadable { path: self.path.clone(), problem })?;
        let (width, height) = image.dimensions();
        let size = [height as usize, width as usize];
        let bytes = match channels {
            1 => DynamicImage::from(image).to_luma8().into_raw(),
            _ => image.into_raw(),
        };
        Ok(Image { channels: bytes.len() / (size[0] * size[1]).max(1), bytes, size })
    }

    /// The image at its own size, made upright, with its transparency and depth.
    ///
    /// # Errors
    /// If it cannot be read.
    pub fn decode(&self) -> Result<Decoded> {
        let decoded = self.contained_decode();
        decoded.map_err(|problem| Error::Unreadable { path: self.path.clone(), problem })
    }

    /// The stored bytes, `[side, side, channels]`: made upright, composited over white, made square and resized with
    /// the bicubic filter of PIL.
    ///
    /// # Errors
    /// What is wrong with the file, in words.
    pub fn square(&self, options: &LoadOptions) -> std::result::Result<Vec<u8>, String> {
        Ok(make_square(self.upright()?, options))
    }

    fn upright(&self) -> std::result::Result<RgbImage, String> {
        Ok(over_white(self.contained_decode()?.image))
    }

    fn contained_decode(&self) -> std::result::Result<Decoded, String> {
        match &self.embedded {
            Some(content) => contained(|| decode(content)),
            None => match file::bytes(&self.path, MAX_FILE) {
                Ok(content) => contained(|| decode(&content)),
                Err(Error::Io { source, .. }) => Err(source.to_string()),
                Err(error) => Err(error.to_string()),
            },
        }
    }
}

thread_local! {
    static DECODING: Cell<bool> = const { Cell::new(false) };
}

/// Whether a decoder of images is at work on this thread. There are damaged files on which decoders panic; that fails the
/// file and not the program, so a panic hook need not tell of it.
pub fn decoding() -> bool {
    DECODING.get()
}

/// What `decode` gives; where it panics, it fails.
fn contained<T>(decode: impl FnOnce() -> std::result::Result<T, String>) -> std::result::Result<T, String> {
    DECODING.set(true);
    let decoded = catch_unwind(AssertUnwindSafe(decode));
    DECODING.set(false);
    decoded.unwrap_or_else(|_| Err("damaged in a way that its decoder cannot stand".into()))
}

/// Decodes a file by its content, whatever its name says, and turns it the way its EXIF orientation asks.
fn decode(content: &[u8]) -> std::result::Result<Decoded, String> {
    let mut reader =
        ImageReader::new(Cursor::new(content)).with_guessed_format().map_err(|error| error.to_string())?;
    match reader.format() {
        _ if content.is_empty() => return Err("an empty file".into()),
        None => return Err("neither PNG nor JPEG nor WebP".into()),
        Some(ImageFormat::Jpeg) if is_cut_short(content) => {
            return Err(std::io::Error::from(ErrorKind::UnexpectedEof).to_string());
        }
        Some(_) => {}
    }
    let format = reader.format().unwrap_or(ImageFormat::Png);
    let mut limits = Limits::default();
    limits.max_alloc = Some(MAX_BESIDE);
    reader.limits(limits);
    let bounds = format!(
        "may have 1 to {MAX_SIDE} pixels a side, {} million in all: scale it down",
        MAX_PIXELS / 1_000_000
    );
    let decoder = reader.into_decoder().map_err(|error| match error {
        ImageError::Limits(_) => {
            format!("a line of it, or its colour profile, is too large; an image {bounds}")
        }
        error => error.to_string(),
    })?;
    let (width, height) = decoder.dimensions();
    let pixels = u64::from(width) * u64::from(height);
    if pixels == 0 || width.max(height) > MAX_SIDE || pixels > MAX_PIXELS {
        return Err(format!("{width} x {height} pixels; an image {bounds}"));
    }
    static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());
    let _turn = (pixels > LARGE).then(|| ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner));
    let image = pixels_of(decoder).map_err(|error| error.to_string())?;
    Ok(Decoded { image, format, warning: None })
}

fn pixels_of(mut decoder: impl ImageDecoder) -> image::ImageResult<DynamicImage> {
    // Damaged EXIF data says nothing about the pixels.
    let orientation = decoder.orientation().unwrap_or(Orientation::NoTransforms);
    let mut image = DynamicImage::from_decoder(decoder)?;
    image.apply_orientation(orientation);
    Ok(image)
}

/// Whether a JPEG file lacks the end marker after its last scan; the decoder would fill what is missing with grey.
fn is_cut_short(jpeg: &[u8]) -> bool {
    let last = |marker: [u8; 2]| jpeg.windows(2).rposition(|bytes| bytes == marker);
    let (start_of_scan, end_of_image) = (last([0xff, 0xda]), last([0xff, 0xd9]));
    end_of_image <= start_of_scan
}

/// Any image as 8-bit RGB, its transparent parts over white.
fn over_white(image: DynamicImage) -> RgbImage {
    if !image.color().has_alpha() {
        return image.into_rgb8();
    }
    let rgba = image.into_rgba8();
    RgbImage::from_fn(rgba.width(), rgba.height(), |x, y| {
        let [r, g, b, a] = rgba.get_pixel(x, y).0.map(u32::from);
        Rgb([r, g, b].map(|level| ((level * a + 255 * (255 - a) + 127) / 255) as u8))
    })
}

/// The bytes of `image` at the stored size.
fn make_square(mut image: RgbImage, options: &LoadOptions) -> Vec<u8> {
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
