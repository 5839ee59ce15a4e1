//! Image files, wherever their content lies.

use std::borrow::Cow;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use image::DynamicImage;

use super::fit::{fit, opaque};
use super::{Decoded, LoadOptions, MAX_FILE, Turn, contained, decode, upright_size};
use crate::data::archive::Archive;
use crate::size::Size;
use crate::{Error, Result, file};

/// An image not yet decoded.
#[derive(Clone, Debug)]
pub struct ImageFile {
    /// Relative to the source, with `/` between folders.
    pub name: String,
    /// Where it is, for errors and for reading.
    pub path: PathBuf,
    pub(in crate::data) content: Content,
}

/// Where the content of an image is.
#[derive(Clone, Debug)]
pub(in crate::data) enum Content {
    /// In the file at its path.
    File,
    /// Here.
    Bytes(Cow<'static, [u8]>),
    /// In a zip file, as its entry of this number.
    Entry(Arc<Archive>, usize),
    /// Nowhere that could be read, and why.
    Missing(String),
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

/// An image as it is stored for training.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fitted {
    /// `[height, width, channels]`.
    pub bytes: Vec<u8>,
    /// Height and width, in pixels.
    pub size: Size,
    /// What is wrong with the file although it can be shown.
    pub warning: Option<String>,
}

impl ImageFile {
    /// The file at `path`, under its own name.
    pub fn at(path: &Path) -> Self {
        let name = path.file_name().map_or_else(String::new, |name| name.to_string_lossy().into_owned());
        Self { name, path: path.to_path_buf(), content: Content::File }
    }

    /// A file that is `content` already; `name` stands for it in errors.
    pub fn of_bytes(name: &str, content: Vec<u8>) -> Self {
        Self { name: name.to_owned(), path: name.into(), content: Content::Bytes(Cow::Owned(content)) }
    }

    /// The image with all that its file says: its own size, transparency and depth, upright and in sRGB.
    ///
    /// # Errors
    /// If it cannot be read.
    pub fn decode(&self) -> Result<Decoded> {
        let (decoded, _turn) =
            self.decoded(None).map_err(|problem| Error::Unreadable { path: self.path.clone(), problem })?;
        Ok(decoded)
    }

    /// The image at its own size: made upright and sRGB, composited over white, 8 bits a channel; grey (Rec. 709 luma) where
    /// `channels` is 1, else RGB.
    ///
    /// # Errors
    /// If it cannot be read.
    pub fn read(&self, channels: usize) -> Result<Image> {
        let image = opaque(self.decode()?.image);
        let (width, height) = image.dimensions();
        let size = [height as usize, width as usize];
        let bytes = match channels {
            1 => DynamicImage::from(image).to_luma8().into_raw(),
            _ => image.into_raw(),
        };
        Ok(Image { channels: bytes.len() / (size[0] * size[1]).max(1), bytes, size })
    }

    /// The image as it is stored: made upright and sRGB, composited over white unless opacity is a channel, fitted and resized with
    /// the bicubic filter of PIL. A JPEG is decoded at a half, a quarter or an eighth of its size where that is at least twice the stored one.
    ///
    /// # Errors
    /// What is wrong with the file, in words.
    pub fn fitted(&self, options: &LoadOptions) -> std::result::Result<Fitted, String> {
        let (Decoded { image, warning, .. }, _turn) = self.decoded(Some(options))?;
        let image = match options.half {
            Some(half) => half.of(image)?,
            None => image,
        };
        let (bytes, size) = fit(image, options);
        Ok(Fitted { bytes, size, warning })
    }

    /// Height and width of the image, upright. Its pixels are not decoded.
    ///
    /// # Errors
    /// What is wrong with the file, in words.
    pub fn size(&self) -> std::result::Result<Size, String> {
        let content = self.bytes()?;
        contained(|| upright_size(&content))
    }

    fn decoded(&self, options: Option<&LoadOptions>) -> std::result::Result<(Decoded, Turn), String> {
        let content = self.bytes()?;
        contained(|| decode(&content, options))
    }

    fn bytes(&self) -> std::result::Result<Cow<'_, [u8]>, String> {
        match &self.content {
            Content::Bytes(content) => Ok(Cow::Borrowed(content)),
            Content::Entry(archive, number) => archive.bytes(*number).map(Cow::Owned),
            Content::Missing(problem) => Err(problem.clone()),
            Content::File => match file::bytes(&self.path, MAX_FILE) {
                Ok(content) => Ok(Cow::Owned(content)),
                Err(Error::Io { source, .. }) => Err(source.to_string()),
                Err(error) => Err(error.to_string()),
            },
        }
    }
}
