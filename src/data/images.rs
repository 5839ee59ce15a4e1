use std::path::{Path, PathBuf};

use rand::seq::SliceRandom;
use rayon::prelude::*;

use super::decode::{ImageFile, LoadOptions};
use super::found::Found;
use super::{archive, builtin, folder};
use crate::machine;
use crate::random::stream;
use crate::{Error, Result};

/// Images and what is wrong with them.
type Problems = Vec<(PathBuf, String)>;

/// A byte, or a value between two bytes, as the networks see it: `level / 127.5 - 1`, from -1 to 1.
pub fn to_unit(level: impl Into<f32>) -> f32 {
    level.into() / 127.5 - 1.0
}

/// The inverse of [`to_unit`]: the nearest byte, values outside -1 to 1 clamped. Not a number gives 0.
pub fn to_byte(unit: f32) -> u8 {
    ((unit + 1.0) * 127.5).round() as u8
}

/// Decoded images of one size, `[count, side, side, channels]` bytes, with their names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Images {
    bytes: Vec<u8>,
    names: Vec<String>,
    side: usize,
    channels: usize,
}

/// What [`Images::load`] found.
#[derive(Debug)]
pub struct Loaded {
    /// The images, in the order of their names.
    pub images: Images,
    /// The images that could not be read, and why; empty unless [`LoadOptions::skip_bad`].
    pub skipped: Vec<(PathBuf, String)>,
    /// Images that are damaged, yet could be read, and what is wrong with them.
    pub warnings: Vec<(PathBuf, String)>,
    /// Files of other kinds, such as `12 .avif`.
    pub left_out: Option<String>,
}

impl Images {
    /// Images from `bytes`, `[names.len(), side, side, channels]`.
    ///
    /// # Errors
    /// If `side` is 0, `channels` is neither 1 nor 3, or there are more or fewer bytes than that.
    pub fn new(bytes: Vec<u8>, names: Vec<String>, side: usize, channels: usize) -> Result<Self> {
        let count = names.len();
        let expected = [side, side, channels].iter().try_fold(count, |n, &d| n.checked_mul(d));
        if side == 0 || !matches!(channels, 1 | 3) || expected != Some(bytes.len()) {
            return Err(Error::Input(format!(
                "{} bytes are not {count} images of {side}x{side} with {channels} channels; channels must be 1 or 3",
                bytes.len()
            )));
        }
        Ok(Self { bytes, names, side, channels })
    }

    /// Loads every image of `source`, decoding on all threads.
    ///
    /// `source` is a folder, searched with its subfolders for PNG, JPEG, WebP, GIF, BMP and TIFF files (hidden ones left
    /// out), a `.zip` file of such, or a bundled set: `builtin:noto`, `builtin:twemoji`, or one of their subsets such as
    /// `builtin:noto/faces`.
    ///
    /// # Errors
    /// If there is no such folder or set, it has no images, an image cannot be read (unless
    /// [`LoadOptions::skip_bad`]), or none can.
    pub fn load(source: &str, options: &LoadOptions) -> Result<Loaded> {
        options.check()?;
        let found = search(source)?;
        let left_out = found.left_out();
        let loaded = decode_all(source, found.files, options)?;
        Ok(Loaded { left_out, ..loaded })
    }

    /// Loads the images of `source` that are called `names`, as [`Images::names`] has them.
    ///
    /// # Errors
    /// As [`Images::load`], or if one of them is not there any more.
    pub fn load_named(source: &str, names: &[String], options: &LoadOptions) -> Result<Self> {
        options.check()?;
        let mut files = find(source)?;
        files.retain(|file| names.contains(&file.name));
        if let Some(missing) = names.iter().find(|name| files.iter().all(|file| file.name != **name)) {
            return Err(Error::Input(format!("{source}: its image {missing} is not there any more")));
        }
        let all = LoadOptions { skip_bad: false, ..options.clone() };
        Ok(decode_all(source, files, &all)?.images)
    }

    /// How many images.
    pub fn len(&self) -> usize {
        self.names.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.names.is_empty()
    }

    /// Height and width, in pixels.
    pub fn side(&self) -> usize {
        self.side
    }

    /// 1 for grey, 3 for RGB.
    pub fn channels(&self) -> usize {
        self.channels
    }

    /// File names relative to the source, with `/` between folders.
    pub fn names(&self) -> &[String] {
        &self.names
    }

    /// The bytes of one image, `[side, side, channels]`.
    ///
    /// # Panics
    /// If `index` is not below [`len`](Self::len), as a slice does.
    pub fn image(&self, index: usize) -> &[u8] {
        let len = self.side * self.side * self.channels;
        &self.bytes[index * len..][..len]
    }

    /// Splits into images to train on and `holdout_fraction` of them, rounded, held out; both keep their order.
    ///
    /// Which are held out depends on the count and the seed alone, so two sets with the same names stay paired.
    ///
    /// # Errors
    /// If the fraction is not from 0 to 1, or nothing would be left to train on.
    pub fn split(&self, holdout_fraction: f64, seed: u64) -> Result<(Self, Self)> {
        let held_out = (holdout_fraction * self.len() as f64).round();
        if !(0.0..=1.0).contains(&holdout_fraction) || held_out >= self.len() as f64 {
            return Err(Error::Input(format!(
                "holding out a fraction of {holdout_fraction} of {} images; it must be at least 0 and leave some to \
                 train on",
                self.len()
            )));
        }
        let mut order: Vec<usize> = (0..self.len()).collect();
        order.shuffle(&mut stream(seed, "holdout", 0));
        let (held_out, train) = order.split_at_mut(held_out as usize);
        held_out.sort_unstable();
        train.sort_unstable();
        Ok((self.select(train), self.select(held_out)))
    }

    fn select(&self, indices: &[usize]) -> Self {
        Self {
            bytes: indices.iter().flat_map(|&i| self.image(i)).copied().collect(),
            names: indices.iter().map(|&i| self.names[i].clone()).collect(),
            ..*self
        }
    }
}

/// The image files of a source as [`Images::load`] takes it, by name.
///
/// # Errors
/// If there is no such folder or set, or it has no images.
pub fn find(source: &str) -> Result<Vec<ImageFile>> {
    Ok(search(source)?.files)
}

/// As [`find`], with what is beside the images.
///
/// # Errors
/// As [`find`].
pub fn search(source: &str) -> Result<Found> {
    let path = Path::new(source);
    match source.strip_prefix(builtin::PREFIX) {
        Some(set) => Ok(Found { files: builtin::images(set)?, ..Found::default() }),
        None if archive::is_archive(path) => archive::images(path),
        None => folder::images(path),
    }
}

/// The images in `files`, and what is wrong with those that are none. All files are looked at before the first bad one is
/// told of, so that all bad ones can be.
fn decode_all(source: &str, files: Vec<ImageFile>, options: &LoadOptions) -> Result<Loaded> {
    let (count, len) = (files.len(), options.image_len());
    check_memory(source, count, options)?;
    let mut bytes = vec![0; count * len];
    let decode = |(place, file): (&mut [u8], &ImageFile)| {
        let square = file.square(options)?;
        place.copy_from_slice(&square.bytes);
        Ok(square.warning)
    };
    let decoded: Vec<std::result::Result<_, String>> =
        bytes.par_chunks_exact_mut(len).zip(&files).map(decode).collect();

    let (mut names, mut bad, mut warnings) = (Vec::new(), Problems::new(), Problems::new());
    for (index, (file, decoded)) in files.into_iter().zip(decoded).enumerate() {
        match decoded {
            Ok(warning) => {
                bytes.copy_within(index * len..(index + 1) * len, names.len() * len);
                names.push(file.name);
                warnings.extend(warning.map(|warning| (file.path, warning)));
            }
            Err(problem) => bad.push((file.path, problem)),
        }
    }
    bytes.truncate(names.len() * len);
    if !bad.is_empty() && (names.is_empty() || !options.skip_bad) {
        return Err(Error::Images { set: source.to_owned(), count, bad });
    }
    let images = Images::new(bytes, names, options.side, options.channels)?;
    Ok(Loaded { images, skipped: bad, warnings, left_out: None })
}

/// Refuses more images than the machine's memory holds.
fn check_memory(source: &str, count: usize, options: &LoadOptions) -> Result<()> {
    let needed = ((count as u64).saturating_mul(options.image_len() as u64)) >> 20;
    match machine::memory().filter(|most| needed > *most) {
        None => Ok(()),
        Some(most) => Err(Error::Memory(format!(
            "{source}: its {count} images at {0}x{0} need {needed} MiB of memory, over the {most} MiB of this machine; \
             choose a smaller `size`, or fewer images",
            options.side
        ))),
    }
}
