//! A run's figures and sheets for TensorBoard, in `events.out.tfevents.*` as TensorFlow's summary writers have it: TFRecord frames
//! around `Event` messages of protocol buffers. TensorBoard reads them while they grow.

#[cfg(feature = "report")]
mod event;
#[cfg(feature = "report")]
mod events;
#[cfg(not(feature = "report"))]
mod none;

#[cfg(feature = "report")]
pub use events::{Events, tag};
#[cfg(not(feature = "report"))]
pub use none::Events;

use crate::{Error, Result};
use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

/// What the names of event files begin with; seconds since 1970 follow.
const NAME: &str = "events.out.tfevents.";

/// The event files of a run's folder, oldest first.
///
/// # Errors
/// If the folder cannot be read.
pub fn files(folder: &Path) -> Result<Vec<PathBuf>> {
    let entries = match fs::read_dir(folder) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries.map_err(Error::io(folder))?,
    };
    let paths = entries.map(|entry| entry.map(|entry| entry.path()));
    let mut paths = paths.collect::<std::io::Result<Vec<_>>>().map_err(Error::io(folder))?;
    paths.retain(|path| seconds(path).is_some());
    paths.sort();
    Ok(paths)
}

/// When an event file was begun, as its name has it.
fn seconds(path: &Path) -> Option<u64> {
    path.file_name()?.to_str()?.strip_prefix(NAME)?.split('.').next()?.parse().ok()
}
