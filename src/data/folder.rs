use std::collections::BTreeMap;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use walkdir::{DirEntry, WalkDir};

use super::builtin;
use super::decode::ImageFile;
use crate::{Error, Result};

const EXTENSIONS: [&str; 4] = ["png", "jpg", "jpeg", "webp"];

/// The image files under `folder`, by name; hidden files and folders are left out, links followed.
pub(super) fn images(folder: &Path) -> Result<Vec<ImageFile>> {
    check_is_folder(folder)?;
    let mut images = Vec::new();
    let mut others = BTreeMap::<String, usize>::new();
    for entry in WalkDir::new(folder).follow_links(true).into_iter().filter_entry(is_visible) {
        let entry = entry.map_err(|error| {
            let path = error.path().unwrap_or(folder).to_path_buf();
            Error::io(path)(error.into())
        })?;
        if !entry.file_type().is_file() {
            continue;
        }
        let extension = entry.path().extension().map(|e| e.to_string_lossy().to_lowercase());
        if extension.as_deref().is_some_and(|e| EXTENSIONS.contains(&e)) {
            images.push(ImageFile {
                name: relative_name(folder, entry.path()),
                path: entry.into_path(),
                embedded: None,
            });
        } else {
            let kind = extension.map_or("without extension".into(), |e| format!(".{e}"));
            *others.entry(kind).or_default() += 1;
        }
    }
    if images.is_empty() {
        return Err(no_images(folder, &others));
    }
    images.sort_by(|a, b| (&a.name, &a.path).cmp(&(&b.name, &b.path)));
    Ok(images)
}

fn check_is_folder(path: &Path) -> Result<()> {
    match path.metadata() {
        Ok(metadata) if metadata.is_dir() => Ok(()),
        Ok(_) => {
            Err(Error::Input(format!("{}: a file, not a folder; pass the folder it lies in", path.display())))
        }
        Err(error) if error.kind() == ErrorKind::NotFound => Err(Error::Input(format!(
            "{}: no such folder; pass a folder of images, or one of {}",
            path.display(),
            builtin::known()
        ))),
        Err(error) => Err(Error::io(path)(error)),
    }
}

fn is_visible(entry: &DirEntry) -> bool {
    entry.depth() == 0 || !entry.file_name().to_string_lossy().starts_with('.')
}

/// The path below `folder`, with `/` on every system, so that the order is the same everywhere.
fn relative_name(folder: &Path, path: &Path) -> String {
    let below: PathBuf = path.strip_prefix(folder).unwrap_or(path).into();
    let parts: Vec<_> = below.iter().map(|part| part.to_string_lossy()).collect();
    parts.join("/")
}

fn no_images(folder: &Path, others: &BTreeMap<String, usize>) -> Error {
    let found: Vec<_> = others.iter().map(|(kind, count)| format!("{count} {kind}")).collect();
    let found = if found.is_empty() { "no files".into() } else { found.join(", ") };
    Error::Input(format!(
        "{}: no images in it ({}), hidden ones left out; found {found}",
        folder.display(),
        EXTENSIONS.join(", ")
    ))
}
