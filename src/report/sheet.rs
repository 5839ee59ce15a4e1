//! Contact sheets: many images side by side in one PNG.

use std::path::Path;

use image::codecs::png::PngEncoder;
use image::{ExtendedColorType, ImageEncoder};

use crate::data::{CHANNELS, to_byte};
use crate::file;
use crate::size::Size;
use crate::{Error, Result};

const WHITE: u8 = 255;
/// Of padding and scale; a mistyped number must not ask for all memory there is.
const LARGEST: usize = 64;

/// Images of one size one after another (NHWC), values in [-1, 1].
#[derive(Debug, Clone, Copy)]
pub struct Images<'a> {
    /// All values; their number tells how many images there are.
    pub values: &'a [f32],
    /// Height and width of one image.
    pub size: Size,
    /// 1 for gray, 3 for RGB, 4 for RGBA.
    pub channels: usize,
}

/// How images are laid out on a sheet.
#[derive(Debug, Clone, Copy)]
pub struct Layout {
    /// Images in a row.
    pub columns: usize,
    /// Width of the white lines between and around the images, in pixels.
    pub padding: usize,
    /// Each pixel of an image becomes `scale` x `scale` pixels of the sheet.
    pub scale: usize,
}

impl Layout {
    /// Rows of `columns` images, white lines of 2 pixels, and images of 32 pixels or fewer enlarged to about 64.
    pub fn new(columns: usize, size: impl Into<Size>) -> Self {
        let side = size.into().most();
        let scale = if side <= 32 { 64 / side.max(1) } else { 1 };
        Self { columns, padding: 2, scale }
    }
}

/// An image of images, 8 bits a channel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sheet {
    /// Pixels in a row.
    pub width: usize,
    /// Rows.
    pub height: usize,
    /// 1 for gray, 3 for RGB, 4 for RGBA.
    pub channels: usize,
    /// Rows from the top, pixels from the left, channels together.
    pub bytes: Vec<u8>,
}

impl Images<'_> {
    /// Values of one image; an error where the numbers do not describe whole images.
    fn image_len(&self) -> Result<usize> {
        let Self { values, size, channels } = *self;
        if size.least() == 0 || !CHANNELS.contains(&channels) {
            return Err(Error::Input(format!(
                "sheet: images of size {size} with {channels} channels; expected sides of 1 or more and 1, 3 or 4 channels"
            )));
        }
        let len = size.area().saturating_mul(channels);
        if values.is_empty() || !values.len().is_multiple_of(len) {
            return Err(Error::Input(format!(
                "sheet: {} values; expected one or more whole images of size {size} with {channels} channels, {len} values each",
                values.len()
            )));
        }
        Ok(len)
    }
}

/// Lays `images` out row by row; cells left over in the last row stay white.
pub fn grid(images: Images, layout: Layout) -> Result<Sheet> {
    let image_len = images.image_len()?;
    let Layout { columns, padding, scale } = layout;
    if columns == 0 || !(1..=LARGEST).contains(&scale) || padding > LARGEST {
        return Err(Error::Input(format!(
            "sheet: {columns} columns, padding {padding}, scale {scale}; expected 1 or more columns, \
             0 to {LARGEST} pixels of padding and a scale of 1 to {LARGEST}"
        )));
    }
    let count = images.values.len() / image_len;
    let columns = columns.min(count);
    let (size, channels) = (images.size, images.channels);
    let [down, across] = size.extents().map(|side| side * scale + padding);
    let width = columns * across + padding;
    let height = count.div_ceil(columns) * down + padding;

    let mut bytes = vec![WHITE; width * height * channels];
    for (index, image) in images.values.chunks_exact(image_len).enumerate() {
        let (top, left) = (padding + index / columns * down, padding + index % columns * across);
        for y in 0..size.height * scale {
            let row = &image[y / scale * size.width * channels..][..size.width * channels];
            let start = ((top + y) * width + left) * channels;
            for (x, pixel) in
                bytes[start..][..size.width * scale * channels].chunks_exact_mut(channels).enumerate()
            {
                for (byte, &value) in pixel.iter_mut().zip(&row[x / scale * channels..]) {
                    *byte = to_byte(value);
                }
            }
        }
    }
    Ok(Sheet { width, height, channels, bytes })
}

/// Lays `left[0], right[0], left[1], right[1], ...` out as [`grid`] does: with an even number of columns, each source
/// stands beside its translation.
pub fn pairs(left: Images, right: Images, layout: Layout) -> Result<Sheet> {
    side_by_side(&[left, right], layout)
}

/// As [`pairs`], of any number of sets: the first image of each, then the second of each, ...
pub fn side_by_side(sets: &[Images], layout: Layout) -> Result<Sheet> {
    let Some(first) = sets.first() else {
        return Err(Error::Input("sheet: no images; expected one set or more".into()));
    };
    let shape = |images: &Images| (images.values.len(), images.size, images.channels);
    if let Some(other) = sets.iter().find(|set| shape(set) != shape(first)) {
        return Err(Error::Input(format!(
            "sheet: left and right differ in (values, size, channels): {:?} and {:?}; expected the same",
            shape(first),
            shape(other)
        )));
    }
    let len = first.image_len()?;
    let image = |index: usize| sets.iter().flat_map(move |set| &set.values[index * len..][..len]);
    let values: Vec<f32> = (0..first.values.len() / len).flat_map(image).copied().collect();
    grid(Images { values: &values, ..*first }, layout)
}

impl Sheet {
    /// Writes the sheet as a PNG.
    pub fn save_png(&self, path: impl AsRef<Path>) -> Result<()> {
        let path = path.as_ref();
        let Self { width, height, channels, bytes } = self;
        let color = match channels {
            1 => ExtendedColorType::L8,
            3 => ExtendedColorType::Rgb8,
            4 => ExtendedColorType::Rgba8,
            _ => {
                return Err(Error::Input(format!("sheet: {channels} channels; expected 1, 3 or 4")));
            }
        };
        let (Ok(columns), Ok(rows)) = (u32::try_from(*width), u32::try_from(*height)) else {
            return Err(Error::Input(format!("sheet: {width} x {height} pixels is too large for a PNG")));
        };
        if width.checked_mul(*height).and_then(|pixels| pixels.checked_mul(*channels)) != Some(bytes.len()) {
            return Err(Error::Input(format!(
                "sheet: {} bytes do not make {width} x {height} pixels of {channels} channels",
                bytes.len()
            )));
        }
        let mut png = Vec::new();
        PngEncoder::new(&mut png)
            .write_image(bytes, columns, rows, color)
            .map_err(|error| Error::io(path)(std::io::Error::other(error)))?;
        file::write_atomic(path, &png)
    }
}
