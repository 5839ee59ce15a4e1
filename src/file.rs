//! Files that are never seen half written.

use std::fs::{self, File};
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};

use crate::{Error, Result};

/// The extension of a file that is being written.
pub(crate) const PARTIAL: &str = "partial";

/// The temporary name of `path`.
pub(crate) fn partial(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".");
    name.push(PARTIAL);
    name.into()
}

/// Writes `bytes` beside `path` under a temporary name, then renames that over `path`. Whatever ends the process or the
/// power meanwhile, `path` is the old file or the new one, whole; where it returns, the new one.
pub(crate) fn replace(path: &Path, bytes: &[u8]) -> Result<()> {
    if path.file_name().is_none() {
        return Err(Error::Input(format!("{}: not a file name", path.display())));
    }
    let temporary = partial(path);

    let written = File::create(&temporary)
        .and_then(|mut file| {
            file.write_all(bytes)?;
            file.sync_all()
        })
        .and_then(|()| fs::rename(&temporary, path))
        .and_then(|()| sync_folder(path));
    if written.is_err() {
        // The first failure is the one worth reporting.
        let _ = fs::remove_file(&temporary);
    }
    written.map_err(Error::io(path))
}

/// Has the new name in `path`'s folder written to the disk.
#[cfg(unix)]
fn sync_folder(path: &Path) -> std::io::Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    let synced = File::open(folder.unwrap_or(Path::new(".")))?.sync_all();
    // Some network file systems sync no folders.
    if synced
        .as_ref()
        .is_err_and(|error| matches!(error.kind(), ErrorKind::InvalidInput | ErrorKind::Unsupported))
    {
        return Ok(());
    }
    synced
}

/// Other systems open no folders; their file systems keep the order of names by themselves.
#[cfg(not(unix))]
fn sync_folder(_: &Path) -> std::io::Result<()> {
    Ok(())
}
