use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use rayon::prelude::*;

use super::cache::Cache;
use super::decode::{Fitted, ImageFile, LoadOptions};
use super::found::Found;
use super::{CHANNELS, archive, builtin, folder};
use crate::machine;
use crate::size::Size;
use crate::{Error, Result};

/// Images and what is wrong with them.
type Problems = Vec<(PathBuf, String)>;

/// Who follows the loading of a set: hears how many images are ready, of how many, from any thread.
pub type OnImage<'a> = &'a (dyn Fn(usize, usize) + Sync);

/// Decoded images, with their names: all of one size, or whole images, each of its own. Sets that were split, and clones, share
/// one copy of the bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Images {
    /// `[height, width, channels]` of one after another of all that were loaded together.
    bytes: Arc<Vec<u8>>,
    /// Where each of those begins, and its size, unless all have the same.
    places: Option<Arc<Vec<(usize, Size)>>>,
    /// Which of those are meant.
    indices: Vec<usize>,
    names: Vec<String>,
    size: Size,
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
    /// Images from `bytes`, `[names.len(), height, width, channels]`.
    ///
    /// # Errors
    /// If a side is 0, `channels` is none of [`CHANNELS`], or there are more or fewer bytes than that.
    pub fn new(bytes: Vec<u8>, names: Vec<String>, size: impl Into<Size>, channels: usize) -> Result<Self> {
        let size = size.into();
        let count = names.len();
        let expected = [size.height, size.width, channels].iter().try_fold(count, |n, &d| n.checked_mul(d));
        if size.least() == 0 || !CHANNELS.contains(&channels) || expected != Some(bytes.len()) {
            return Err(Error::Input(format!(
                "{} bytes are not {count} images of size {size} with {channels} channels; channels must be 1, 3 or 4",
                bytes.len()
            )));
        }
        let (bytes, indices) = (Arc::new(bytes), (0..count).collect());
        Ok(Self { bytes, places: None, indices, names, size, channels })
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
        Self::of(source, search(source)?, options, &|_, _| {})
    }

    /// Loads the images of `source` that are called `names`, as [`Images::names`] has them.
    ///
    /// # Errors
    /// As [`Images::load`], or if one of them is not there any more.
    pub fn load_named(source: &str, names: &[String], options: &LoadOptions) -> Result<Self> {
        let all = LoadOptions { skip_bad: false, cache: false, ..options.clone() };
        Ok(Self::of(source, search(source)?.named(source, names)?, &all, &|_, _| {})?.images)
    }

    /// Loads what was `found` of `source`. All files are looked at before the first bad one is told of, so that all bad ones can be.
    ///
    /// # Errors
    /// If an image cannot be read (unless [`LoadOptions::skip_bad`]), or none can, or they need more memory than the machine
    /// has.
    pub fn of(source: &str, found: Found, options: &LoadOptions, on_image: OnImage<'_>) -> Result<Loaded> {
        options.check()?;
        let (left_out, files) = (found.left_out(), found.files);
        let (count, len) = (files.len(), options.image_len());
        if options.varied() {
            return Self::whole(source, files, left_out, options, on_image);
        }
        check_memory(source, count, options.bytes(count), options, machine::memory())?;
        let mut cache = Cache::open(source, &files, options);
        if let Some(bytes) = cache.as_mut().and_then(Cache::whole) {
            if let Some(cache) = cache {
                cache.keep(&Vec::from_iter(0..count), &[]);
            }
            on_image(count, count);
            let names = files.into_iter().map(|file| file.name).collect();
            let images = Self::new(bytes, names, options.size, options.channels)?;
            return Ok(Loaded { images, skipped: Problems::new(), warnings: Problems::new(), left_out });
        }
        let mut bytes = vec![0; count * len];
        let done = AtomicUsize::new(0);
        on_image(0, count);
        let read = |(index, (place, file)): (usize, (&mut [u8], &ImageFile))| {
            let warning = match cache.as_ref().is_some_and(|cache| cache.read(index, place)) {
                true => Ok(None),
                false => file.fitted(options).map(|image| {
                    place.copy_from_slice(&image.bytes);
                    image.warning
                }),
            };
            on_image(done.fetch_add(1, Ordering::Relaxed) + 1, count);
            warning
        };
        let decoded: Vec<std::result::Result<Option<String>, String>> =
            bytes.par_chunks_exact_mut(len).zip(&files).enumerate().map(read).collect();

        let mut good = Vec::new();
        let Gathered { names, skipped, warnings } =
            gather(source, files, decoded, options, |index, warning| {
                bytes.copy_within(index * len..(index + 1) * len, good.len() * len);
                good.push(index);
                warning
            })?;
        bytes.truncate(good.len() * len);
        if let Some(cache) = cache {
            cache.keep(&good, &bytes);
        }
        let images = Self::new(bytes, names, options.size, options.channels)?;
        Ok(Loaded { images, skipped, warnings, left_out })
    }

    /// Loads whole images, each of its own size.
    fn whole(
        source: &str,
        files: Vec<ImageFile>,
        left_out: Option<String>,
        options: &LoadOptions,
        on_image: OnImage<'_>,
    ) -> Result<Loaded> {
        let (count, memory) = (files.len(), machine::memory());
        check_memory(source, count, options.bytes(count), options, memory)?;
        let (done, taken) = (AtomicUsize::new(0), AtomicU64::new(0));
        on_image(0, count);
        let read = |file: &ImageFile| -> Result<std::result::Result<Fitted, String>> {
            let image = file.fitted(options);
            let len = image.as_ref().map_or(0, |image| image.bytes.len() as u64);
            check_memory(source, count, taken.fetch_add(len, Ordering::Relaxed) + len, options, memory)?;
            on_image(done.fetch_add(1, Ordering::Relaxed) + 1, count);
            Ok(image)
        };
        let decoded = files.par_iter().map(read).collect::<Result<Vec<_>>>()?;

        let (mut bytes, mut places) = (Vec::new(), Vec::new());
        bytes.reserve_exact(taken.into_inner() as usize);
        let Gathered { names, skipped, warnings } = gather(source, files, decoded, options, |_, image| {
            places.push((bytes.len(), image.size));
            bytes.extend(image.bytes);
            image.warning
        })?;
        let (bytes, indices) = (Arc::new(bytes), (0..names.len()).collect());
        let LoadOptions { size, channels, .. } = *options;
        let images = Self { bytes, places: Some(Arc::new(places)), indices, names, size, channels };
        Ok(Loaded { images, skipped, warnings, left_out })
    }

    /// How many images.
    pub fn len(&self) -> usize {
        self.names.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.names.is_empty()
    }

    /// Height and width; of whole images what each has at least.
    pub fn size(&self) -> Size {
        self.size
    }

    /// Whether each has its own size.
    pub fn varied(&self) -> bool {
        self.places.is_some()
    }

    /// Height and width of one image.
    ///
    /// # Panics
    /// If `index` is not below [`len`](Self::len), as a slice does.
    pub fn size_of(&self, index: usize) -> Size {
        self.places.as_ref().map_or(self.size, |places| places[self.indices[index]].1)
    }

    /// Bytes of all images that were loaded together.
    pub fn bytes(&self) -> u64 {
        self.bytes.len() as u64
    }

    /// 1 for grey, 3 for RGB, 4 for RGBA.
    pub fn channels(&self) -> usize {
        self.channels
    }

    /// File names relative to the source, with `/` between folders.
    pub fn names(&self) -> &[String] {
        &self.names
    }

    /// The bytes of one image, `[height, width, channels]`.
    ///
    /// # Panics
    /// If `index` is not below [`len`](Self::len), as a slice does.
    pub fn image(&self, index: usize) -> &[u8] {
        let len = self.size_of(index).area() * self.channels;
        let at =
            self.places.as_ref().map_or(self.indices[index] * len, |places| places[self.indices[index]].0);
        &self.bytes[at..][..len]
    }

    /// The images whose names `chosen` chooses, and the others; both keep their order, and share the bytes.
    pub fn split(&self, chosen: impl Fn(&str) -> bool) -> (Self, Self) {
        let (of, others): (Vec<usize>, _) = (0..self.len()).partition(|&index| chosen(&self.names[index]));
        (self.select(&of), self.select(&others))
    }

    /// The images at these places, in this order; they share the bytes.
    ///
    /// # Panics
    /// If a place is not below [`len`](Self::len), as a slice does.
    pub fn select(&self, chosen: &[usize]) -> Self {
        Self {
            bytes: Arc::clone(&self.bytes),
            places: self.places.clone(),
            indices: chosen.iter().map(|&index| self.indices[index]).collect(),
            names: chosen.iter().map(|&index| self.names[index].clone()).collect(),
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

/// Whether a source is a bundled set.
pub fn is_bundled(source: &str) -> bool {
    source.starts_with(builtin::PREFIX)
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

/// What became of the files of a set.
struct Gathered {
    /// The names of those that could be read.
    names: Vec<String>,
    skipped: Problems,
    warnings: Problems,
}

/// Gives `keep` what was `decoded` of each file that could be read, with the file's place among all; it returns what is wrong with the
/// image nevertheless.
///
/// # Errors
/// If a file could not be read (unless [`LoadOptions::skip_bad`]), or none could.
fn gather<T>(
    source: &str,
    files: Vec<ImageFile>,
    decoded: Vec<std::result::Result<T, String>>,
    options: &LoadOptions,
    mut keep: impl FnMut(usize, T) -> Option<String>,
) -> Result<Gathered> {
    let count = files.len();
    let (mut names, mut bad, mut warnings) = (Vec::new(), Problems::new(), Problems::new());
    for (index, (file, decoded)) in files.into_iter().zip(decoded).enumerate() {
        match decoded {
            Ok(image) => {
                names.push(file.name);
                warnings.extend(keep(index, image).map(|warning| (file.path, warning)));
            }
            Err(problem) => bad.push((file.path, problem)),
        }
    }
    if !bad.is_empty() && (names.is_empty() || !options.skip_bad) {
        return Err(Error::Images { set: source.to_owned(), count, bad });
    }
    Ok(Gathered { names, skipped: bad, warnings })
}

/// Refuses images that need more bytes than a machine with so many MiB of memory has.
fn check_memory(
    source: &str,
    count: usize,
    bytes: u64,
    options: &LoadOptions,
    memory: Option<u64>,
) -> Result<()> {
    let needed = bytes >> 20;
    match memory.filter(|most| needed > *most) {
        None => Ok(()),
        Some(most) if options.varied() => Err(Error::Memory(format!(
            "{source}: its {count} whole images need more than the {most} MiB of memory of this machine; choose a \
             smaller `load_size`, or fewer images"
        ))),
        Some(most) => Err(Error::Memory(format!(
            "{source}: its {count} images of size {} need {needed} MiB of memory, over the {most} MiB of this machine; \
             choose a smaller `size`, or fewer images",
            options.size
        ))),
    }
}
