//! Files that are never seen half written.

use std::fs::{self, File};
use std::io::Write;
use std::path::Path;

use crate::{Error, Result};

/// Writes `bytes` beside `path` under a temporary name, then renames that over `path`.
pub(crate) fn replace(path: &Path, bytes: &[u8]) -> Result<()> {
    let Some(name) = path.file_name() else {
        return Err(Error::Input(format!("{}: not a file name", path.display())));
    };
    let mut temporary = name.to_owned();
    temporary.push(".partial");
    let temporary = path.with_file_name(temporary);

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
