//! Files become pixels: upright, in sRGB.

mod fit;
mod image_file;
mod jpeg;
mod markers;
mod png_colours;
mod profile;

use std::cell::Cell;
use std::io::{Cursor, ErrorKind};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Mutex, MutexGuard, PoisonError};

use image::codecs::tiff::TiffDecoder;
use image::metadata::Orientation;
use image::{DynamicImage, ImageDecoder, ImageError, ImageFormat, ImageReader, Limits};

pub use fit::{Fit, Half, LoadOptions, over_white};
pub(super) use image_file::Content;
pub use image_file::{Fitted, Image, ImageFile};
use profile::Pixels;

use crate::size::Size;

/// The longest side an image file may have, in pixels.
const MAX_SIDE: u32 = 32768;
/// The most pixels it may have: 1 GiB where they are largest, of 8 bytes.
const MAX_PIXELS: u64 = 1 << 27;
/// The longest an image file may be, in bytes.
pub(super) const MAX_FILE: u64 = 1 << 28;
/// The most memory for what a file holds beside its pixels, such as a colour profile, in bytes.
const MAX_BESIDE: u64 = 1 << 26;
/// Images with more pixels than this are decoded one at a time, however many threads there are.
const LARGE: u64 = 1 << 24;

/// The formats that can be read, as messages list them.
const FORMATS: &str = "PNG, JPEG, WebP, GIF, BMP or TIFF";

/// A decoded image of any size. Of an animation this is its first frame.
#[derive(Clone, Debug)]
pub struct Decoded {
    /// Upright and in sRGB, grey or RGB, with transparency or without, of 8 or 16 bits.
    pub image: DynamicImage,
    /// What kind of file it was.
    pub format: ImageFormat,
    /// What is wrong with the file although it can be shown.
    pub warning: Option<String>,
}

/// An image as its decoder gives it.
struct Encoded {
    pixels: Pixels,
    orientation: Orientation,
    profile: Option<Vec<u8>>,
    warning: Option<String>,
    turn: Turn,
}

/// What an image with many pixels holds as long as it takes their memory.
type Turn = Option<MutexGuard<'static, ()>>;

thread_local! {
    static DECODING: Cell<bool> = const { Cell::new(false) };
}

/// Whether a decoder of images is at work on this thread. There are damaged files on which decoders panic; that fails the
/// file and not the program, so a panic hook need not tell of it.
pub fn decoding() -> bool {
    DECODING.get()
}

/// What `decode` gives; where it panics, it fails.
fn contained<T>(decode: impl FnOnce() -> Result<T, String>) -> Result<T, String> {
    DECODING.set(true);
    let decoded = catch_unwind(AssertUnwindSafe(decode));
    DECODING.set(false);
    decoded.unwrap_or_else(|_| Err("damaged in a way that its decoder cannot stand".into()))
}

/// Decodes a file by its content, whatever its name says. A JPEG that is to be stored by `options` may come out at a half, a
/// quarter or an eighth of its size.
fn decode(content: &[u8], options: Option<&LoadOptions>) -> Result<(Decoded, Turn), String> {
    let format = format_of(content)?;
    let Encoded { pixels, orientation, profile, warning, turn } = match format {
        ImageFormat::Jpeg => jpeg::decode(content, options)?,
        _ => others(content, format)?,
    };
    let profile =
        profile.or_else(|| (format == ImageFormat::Png).then(|| png_colours::profile(content)).flatten());
    let (mut image, problem) = profile::to_srgb(pixels, profile.as_deref());
    image.apply_orientation(orientation);
    let warnings: Vec<String> = warning.into_iter().chain(problem).collect();
    let warning = (!warnings.is_empty()).then(|| warnings.join("; "));
    Ok((Decoded { image, format, warning }, turn))
}

/// Height and width of a file's image, upright.
fn upright_size(content: &[u8]) -> Result<Size, String> {
    let (width, height, orientation) = match format_of(content)? {
        ImageFormat::Jpeg => jpeg::size(content)?,
        format => {
            let mut decoder = ImageReader::with_format(Cursor::new(content), format)
                .into_decoder()
                .map_err(|error| error.to_string())?;
            let (width, height) = decoder.dimensions();
            (width, height, decoder.orientation().unwrap_or(Orientation::NoTransforms))
        }
    };
    let (width, height) = (width as usize, height as usize);
    use Orientation::{Rotate90, Rotate90FlipH, Rotate270, Rotate270FlipH};
    Ok(match orientation {
        Rotate90 | Rotate270 | Rotate90FlipH | Rotate270FlipH => Size { height: width, width: height },
        _ => Size { height, width },
    })
}

fn format_of(content: &[u8]) -> Result<ImageFormat, String> {
    use ImageFormat::{Avif, Bmp, Gif, Jpeg, Png, Tiff, WebP};
    let kind = content.get(4..12).unwrap_or_default();
    let heic = [b"ftypheic", b"ftypheix", b"ftypmif1"].iter().any(|&of| of == kind);
    match image::guess_format(content) {
        _ if content.is_empty() => Err("an empty file".into()),
        Ok(format @ (Png | Jpeg | WebP | Gif | Bmp | Tiff)) => Ok(format),
        Ok(Avif) => Err(format!("AVIF, which is not supported; save it as {FORMATS}")),
        _ if heic => Err(format!("HEIC, which is not supported; save it as {FORMATS}")),
        _ => Err(format!("not a {FORMATS} file")),
    }
}

/// Decodes what is no JPEG.
fn others(content: &[u8], format: ImageFormat) -> Result<Encoded, String> {
    let explain = |error| match error {
        ImageError::Limits(_) => {
            format!("a line of it, or its colour profile, is too large; an image {}", bounds())
        }
        error => error.to_string(),
    };
    if format == ImageFormat::Tiff {
        // Its own limits, until the size is known: with ours it would not find a profile larger than the pixels.
        return with_decoder(TiffDecoder::new(Cursor::new(content)).map_err(explain)?);
    }
    let mut reader = ImageReader::with_format(Cursor::new(content), format);
    let mut limits = Limits::default();
    limits.max_alloc = Some(MAX_BESIDE);
    reader.limits(limits);
    with_decoder(reader.into_decoder().map_err(explain)?)
}

fn with_decoder(mut decoder: impl ImageDecoder) -> Result<Encoded, String> {
    let (width, height) = decoder.dimensions();
    let turn = check_size(width, height)?;
    // Damaged EXIF data says nothing about the pixels.
    let orientation = decoder.orientation().unwrap_or(Orientation::NoTransforms);
    let (profile, warning) = match decoder.icc_profile() {
        Ok(profile) => (profile, None),
        Err(_) => (None, Some("its colour profile is damaged and was ignored".to_owned())),
    };
    let mut limits = Limits::default();
    // Some decoders count the pixels, and what they unpack them from.
    limits.max_alloc = Some(2 * decoder.total_bytes() + MAX_BESIDE);
    decoder.set_limits(limits).map_err(|error| error.to_string())?;
    let image = DynamicImage::from_decoder(decoder).map_err(|error| error.to_string())?;
    let image = match image {
        DynamicImage::ImageRgb32F(_) => image.into_rgb16().into(),
        DynamicImage::ImageRgba32F(_) => image.into_rgba16().into(),
        image => image,
    };
    Ok(Encoded { pixels: Pixels::Image(image), orientation, profile, warning, turn })
}

fn bounds() -> String {
    format!(
        "may have 1 to {MAX_SIDE} pixels a side, {} million in all: scale it down",
        MAX_PIXELS / 1_000_000
    )
}

/// Refuses an image without pixels or with too many. One with many waits for its turn.
fn check_size(width: u32, height: u32) -> Result<Turn, String> {
    static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());
    let pixels = u64::from(width) * u64::from(height);
    if pixels == 0 || width.max(height) > MAX_SIDE || pixels > MAX_PIXELS {
        return Err(format!("{width} x {height} pixels; an image {}", bounds()));
    }
    Ok((pixels > LARGE).then(|| ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner)))
}

/// What is wrong with a file that ends too early.
fn cut_short() -> String {
    std::io::Error::from(ErrorKind::UnexpectedEof).to_string()
}
