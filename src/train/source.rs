//! A set of pictures to train on.

use crate::data::{Batching, LoadOptions, Pictures};
use crate::{Error, Result};

/// A set, split, and what it is.
pub struct Source {
    /// The pictures to train on.
    pub pictures: Pictures,
    /// Those set aside.
    pub held_out: Pictures,
    /// Steps in an epoch.
    pub epoch: u64,
    /// What they are, in a line.
    pub line: String,
}

impl Source {
    /// Loads `source` and sets a share of `holdout` aside.
    ///
    /// # Errors
    /// If it cannot be read, or is too small to fill a batch.
    pub fn load(source: &str, options: &LoadOptions, holdout: f64, batching: &Batching) -> Result<Self> {
        let loaded = Pictures::load(source, options)?;
        let (pictures, held_out) = loaded.pictures.split(holdout, batching.seed)?;
        let count = pictures.len();
        if count < batching.batch {
            return Err(Error::Input(format!(
                "{source}: {count} pictures are fewer than a batch of {}; choose `batch` {count} or less, or more pictures",
                batching.batch
            )));
        }
        let epoch = batching.steps_per_epoch(count)?;
        let mut line =
            format!("{source}: {count} pictures at {0}x{0}, {epoch} steps an epoch", batching.size);
        if !held_out.is_empty() {
            line += &format!(", {} held out", held_out.len());
        }
        if let [(path, problem), ..] = &loaded.skipped[..] {
            let skipped = loaded.skipped.len();
            line += &format!(", {skipped} skipped (the first: {}, {problem})", path.display());
        }
        Ok(Self { pictures, held_out, epoch, line })
    }
}

/// The run's last step: `steps`, or `epochs` of `epoch` steps.
pub fn total(steps: Option<u64>, epochs: Option<u64>, epoch: u64) -> u64 {
    steps.unwrap_or_else(|| epochs.unwrap_or(1).saturating_mul(epoch))
}
