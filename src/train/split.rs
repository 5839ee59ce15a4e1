//! Which images are held out of training: a matter of their names, decided once for a run and kept with it.
//!
//! Images are told apart by their names without extension, so that `1.jpg` of one set and `1.png` of another, which are
//! partners, are held out together.

use super::run_folder::RunFolder;
use crate::random::stream;
use crate::spelling::quoted;
use crate::{Error, Result, file};
use rand::RngExt;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

/// The longest file that is read, in bytes: some ten million names.
const LONGEST: u64 = 1 << 28;

/// The images of a set, by name.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Members {
    /// Those that are trained on.
    pub trained: Vec<String>,
    /// Those that are held out.
    pub held_out: Vec<String>,
}

/// The images of all sets of a run, by the names of the sets.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Split {
    sets: BTreeMap<String, Members>,
}

impl Members {
    /// How many images.
    pub fn len(&self) -> usize {
        self.trained.len() + self.held_out.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Those to judge a model by: those held out, or those trained on where none are.
    pub fn judged(&self) -> &[String] {
        if self.held_out.is_empty() { &self.trained } else { &self.held_out }
    }

    fn names(&self) -> impl Iterator<Item = &String> {
        self.trained.iter().chain(&self.held_out)
    }
}

impl Split {
    /// Divides sets, each a name and the names of its images. Of images that `kept` knows in any set, what was held out stays so
    /// and what was trained on too. Of the others a fraction of `holdout` is held out: of a new run just so many, rounded,
    /// of the images that several sets have and of the rest of each set; of images that came later each with this
    /// probability. It is `seed` and an image's name that decide which.
    ///
    /// # Errors
    /// If nothing of a set would be left to train on.
    pub fn new(sets: &[(&str, Vec<String>)], holdout: f64, seed: u64, kept: Option<&Self>) -> Result<Self> {
        let held_out = match kept {
            Some(kept) => kept.go_on(sets, holdout, seed),
            None => begin(sets, holdout, seed),
        };
        let divide = |(set, names): &(&str, Vec<String>)| {
            let (held_out, trained): (Vec<_>, Vec<_>) =
                names.iter().cloned().partition(|name| held_out.contains(stem(name)));
            if trained.is_empty() {
                return Err(Error::Input(format!(
                    "holding out a fraction of {holdout} of {} images of {set}; it must leave some to train on",
                    names.len()
                )));
            }
            Ok(((*set).to_owned(), Members { trained, held_out }))
        };
        Ok(Self { sets: sets.iter().map(divide).collect::<Result<_>>()? })
    }

    /// What of `sets` is held out, where this is how the run has divided them.
    fn go_on<'s>(&self, sets: &'s [(&str, Vec<String>)], holdout: f64, seed: u64) -> BTreeSet<&'s str> {
        let of = |which: fn(&Members) -> &Vec<String>| -> BTreeSet<&str> {
            self.sets.values().flat_map(|members| which(members).iter().map(|name| stem(name))).collect()
        };
        let (held_out, trained) = (of(|members| &members.held_out), of(|members| &members.trained));
        let later = |stem: &str| place(stem, seed) as f64 / u64::MAX as f64;
        stems(sets)
            .filter(|stem| held_out.contains(stem) || !trained.contains(stem) && later(stem) < holdout)
            .collect()
    }

    /// The images of a set; none where there is no such set.
    pub fn of(&self, set: &str) -> &Members {
        static NONE: Members = Members { trained: Vec::new(), held_out: Vec::new() };
        self.sets.get(set).unwrap_or(&NONE)
    }

    /// All images that this or `earlier` knows, which this has divided in the same way.
    #[must_use]
    pub fn with(mut self, earlier: Option<&Self>) -> Self {
        for (set, members) in earlier.into_iter().flat_map(|earlier| &earlier.sets) {
            let now = self.sets.entry(set.clone()).or_default();
            let known: BTreeSet<&String> = now.names().collect();
            let gone = |names: &[String]| {
                names.iter().filter(|name| !known.contains(name)).cloned().collect::<Vec<_>>()
            };
            let (trained, held_out) = (gone(&members.trained), gone(&members.held_out));
            now.trained.extend(trained);
            now.held_out.extend(held_out);
        }
        self
    }

    /// What of each set is gone or new in `now`, in words.
    pub fn changes(&self, now: &Self) -> Vec<String> {
        let change = |(set, before): (&String, &Members)| {
            let now = now.sets.get(set)?;
            let [old, new] = [before, now].map(|members| members.names().collect::<BTreeSet<_>>());
            let words = |these: Vec<&&String>, what: &str| {
                let first = these.first()?;
                let more = if these.len() > 1 { ", .." } else { "" };
                Some(format!("{} {what} ({first}{more})", these.len()))
            };
            let (gone, new) = (old.difference(&new).collect(), new.difference(&old).collect());
            let changes: Vec<String> =
                [words(gone, "gone"), words(new, "new")].into_iter().flatten().collect();
            (!changes.is_empty()).then(|| format!("the set {set} has changed: {}", changes.join(", ")))
        };
        self.sets.iter().filter_map(change).collect()
    }

    /// What the run in `folder` keeps; none where it was begun by a version that kept nothing.
    ///
    /// # Errors
    /// If its file cannot be read.
    pub fn read(folder: &RunFolder) -> Result<Option<Self>> {
        let path = folder.split_path();
        if !path.is_file() {
            return Ok(None);
        }
        let damaged = |error| {
            Error::Input(format!(
                "{}: not what a run writes ({}); it says which images are held out. Without it they are chosen anew: remove it \
                 if that is right",
                path.display(),
                quoted(error)
            ))
        };
        serde_json::from_str(&file::text(&path, LONGEST)?).map(Some).map_err(damaged)
    }

    /// As [`Split::read`], of the run that has written the checkpoint in `path`.
    ///
    /// # Errors
    /// As [`Split::read`].
    pub fn of_checkpoint(path: &Path) -> Result<Option<Self>> {
        RunFolder::of_checkpoint(path).map_or(Ok(None), |folder| Self::read(&folder))
    }

    /// Keeps it with the run in `folder`.
    ///
    /// # Errors
    /// If the file cannot be written.
    pub(super) fn write(&self, folder: &RunFolder) -> Result<()> {
        let path = folder.split_path();
        let json = serde_json::to_vec(self).map_err(|error| Error::io(&path)(error.into()))?;
        file::write_atomic(&path, &json)
    }
}

/// What a new run holds out of `sets`.
fn begin<'s>(sets: &'s [(&str, Vec<String>)], holdout: f64, seed: u64) -> BTreeSet<&'s str> {
    let each: Vec<BTreeSet<&str>> =
        sets.iter().map(|(_, names)| names.iter().map(|name| stem(name)).collect()).collect();
    let shared = |stem: &&str| each.iter().filter(|stems| stems.contains(stem)).count() > 1;
    let first = |stems: Vec<&'s str>| {
        let count = (holdout * stems.len() as f64).round() as usize;
        let mut stems: Vec<_> = stems.into_iter().map(|stem| (place(stem, seed), stem)).collect();
        stems.sort_unstable();
        stems.into_iter().take(count).map(|(_, stem)| stem)
    };
    let together: BTreeSet<&str> = stems(sets).filter(shared).collect();
    let mut held_out: BTreeSet<&str> = first(together.into_iter().collect()).collect();
    for stems in &each {
        held_out.extend(first(stems.iter().copied().filter(|stem| !shared(stem)).collect()));
    }
    held_out
}

fn stems<'s>(sets: &'s [(&str, Vec<String>)]) -> impl Iterator<Item = &'s str> {
    sets.iter().flat_map(|(_, names)| names.iter().map(|name| stem(name)))
}

/// Where an image comes in the order in which they are held out.
fn place(stem: &str, seed: u64) -> u64 {
    stream(seed, "holdout", file::fnv1a(stem.bytes())).random()
}

/// The name without its extension, by which partners are found.
pub fn stem(name: &str) -> &str {
    match name.rsplit_once('.') {
        Some((stem, extension)) if !stem.is_empty() && !extension.contains('/') => stem,
        _ => name,
    }
}

#[cfg(test)]
mod tests {
    use super::{Split, stem};

    fn names(of: impl IntoIterator<Item = usize>, extension: &str) -> Vec<String> {
        of.into_iter().map(|index| format!("{index}.{extension}")).collect()
    }

    #[test]
    fn names_lose_their_extension_alone() {
        assert_eq!(["a/b.jpg", "a.b/c", ".x", "f.0001.png"].map(stem), ["a/b", "a.b/c", ".x", "f.0001"]);
    }

    #[test]
    fn partners_are_held_out_together() {
        let sets = [("x", names(0..100, "jpg")), ("y", names(30..150, "png"))];
        let split = Split::new(&sets, 0.2, 7, None).unwrap();
        let [x, y] = ["x", "y"].map(|set| split.of(set));
        assert_eq!((x.held_out.len(), y.held_out.len()), (14 + 6, 14 + 10));
        let held = |of: &[String], name: &str| of.iter().any(|other| stem(other) == stem(name));
        assert!(x.held_out.iter().all(|name| !held(&y.trained, name)));
        assert!(y.held_out.iter().all(|name| !held(&x.trained, name)));
    }

    #[test]
    fn what_was_held_out_stays_so() {
        let before = Split::new(&[("data", names(0..50, "png"))], 0.3, 1, None).unwrap();
        let sets = [("data", names((0..40).chain(50..1050), "jpg"))];
        let now = Split::new(&sets, 0.3, 1, Some(&before)).unwrap();
        let [old, new] = [&before, &now].map(|split| split.of("data"));
        let is_held =
            |held_out: &[String], index: usize| held_out.iter().any(|name| stem(name) == index.to_string());
        for index in 0..40 {
            assert_eq!(is_held(&old.held_out, index), is_held(&new.held_out, index), "{index}");
        }
        let later = (50..1050).filter(|&index| is_held(&new.held_out, index)).count();
        assert!((240..360).contains(&later), "{later} of 1000 at 0.3");
        let [change] = &before.changes(&now)[..] else { panic!("one set changed") };
        assert!(change.contains("50 gone (0.png, ..)") && change.contains("1040 new"), "{change}");
    }
}
