//! Sets of images that are zip files.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use zip::result::ZipError;
use zip::{CompressionMethod, ZipArchive};

use super::decode::{Content, MAX_FILE};
use super::found::Found;
use crate::{Error, Result};

/// The most entries a zip file may have.
const MAX_ENTRIES: usize = 4_000_000;

/// Whether `path` is a zip file by its name.
pub fn is_archive(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("zip")) && path.is_file()
}

/// A zip file whose directory has been read. Entries are read when asked for, by any number of threads.
#[derive(Clone, Debug)]
pub(super) struct Archive(ZipArchive<Reader>);

/// The image files in the zip file at `path`, by name; hidden ones are left out, as are those that macOS adds.
pub(super) fn images(path: &Path) -> Result<Found> {
    let zip = ZipArchive::new(Reader::of(path)?).map_err(|error| refused(path, &error))?;
    if zip.len() > MAX_ENTRIES {
        return Err(Error::Input(format!(
            "{}: {} files in it; a zip file may have {MAX_ENTRIES}: unpack it and pass the folder",
            path.display(),
            zip.len()
        )));
    }
    let archive = Arc::new(Archive(zip));
    let mut found = Found::default();
    for number in 0..archive.0.len() {
        let entry = archive.0.by_index_data(number).map_err(|error| refused(path, &error))?;
        // Without what would lead out of a folder that translations go to.
        let name = entry
            .mangled_name()
            .unwrap_or_else(|_| String::from_utf8_lossy(entry.name_raw()).replace('/', "_").into());
        let hidden = |part: &std::ffi::OsStr| part == "__MACOSX" || part.to_string_lossy().starts_with('.');
        if entry.is_dir() || name.iter().any(hidden) {
            continue;
        }
        let content = if entry.encrypted() {
            Content::Missing("encrypted; unpack its zip file with the password and pass the folder".into())
        } else if !matches!(entry.compression(), CompressionMethod::Stored | CompressionMethod::DEFLATE) {
            Content::Missing(format!("compressed by {}; pack its zip file with deflate", entry.compression()))
        } else if entry.size() > MAX_FILE {
            Content::Missing(too_long())
        } else {
            Content::Entry(Arc::clone(&archive), number)
        };
        found.take(&name, path.join(&name), content);
    }
    found.in_order(path)
}

impl Archive {
    /// The content of the entry of this number, or what is wrong with it. No more than a file may have is ever read.
    pub fn bytes(&self, number: usize) -> std::result::Result<Vec<u8>, String> {
        let mut zip = self.0.clone();
        let entry = zip.by_index(number).map_err(|error| error.to_string())?;
        let mut bytes = Vec::new();
        entry.take(MAX_FILE + 1).read_to_end(&mut bytes).map_err(|error| error.to_string())?;
        if bytes.len() as u64 > MAX_FILE { Err(too_long()) } else { Ok(bytes) }
    }
}

fn too_long() -> String {
    format!("longer than {} MiB, which no image is", MAX_FILE >> 20)
}

fn refused(path: &Path, error: &ZipError) -> Error {
    Error::Input(format!("{}: not a zip file that can be read ({error}); is it whole?", path.display()))
}

/// Reads a file. Each clone opens it anew, once it is read from.
#[derive(Debug)]
struct Reader {
    path: Arc<PathBuf>,
    file: Option<File>,
}

impl Reader {
    fn of(path: &Path) -> Result<Self> {
        let file = File::open(path).map_err(Error::io(path))?;
        Ok(Self { path: Arc::new(path.to_path_buf()), file: Some(file) })
    }

    fn file(&mut self) -> io::Result<&mut File> {
        match &mut self.file {
            Some(file) => Ok(file),
            file => Ok(file.insert(File::open(&*self.path)?)),
        }
    }
}

impl Clone for Reader {
    fn clone(&self) -> Self {
        Self { path: Arc::clone(&self.path), file: None }
    }
}

impl Read for Reader {
    fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
        self.file()?.read(bytes)
    }
}

impl Seek for Reader {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.file()?.seek(to)
    }
}
