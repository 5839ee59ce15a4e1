//! Sets of images to train on.

use super::checkpoint::{Checkpoint, ImageNames};
use super::config::Common;
use super::pairs;
use super::preparation::Preparation;
use super::split::{Members, Split};
use crate::data::{Batching, Found, Half, Images, LoadOptions, Loaded, search};
use crate::size::Size;
use crate::{Error, Result};
use std::collections::{BTreeMap, HashSet};
use std::path::Path;

/// A set of images that a model is trained on.
#[derive(Clone, Debug)]
pub struct DatasetSpec<'c> {
    /// What checkpoints call it.
    pub name: &'static str,
    /// A folder, or a bundled set.
    pub source: &'c str,
    /// Channels of its images.
    pub channels: usize,
    /// The half of each file that is its image, where files are pairs.
    pub half: Option<Half>,
    /// In which order its images are seen. Sets that share the name of their streams are paired: image by image partners.
    pub batching: Batching,
}

/// A set, split.
pub struct Dataset {
    /// The images to train on.
    pub images: Images,
    /// Those held out.
    pub held_out: Images,
}

/// The sets of a run, none of whose images is decoded yet.
pub struct Undecoded {
    /// The files of each.
    found: Vec<Found>,
    /// Which of them are held out.
    pub split: Split,
    /// All images that the run has ever known.
    kept: Split,
    /// The run's last step, if all can be read.
    pub total: u64,
}

/// All sets of a run, and what follows from how many images they have.
pub struct Data {
    /// The sets, in the order of [`Model::datasets`](super::model::Model::datasets).
    pub sets: Vec<Dataset>,
    /// Which images they are.
    pub split: Split,
    /// All images that the run has ever known, to be kept with it.
    pub kept: Split,
    /// Whether all that was found could be read.
    pub complete: bool,
    /// What checkpoints remember of each, by its name.
    pub names: BTreeMap<String, ImageNames>,
    /// What they are, a line each for people.
    pub lines: Vec<String>,
    /// The run's last step.
    pub total: u64,
}

impl Undecoded {
    /// Looks for the images of all `specs`, and holds a share of each out, as the run does that keeps `kept`.
    ///
    /// # Errors
    /// If they cannot be found, or are too few to fill a batch.
    pub fn new(specs: &[DatasetSpec<'_>], settings: &Common, kept: Option<&Split>) -> Result<Self> {
        let found = search_all(specs)?;
        pairs::check_sizes(specs, &found, settings.fit)?;
        let split = split(specs, &found, settings, kept)?;
        let total = total(specs, settings, &split)?;
        Ok(Self { found, kept: split.clone().with(kept), split, total })
    }

    /// Decodes the images of one set after another, of which `watch` hears.
    ///
    /// # Errors
    /// If they cannot be read, or those that can are too few to fill a batch.
    pub fn load(self, specs: &[DatasetSpec<'_>], settings: &Common, watch: &dyn Preparation) -> Result<Data> {
        let mut loaded = Vec::new();
        for (spec, found) in specs.iter().zip(self.found) {
            let options = LoadOptions { half: spec.half, ..settings.load_options(spec.channels) };
            loaded.push(Images::of(spec.source, found, &options, &|done, count| watch.ready(done, count))?);
        }
        if pairs::are(specs) {
            pairs::keep_whole(&mut loaded);
        }
        let complete = loaded.iter().all(|set| set.skipped.is_empty());
        let (split, total) = match complete {
            true => (self.split, self.total),
            // Who could not be read is neither trained on nor held out; the others stay what they were.
            false => {
                let good =
                    specs.iter().zip(&loaded).map(|(spec, set)| (spec.name, set.images.names().to_vec()));
                let good: Vec<_> = good.collect();
                let split = Split::new(&good, settings.holdout, settings.seed, Some(&self.split))?;
                let total = total(specs, settings, &split)?;
                (split, total)
            }
        };
        let (mut sets, mut names, mut lines) = (Vec::new(), BTreeMap::new(), Vec::new());
        for (spec, loaded) in specs.iter().zip(loaded) {
            let set = dataset(&loaded.images, split.of(spec.name));
            let line = line(spec, &set, &loaded)?;
            lines.push(if specs.len() > 1 { format!("{}: {line}", spec.name) } else { line });
            names.insert(spec.name.to_owned(), ImageNames::new(set.images.names()));
            sets.push(set);
        }
        Ok(Data { sets, split, kept: self.kept, complete, names, lines, total })
    }
}

/// A set of a checkpoint's run as it is now, none of its images decoded.
pub struct Known<'c> {
    source: &'c str,
    half: Option<Half>,
    found: Found,
    /// Its images, divided as the run keeps it.
    pub members: Members,
}

impl<'c> Known<'c> {
    /// Looks for the sets `specs` of a checkpoint's run. What is gone or new `watch` is told.
    ///
    /// # Errors
    /// If they cannot be found.
    pub fn all(
        checkpoint: &Checkpoint,
        specs: &[DatasetSpec<'c>],
        settings: &Common,
        watch: &dyn Preparation,
    ) -> Result<Vec<Self>> {
        let kept = Split::of_checkpoint(checkpoint.path())?;
        let found = search_all(specs)?;
        let split = split(specs, &found, settings, kept.as_ref())?;
        kept.iter().flat_map(|kept| kept.changes(&split)).for_each(|change| watch.told(&change));
        let known = |(spec, found): (&DatasetSpec<'c>, Found)| Self {
            source: spec.source,
            half: spec.half,
            found,
            members: split.of(spec.name).clone(),
        };
        Ok(specs.iter().zip(found).map(known).collect())
    }

    /// The names of all its images.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.found.files.iter().map(|file| file.name.as_str())
    }

    /// Its images that are called `names`; none where there are no names. Where bad ones are skipped, those that can be read.
    ///
    /// # Errors
    /// If one is not there, or cannot be read.
    pub fn load(&self, names: &[String], options: &LoadOptions, watch: &dyn Preparation) -> Result<Images> {
        // What is kept on disk are whole sets.
        let options = LoadOptions { cache: false, half: self.half, ..options.clone() };
        if names.is_empty() {
            return Images::new(Vec::new(), Vec::new(), options.size, options.channels);
        }
        let found = self.found.clone().named(self.source, names)?;
        Ok(Images::of(self.source, found, &options, &|done, count| watch.ready(done, count))?.images)
    }
}

/// Which sets have images in common because one's folder is, or lies in, the other's; a line each for people.
pub fn overlaps(specs: &[DatasetSpec<'_>]) -> Vec<String> {
    let path = |spec: &DatasetSpec<'_>| Path::new(spec.source).canonicalize().ok();
    let mut lines = Vec::new();
    for (index, a) in specs.iter().enumerate() {
        for b in specs[index + 1..].iter().filter(|b| b.half == a.half) {
            let (Some(in_a), Some(in_b)) = (path(a), path(b)) else { continue };
            let said = match (in_a.starts_with(&in_b), in_b.starts_with(&in_a)) {
                (true, true) => format!("{} and {} are the same folder", a.name, b.name),
                (true, false) => format!("the folder of {} lies in that of {}", a.name, b.name),
                (false, true) => format!("the folder of {} lies in that of {}", b.name, a.name),
                (false, false) => continue,
            };
            lines.push(format!("warning: {said}: what lies in both is in both sets"));
        }
    }
    lines
}

fn search_all(specs: &[DatasetSpec<'_>]) -> Result<Vec<Found>> {
    let found = specs.iter().map(|spec| search(spec.source)).collect::<Result<_>>()?;
    if pairs::are(specs) { pairs::matched(specs, found) } else { Ok(found) }
}

fn split(
    specs: &[DatasetSpec<'_>],
    found: &[Found],
    settings: &Common,
    kept: Option<&Split>,
) -> Result<Split> {
    let names = |found: &Found| found.files.iter().map(|file| file.name.clone()).collect();
    let sets: Vec<_> = specs.iter().zip(found).map(|(spec, found)| (spec.name, names(found))).collect();
    Split::new(&sets, settings.holdout, settings.seed, kept)
}

/// The run's last step.
fn total(specs: &[DatasetSpec<'_>], settings: &Common, split: &Split) -> Result<u64> {
    let mut epoch = 0;
    for DatasetSpec { name, source, batching, .. } in specs {
        let count = split.of(name).trained.len();
        if count < batching.batch {
            return Err(Error::Input(format!(
                "{source}: {count} images are fewer than a batch of {}; choose `batch` {count} or less, or more images",
                batching.batch
            )));
        }
        epoch = epoch.max(batching.steps_per_epoch(count)?);
    }
    settings.total(epoch)
}

fn dataset(images: &Images, members: &Members) -> Dataset {
    let held_out: HashSet<&str> = members.held_out.iter().map(String::as_str).collect();
    let (held_out, images) = images.split(|name| held_out.contains(name));
    Dataset { images, held_out }
}

/// A size for people, both sides.
fn words(Size { height, width }: Size) -> String {
    format!("{width}x{height}")
}

/// What a set is, for people.
fn line(spec: &DatasetSpec<'_>, set: &Dataset, loaded: &Loaded) -> Result<String> {
    let DatasetSpec { source, batching, .. } = spec;
    let (count, epoch) = (set.images.len(), batching.steps_per_epoch(set.images.len())?);
    let at = if set.images.varied() { "in crops of" } else { "at" };
    let mut line = format!("{source}: {count} images {at} {}, {epoch} steps an epoch", words(batching.size));
    if !set.held_out.is_empty() {
        line += &format!(", {} held out", set.held_out.len());
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
    Ok(line)
}
