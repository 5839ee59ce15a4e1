//! Files that are never seen half written, and never read further than is reasonable.

use std::fs::{self, File};
use std::io::{BufWriter, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use crate::{Error, Result};

/// The extension of a file that is being written.
pub(crate) const PARTIAL: &str = "partial";

/// The most bytes that the files of a bounded cache take.
pub(crate) const MOST_CACHED: u64 = 8 << 30;

/// The temporary name of `path`.
pub(crate) fn partial(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".");
    name.push(PARTIAL);
    name.into()
}

/// Writes `bytes` beside `path` under a temporary name, then renames that over `path`: whatever ends the process or cuts the
/// power meanwhile, `path` is the old file or the new one, whole.
pub(crate) fn write_atomic(path: &Path, bytes: &[u8]) -> Result<()> {
    write_atomic_with(path, |file| file.write_all(bytes))
}

/// As [`write_atomic`], what `write` writes.
pub(crate) fn write_atomic_with(
    path: &Path,
    write: impl FnOnce(&mut BufWriter<File>) -> std::io::Result<()>,
) -> Result<()> {
    if path.file_name().is_none() {
        return Err(Error::Input(format!("{}: not a file name", path.display())));
    }
    let temporary = partial(path);

    let written = File::create(&temporary)
        .and_then(|file| {
            let mut file = BufWriter::new(file);
            write(&mut file)?;
            file.into_inner()?.sync_all()
        })
        .and_then(|()| fs::rename(&temporary, path));
    if written.is_err() {
        // The first failure is the one worth reporting.
        let _ = fs::remove_file(&temporary);
    }
    written.map_err(Error::io(path))
}

/// Has `write` write a cache's file under a name of this process's own, which then becomes `path` in one go: another process may
/// be at the same. The folder is made. One that cannot be written is only slower next time.
pub(crate) fn write_cache(path: &Path, write: impl FnOnce(&Path) -> std::io::Result<()>) {
    let Some(folder) = path.parent() else { return };
    let temporary = path.with_extension(std::process::id().to_string());
    let written = fs::create_dir_all(folder)
        .and_then(|()| write(&temporary))
        .and_then(|()| fs::rename(&temporary, path));
    if written.is_err() {
        let _ = fs::remove_file(&temporary);
    }
}

/// As [`write_cache`], in a folder that holds [`MOST_CACHED`]: makes room for `more` bytes by removing the files that were not used
/// for longest.
pub(crate) fn write_bounded_cache(path: &Path, more: u64, write: impl FnOnce(&Path) -> std::io::Result<()>) {
    write_cache(path, |temporary| {
        make_room(temporary.parent().unwrap_or(temporary), more)?;
        write(temporary)
    });
}

/// Marks the file of a bounded cache as used now: others are removed before it.
pub(crate) fn used_cache(path: &Path) {
    let _ = File::options().append(true).open(path).and_then(|file| file.set_modified(SystemTime::now()));
}

/// Removes the files that were not used for longest, until `more` bytes fit.
fn make_room(folder: &Path, more: u64) -> std::io::Result<()> {
    let mut there = Vec::new();
    for entry in fs::read_dir(folder)? {
        let (path, metadata) = entry.and_then(|entry| Ok((entry.path(), entry.metadata()?)))?;
        there.push((metadata.modified()?, metadata.len(), path));
    }
    there.sort();
    let mut total = there.iter().map(|(_, len, _)| len).sum::<u64>() + more;
    for (_, len, path) in there {
        if total <= MOST_CACHED {
            break;
        }
        fs::remove_file(path)?;
        total -= len;
    }
    Ok(())
}

/// Has the name of `path` written to the disk, so that it stays if the power goes after other files did. Where the system
/// cannot, it keeps the order of names by itself, or nobody can.
pub(crate) fn sync_name(path: &Path) {
    if let Some(folder) = path.parent() {
        let _ = File::open(folder).and_then(|folder| folder.sync_all());
    }
}

/// A file that grows by a record at a time, each in one write: whatever ends the process, none is torn. Records that cannot be
/// written, as on a full disk, wait for the next one.
#[derive(Debug)]
pub(crate) struct Journal {
    path: PathBuf,
    file: File,
    /// Bytes of whole records in the file.
    len: u64,
    waiting: Vec<u8>,
}

impl Journal {
    /// Opens `path`, making it where it is missing, and goes on behind what is in it.
    pub fn open(path: impl Into<PathBuf>) -> Result<Self> {
        let path = path.into();
        let mut options = File::options();
        let file = options.read(true).write(true).create(true).truncate(false).open(&path);
        let file = file.map_err(Error::io(&path))?;
        let len = file.metadata().map_err(Error::io(&path))?.len();
        Ok(Self { path, file, len, waiting: Vec::new() })
    }

    /// Cuts off what is behind the first `len` bytes.
    pub fn cut(&mut self, len: u64) -> Result<()> {
        self.file.set_len(len).map_err(Error::io(&self.path))?;
        self.len = len;
        Ok(())
    }

    /// Appends a record, with any that wait before it. One that cannot be written waits for the next one.
    pub fn append(&mut self, record: &[u8]) -> Result<()> {
        self.waiting.extend(record);
        // From the end of the last whole record on: a write that fails may leave a part of one there.
        let end = self.file.seek(SeekFrom::Start(self.len));
        end.and_then(|_| self.file.write_all(&self.waiting)).map_err(Error::io(&self.path))?;
        self.len += self.waiting.len() as u64;
        self.waiting.clear();
        Ok(())
    }

    /// Whether records wait that could not be written.
    pub fn is_behind(&self) -> bool {
        !self.waiting.is_empty()
    }

    /// Has all records written to the disk.
    pub fn sync(&self) -> Result<()> {
        self.file.sync_data().map_err(Error::io(&self.path))
    }
}

/// The content of the file at `path`.
///
/// # Errors
/// If it cannot be read, or is longer than `most` bytes; no more than that is ever read.
pub(crate) fn bytes(path: &Path, most: u64) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let file = File::open(path).map_err(Error::io(path))?;
    let length = file.metadata().map_err(Error::io(path))?.len();
    // What is no file, such as a device, has no length.
    if length <= most {
        file.take(most.saturating_add(1)).read_to_end(&mut bytes).map_err(Error::io(path))?;
    }
    if length.max(bytes.len() as u64) > most {
        return Err(Error::Input(format!(
            "{}: longer than {} MiB, which no file of its kind is; is it the right one?",
            path.display(),
            most >> 20
        )));
    }
    Ok(bytes)
}

/// As [`bytes`], of a text.
///
/// # Errors
/// As [`bytes`], or if it is not UTF-8.
pub(crate) fn text(path: &Path, most: u64) -> Result<String> {
    String::from_utf8(bytes(path, most)?).map_err(|error| {
        let place = error.utf8_error().valid_up_to();
        Error::Input(format!("{}: not a text in UTF-8 (byte {place} is not)", path.display()))
    })
}

/// The 64-bit FNV-1a hash.
pub(crate) fn fnv1a(bytes: impl Iterator<Item = u8>) -> u64 {
    bytes.fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}
