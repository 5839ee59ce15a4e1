//! Files that are never seen half written.

use std::fs::{self, File};
use std::io::Write;
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

/// Writes `bytes` beside `path` under a temporary name, then renames that over `path`: whatever ends the process or cuts the
/// power meanwhile, `path` is the old file or the new one, whole.
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
        .and_then(|()| fs::rename(&temporary, path));
    if written.is_err() {
        // The first failure is the one worth reporting.
        let _ = fs::remove_file(&temporary);
    }
    written.map_err(Error::io(path))
}

/// Has the name of `path` written to the disk, so that it stays if the power goes after other files did. Where the system
/// cannot, it keeps the order of names by itself, or nobody can.
pub(crate) fn sync_name(path: &Path) {
    if let Some(folder) = path.parent() {
        let _ = File::open(folder).and_then(|folder| folder.sync_all());
    }
}
