use std::io::ErrorKind;
use std::path::Path;

use walkdir::{DirEntry, WalkDir};

use super::builtin;
use super::decode::Content;
use super::found::Found;
use crate::{Error, Result};

/// The image files under `folder`, by name; hidden files and folders, and the folders of runs, are left out, links followed. A link or a folder that
/// cannot be followed counts as an image that cannot be read.
pub(super) fn images(folder: &Path) -> Result<Found> {
    check_is_folder(folder)?;
    let mut found = Found::default();
    let mut entries = WalkDir::new(folder).follow_links(true).into_iter().filter_entry(is_visible);
    while let Some(entry) = entries.next() {
        match entry {
            Ok(entry) if entry.file_type().is_file() => {
                found.take(below(folder, entry.path()), entry.path().to_path_buf(), Content::File);
            }
            // What a run, or an export, has drawn is nothing to learn from.
            Ok(entry) if entry.depth() > 0 && is_output(entry.path()) => {
                found.leave_out(OUTPUT);
                entries.skip_current_dir();
            }
            // Folders, whose files come on their own, and devices.
            Ok(_) => {}
            Err(error) => miss(folder, &error, &mut found)?,
        }
    }
    found.in_order(folder)
}

/// Takes what could not be followed as a bad image.
fn miss(folder: &Path, error: &walkdir::Error, found: &mut Found) -> Result<()> {
    let path = error.path().unwrap_or(folder);
    let name = below(folder, path);
    let problem = match (error.loop_ancestor(), error.io_error()) {
        (Some(ancestor), _) => format!("a link back to {}, which it lies in", ancestor.display()),
        (None, Some(error)) => error.to_string(),
        (None, None) => error.to_string(),
    };
    let content = Content::Missing(problem);
    if error.depth() == 0 {
        let kind = error.io_error().map_or(ErrorKind::Other, std::io::Error::kind);
        return Err(Error::io(path)(kind.into()));
    }
    if name.file_name().is_some_and(|name| name.to_string_lossy().starts_with('.')) {
        return Ok(());
    }
    // What has images in it is bad whatever its name; a link to nothing counts by its extension.
    if error.loop_ancestor().is_some() || path.is_dir() {
        found.add(name, path.to_path_buf(), content);
    } else {
        found.take(name, path.to_path_buf(), content);
    }
    Ok(())
}

fn check_is_folder(path: &Path) -> Result<()> {
    match path.metadata() {
        Ok(metadata) if metadata.is_dir() => Ok(()),
        Ok(_) => Err(Error::Input(format!(
            "{}: a file, not a folder; pass the folder it lies in, or a .zip file of images",
            path.display()
        ))),
        Err(error) if error.kind() == ErrorKind::NotFound => Err(Error::Input(format!(
            "{}: no such folder; pass a folder or a .zip file of images, or one of {}",
            path.display(),
            builtin::known()
        ))),
        Err(error) => Err(Error::io(path)(error)),
    }
}

fn is_visible(entry: &DirEntry) -> bool {
    entry.depth() == 0 || !entry.file_name().to_string_lossy().starts_with('.')
}

/// What folders are called that [`is_output`] tells.
const OUTPUT: &str = "of mewgan's own folders";

/// Whether a folder is one of a run, or of a site that was exported.
fn is_output(folder: &Path) -> bool {
    let (has_file, has_folder) = (|name| folder.join(name).is_file(), |name| folder.join(name).is_dir());
    has_file("config.toml") && (has_file("metrics.jsonl") || has_folder("samples"))
        || has_file("model.json") && has_folder("programs")
}

/// The path below `folder`.
fn below<'a>(folder: &Path, path: &'a Path) -> &'a Path {
    path.strip_prefix(folder).unwrap_or(path)
}
