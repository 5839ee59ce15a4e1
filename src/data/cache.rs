//! Images of large sets as they are stored, kept on disk: a start need not decode them again. A file for each set and size,
//! in the user's folder for what can be made again.

use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;

use super::decode::{Content, ImageFile, LoadOptions};
use crate::tensor_file::{TensorFile, write_bytes};
use crate::{file, machine};

/// Sets whose files have fewer bytes than this in all are decoded in no time.
const WORTH: u64 = 16 << 20;
/// The tensor of all images, and the text that says of which files they are.
const IMAGES: &str = "images";
const FILES: &str = "files";

/// By what a file is known to be the same: length in bytes, and when it was last written, in nanoseconds since 1970.
type Stamp = (u64, u128);

/// Of which files images are kept, and the images.
type Kept = (Vec<(String, Stamp)>, Vec<u8>);

/// The kept images of a set, of which some may be missing.
pub(super) struct Cache {
    path: PathBuf,
    /// The files of the set: name, and stamp where there is one.
    files: Vec<(String, Option<Stamp>)>,
    /// Where the images of the files are among those kept.
    places: Vec<Option<usize>>,
    kept: Vec<u8>,
    shape: [usize; 4],
}

impl Cache {
    /// What is kept of `files` of `source`; none where a cache is not wanted, not worth it, or has no place on this machine.
    pub fn open(source: &str, files: &[ImageFile], options: &LoadOptions) -> Option<Self> {
        let folder = machine::cache().filter(|_| options.cache && !options.varied())?.join("images");
        let source = Path::new(source).canonicalize().ok()?;
        let files: Vec<_> = files.iter().map(|file| (file.name.clone(), stamp(file))).collect();
        let total: u64 = files.iter().filter_map(|(_, stamp)| Some(stamp.as_ref()?.0)).sum();
        if total < WORTH || options.bytes(files.len()) > file::MOST_CACHED {
            return None;
        }
        let LoadOptions { size, channels, fit, .. } = options;
        let half = options.half.map_or_else(String::new, |half| format!("{half:?} "));
        let version = env!("CARGO_PKG_VERSION");
        let key = format!("{}\n{size} {channels} {fit:?} {half}{version}", source.display());
        let path = folder.join(format!("{:016x}.safetensors", file::fnv1a(key.bytes())));
        let shape = [0, size.height, size.width, *channels];
        let (known, kept) = read(&path, shape).unwrap_or_default();
        let known: HashMap<(String, Stamp), usize> =
            known.into_iter().enumerate().map(|(index, of)| (of, index)).collect();
        let place = |(name, stamp): &(String, Option<Stamp>)| known.get(&(name.clone(), (*stamp)?)).copied();
        let places = files.iter().map(place).collect();
        Some(Self { path, files, places, kept, shape })
    }

    /// All images, where those kept are just those of the files.
    pub fn whole(&mut self) -> Option<Vec<u8>> {
        let len: usize = self.shape[1..].iter().product();
        let in_order = self.places.iter().enumerate().all(|(index, place)| *place == Some(index));
        (in_order && self.kept.len() == self.files.len() * len).then(|| std::mem::take(&mut self.kept))
    }

    /// Copies the image of a file to `place`, if it is kept.
    pub fn read(&self, index: usize, place: &mut [u8]) -> bool {
        let Some(at) = self.places[index] else { return false };
        place.copy_from_slice(&self.kept[at * place.len()..][..place.len()]);
        true
    }

    /// Keeps the images of the files `good`, unless all were kept before.
    pub fn keep(mut self, good: &[usize], images: &[u8]) {
        if good.iter().all(|&index| self.places[index].is_some()) {
            return file::used_cache(&self.path);
        }
        self.kept = Vec::new();
        let stamped = |&index: &usize| (&self.files[index].0, self.files[index].1.unwrap_or_default());
        let Ok(text) = serde_json::to_string(&good.iter().map(stamped).collect::<Vec<_>>()) else { return };
        self.shape[0] = good.len();
        file::write_bounded_cache(&self.path, images.len() as u64, |path| {
            write_bytes(path, IMAGES, &self.shape, images, (FILES, text))
        });
    }
}

fn stamp(file: &ImageFile) -> Option<Stamp> {
    let metadata = fs::metadata(&file.path).ok().filter(|_| matches!(file.content, Content::File))?;
    let written = metadata.modified().ok()?.duration_since(UNIX_EPOCH).ok()?;
    Some((metadata.len(), written.as_nanos()))
}

/// Of which files images are kept, and the images; none where the file is none of this shape.
fn read(path: &Path, [_, height, width, channels]: [usize; 4]) -> Option<Kept> {
    let file = TensorFile::open(path).ok()?;
    let known: Vec<(String, Stamp)> = serde_json::from_str(file.text(FILES)?).ok()?;
    let tensors = file.tensors();
    let tensor = tensors.get(IMAGES)?;
    let bytes = file.read(tensor).ok()?;
    (bytes.len() == known.len() * height * width * channels).then_some((known, bytes))
}
