use std::collections::{BTreeMap, HashSet};
use std::path::{Path, PathBuf};

use super::decode::{Content, ImageFile};
use crate::{Error, Result};

/// The extensions of files that can be read.
pub const EXTENSIONS: [&str; 11] =
    ["png", "apng", "jpg", "jpeg", "jpe", "jfif", "webp", "gif", "bmp", "tif", "tiff"];

/// How many kinds of files that were left out are listed.
const LISTED: usize = 5;

/// What a source of images holds; hidden files are none of it.
#[derive(Clone, Debug, Default)]
pub struct Found {
    /// The images, by name. Some may turn out not to be readable.
    pub files: Vec<ImageFile>,
    /// How many files there are of other kinds, such as `.avif`.
    pub left_out: BTreeMap<String, usize>,
}

impl Found {
    /// Counts the file at `path` in: as an image if its extension says so.
    pub(super) fn take(&mut self, name: &Path, path: PathBuf, content: Content) {
        let extension = name.extension().map(|extension| extension.to_string_lossy().to_lowercase());
        let missing = matches!(content, Content::Missing(_));
        match extension {
            Some(extension) if EXTENSIONS.contains(&&*extension) => self.add(name, path, content),
            // It may have been a folder of images.
            None if missing => self.add(name, path, content),
            other => {
                let kind = other.map_or("without extension".into(), |extension| format!(".{extension}"));
                self.leave_out(&kind);
            }
        }
    }

    /// Counts something of this kind that is left out.
    pub(super) fn leave_out(&mut self, kind: &str) {
        *self.left_out.entry(kind.to_owned()).or_default() += 1;
    }

    /// Adds an image, or what may be images and cannot be read.
    pub(super) fn add(&mut self, name: &Path, path: PathBuf, content: Content) {
        // The same on every system, so that the order is.
        let parts: Vec<_> = name.iter().map(|part| part.to_string_lossy()).collect();
        self.files.push(ImageFile { name: parts.join("/"), path, content });
    }

    /// All of it, in order.
    ///
    /// # Errors
    /// If there are no images.
    pub(super) fn in_order(mut self, source: &Path) -> Result<Self> {
        if self.files.is_empty() {
            let found = self.left_out().unwrap_or_else(|| "no files".into());
            return Err(Error::Input(format!(
                "{}: no images in it ({}), hidden ones left out; found {found}",
                source.display(),
                EXTENSIONS.join(", ")
            )));
        }
        self.files.sort_by(|a, b| (&a.name, &a.path).cmp(&(&b.name, &b.path)));
        Ok(self)
    }

    /// The images of `source` that are called `names` alone.
    ///
    /// # Errors
    /// If one is not there.
    pub fn named(mut self, source: &str, names: &[String]) -> Result<Self> {
        let wanted: HashSet<&String> = names.iter().collect();
        self.files.retain(|file| wanted.contains(&file.name));
        let there: HashSet<&String> = self.files.iter().map(|file| &file.name).collect();
        match names.iter().find(|name| !there.contains(name)) {
            Some(missing) => {
                Err(Error::Input(format!("{source}: its image {missing} is not there any more")))
            }
            None => Ok(Self { files: self.files, left_out: BTreeMap::new() }),
        }
    }

    /// What was left out, such as `12 .avif, 1 .txt`; `None` if nothing was.
    pub fn left_out(&self) -> Option<String> {
        let mut kinds: Vec<_> = self.left_out.iter().collect();
        if kinds.len() > LISTED {
            kinds.sort_by_key(|(_, count)| std::cmp::Reverse(**count));
        }
        let mut words: Vec<_> =
            kinds.iter().take(LISTED).map(|(kind, count)| format!("{count} {kind}")).collect();
        let more: usize = kinds.iter().skip(LISTED).map(|(_, count)| **count).sum();
        words.extend((more > 0).then(|| format!("{more} more")));
        (!words.is_empty()).then(|| words.join(", "))
    }
}
