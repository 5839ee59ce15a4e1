//! A set of images to train on.

use super::checkpoint::ImageNames;
use super::config::Common;
use crate::data::{Batching, Images, LoadOptions};
use crate::{Error, Result};
use std::collections::BTreeMap;

/// A set of images that a model is trained on.
#[derive(Clone, Debug)]
pub struct DatasetSpec<'c> {
    /// What checkpoints call it.
    pub name: &'static str,
    /// A folder, or a bundled set.
    pub source: &'c str,
    /// In which order its images are seen.
    pub batching: Batching,
}

/// A set, split.
pub struct Dataset {
    /// The images to train on.
    pub images: Images,
    /// Those set aside.
    pub held_out: Images,
}

/// All sets of a run, and what follows from how many images they have.
pub struct Data {
    /// The sets, in the order of [`Model::datasets`](super::model::Model::datasets).
    pub sets: Vec<Dataset>,
    /// What checkpoints remember of each, by its name.
    pub names: BTreeMap<String, ImageNames>,
    /// What they are, a line each for people.
    pub lines: Vec<String>,
    /// The run's last step.
    pub total: u64,
}

impl Data {
    /// Loads the images of all `specs` and sets a share of each aside.
    ///
    /// # Errors
    /// If they cannot be read, or are too few to fill a batch.
    pub fn load(specs: &[DatasetSpec<'_>], settings: &Common) -> Result<Self> {
        let (mut sets, mut names, mut lines, mut epoch) = (Vec::new(), BTreeMap::new(), Vec::new(), 0);
        for DatasetSpec { name, source, batching } in specs {
            let (set, steps, line) = load(source, &settings.load_options(), settings.holdout, batching)?;
            names.insert((*name).to_owned(), ImageNames::new(set.images.names()));
            lines.push(if specs.len() > 1 { format!("{name}: {line}") } else { line });
            sets.push(set);
            epoch = epoch.max(steps);
        }
        Ok(Self { sets, names, lines, total: settings.total(epoch)? })
    }
}

/// A set, the steps in an epoch of it, and what it is in a line.
fn load(
    source: &str,
    options: &LoadOptions,
    holdout: f64,
    batching: &Batching,
) -> Result<(Dataset, u64, String)> {
    let loaded = Images::load(source, options)?;
    let (images, held_out) = loaded.images.split(holdout, batching.seed)?;
    let count = images.len();
    if count < batching.batch {
        return Err(Error::Input(format!(
            "{source}: {count} images are fewer than a batch of {}; choose `batch` {count} or less, or more images",
            batching.batch
        )));
    }
    let epoch = batching.steps_per_epoch(count)?;
    let mut line = format!("{source}: {count} images at {0}x{0}, {epoch} steps an epoch", batching.size);
    if !held_out.is_empty() {
        line += &format!(", {} held out", held_out.len());
    }
    if let [(path, problem), ..] = &loaded.skipped[..] {
        let skipped = loaded.skipped.len();
        line += &format!(", {skipped} skipped (the first: {}, {problem})", path.display());
    }
    if let [(path, warning), ..] = &loaded.warnings[..] {
        let damaged = loaded.warnings.len();
        line += &format!(", {damaged} with warnings (the first: {}, {warning})", path.display());
    }
    if let Some(left_out) = &loaded.left_out {
        line += &format!(", {left_out} left out");
    }
    Ok((Dataset { images, held_out }, epoch, line))
}
