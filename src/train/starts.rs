//! What a run ran on, each time it started or went on: `starts.json`.

use super::run_folder::RunFolder;
use crate::file;
use crate::spelling::quoted;
use crate::{Error, Result};
use serde::{Deserialize, Serialize};

/// The longest file that is read, in bytes: some ten thousand starts.
const LONGEST: u64 = 1 << 24;

/// One start.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Start {
    /// Steps that were done before.
    pub after: u64,
    /// The program's version.
    pub version: String,
    /// The device and why it was chosen.
    pub device: String,
    /// How ranks share a batch, where there are several.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ranks: Option<String>,
    /// The images, a line a set.
    #[serde(alias = "pictures")]
    pub images: Vec<String>,
    /// The networks and how many parameters they have.
    pub networks: String,
    /// Memory that was planned, in MiB.
    pub memory: u64,
    /// Which weights were taken from files; none where all were drawn, or those of a checkpoint.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub initial: Option<String>,
}

impl Start {
    /// What it runs on, for people: the device first.
    pub fn machine(&self) -> Vec<String> {
        let Self { device, ranks, networks, memory, .. } = self;
        let networks = format!("{networks}, {memory} MiB of memory");
        [device.clone()].into_iter().chain(ranks.clone()).chain([networks]).collect()
    }

    /// What it begins with, for people: the images, and where weights come from.
    pub fn content(&self) -> Vec<String> {
        self.images.iter().chain(&self.initial).cloned().collect()
    }
}

/// All starts of the run in `folder`, in order; none where it keeps none.
///
/// # Errors
/// If its file cannot be read.
pub fn read(folder: &RunFolder) -> Result<Vec<Start>> {
    let path = folder.starts_path();
    if !path.is_file() {
        return Ok(Vec::new());
    }
    serde_json::from_str(&file::text(&path, LONGEST)?).map_err(|error| {
        Error::Input(format!("{}: not what a run writes ({}); remove it", path.display(), quoted(error)))
    })
}

/// Adds a start; those after the steps done before it are no part of the run any more.
///
/// # Errors
/// If the file cannot be read or written.
pub(super) fn add(folder: &RunFolder, start: Start) -> Result<()> {
    let mut starts = read(folder)?;
    starts.retain(|earlier| earlier.after < start.after);
    starts.push(start);
    let path = folder.starts_path();
    let json = serde_json::to_vec_pretty(&starts).map_err(|error| Error::io(&path)(error.into()))?;
    file::write_atomic(&path, &json)
}
