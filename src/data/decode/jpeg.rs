//! JPEG files.

use std::borrow::Cow;

use image::metadata::Orientation;
use image::{DynamicImage, GrayImage, RgbImage};
use jpeg_decoder::{ColorTransform, Decoder, PixelFormat};

use super::fit::reduction;
use super::markers::{Colours, Markers};
use super::profile::Pixels;
use super::{Encoded, LoadOptions, check_size, cut_short};

/// The end of an image.
const END: [u8; 2] = [0xff, 0xd9];

/// Decodes a JPEG file, reduced as far as `options` allow.
pub(super) fn decode(content: &[u8], options: Option<&LoadOptions>) -> Result<Encoded, String> {
    let markers = Markers::of(content);
    markers.check()?;
    let [width, height] = markers.size.map(|size| size.map(u32::from)).ok_or_else(cut_short)?;
    let turn = check_size(width, height)?;
    let (content, warning) = match markers.ended {
        true => (Cow::Borrowed(content), None),
        false => (ended(content, &markers)?.into(), Some("a JPEG without its end marker".to_owned())),
    };
    Ok(Encoded { warning, turn, ..pixels(&content, markers.colours(), options)? })
}

/// Width and height as stored, and how the image is turned.
pub(super) fn size(content: &[u8]) -> Result<(u32, u32, Orientation), String> {
    let mut decoder = Decoder::new(content);
    decoder.read_info().map_err(|error| error.to_string())?;
    let info = decoder.info().ok_or_else(cut_short)?;
    let orientation = decoder.exif_data().and_then(Orientation::from_exif_chunk);
    Ok((info.width.into(), info.height.into(), orientation.unwrap_or(Orientation::NoTransforms)))
}

fn pixels(content: &[u8], colours: Colours, options: Option<&LoadOptions>) -> Result<Encoded, String> {
    let mut decoder = Decoder::new(content);
    decoder.read_info().map_err(|error| error.to_string())?;
    let full = decoder.info().ok_or_else(cut_short)?;
    if let Some(options) = options {
        let by = reduction(full.width.into(), full.height.into(), options) as u16;
        decoder.scale(full.width / by, full.height / by).map_err(|error| error.to_string())?;
    }
    decoder.set_color_transform(match colours {
        Colours::Grey => ColorTransform::Grayscale,
        Colours::Rgb => ColorTransform::RGB,
        Colours::YCbCr => ColorTransform::YCbCr,
        Colours::Cmyk => ColorTransform::CMYK,
        Colours::Ycck => ColorTransform::YCCK,
    });
    let bytes = decoder.decode().map_err(|error| error.to_string())?;
    let info = decoder.info().ok_or_else(cut_short)?;
    let size = [u32::from(info.width), u32::from(info.height)];
    let [width, height] = size;
    let pixels = match info.pixel_format {
        PixelFormat::L8 => {
            GrayImage::from_raw(width, height, bytes).map(DynamicImage::from).map(Pixels::Image)
        }
        PixelFormat::RGB24 => {
            RgbImage::from_raw(width, height, bytes).map(DynamicImage::from).map(Pixels::Image)
        }
        // Turned over by the decoder already, as programs store them.
        PixelFormat::CMYK32 => Some(Pixels::Cmyk { bytes, size }),
        PixelFormat::L16 => None,
    };
    Ok(Encoded {
        pixels: pixels.ok_or("a JPEG of a kind that is not supported")?,
        // Damaged EXIF data says nothing about the pixels.
        orientation: decoder
            .exif_data()
            .and_then(Orientation::from_exif_chunk)
            .unwrap_or(Orientation::NoTransforms),
        profile: decoder.icc_profile(),
        warning: None,
        turn: None,
    })
}

/// A file that lacks its end marker, with one. The decoder would fill missing data with grey, so this looks for whether
/// anything else is missing: if so, what is put behind the data changes the pixels. Likewise, what is put in place of the last
/// of the data must change them; else that is no data, but the zeros of a file never written to its end.
fn ended(content: &[u8], markers: &Markers) -> Result<Vec<u8>, String> {
    let data = content.strip_suffix(&END[..1]).unwrap_or(content);
    if !markers.is_complete() {
        return Err(cut_short());
    }
    let whole = |data: &[u8], byte: u8| [data, &[byte; 64], &END].concat();
    let shown =
        |data: &[u8], byte| pixels(&whole(data, byte), markers.colours(), None).ok().map(|of| of.pixels);
    let same = |data: &[u8]| shown(data, 0x55) == shown(data, 0xaa);
    let shorter = &data[..data.len().saturating_sub(8)];
    let lacks_nothing = shown(data, 0x55).is_some() && same(data) && !same(shorter);
    if lacks_nothing { Ok(whole(data, 0x55)) } else { Err(cut_short()) }
}
