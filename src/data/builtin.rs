use super::decode::PictureFile;
use crate::embedded::PICTURES;
use crate::{Error, Result};
use std::borrow::Cow;
use std::collections::BTreeSet;

/// What a source starts with when it names a bundled set.
pub(super) const PREFIX: &str = "builtin:";

/// The pictures of a bundled `set`, such as `noto` or `noto/faces`, by name.
pub(super) fn pictures(set: &str) -> Result<Vec<PictureFile>> {
    let mut pictures: Vec<_> = PICTURES
        .iter()
        .filter(|(path, _)| path.ends_with(".png"))
        .filter_map(|&(path, content)| {
            let name = path.strip_prefix(set)?.strip_prefix('/')?;
            Some(PictureFile {
                name: name.into(),
                path: format!("{PREFIX}{path}").into(),
                embedded: Some(Cow::Borrowed(content)),
            })
        })
        .collect();
    if pictures.is_empty() {
        return Err(Error::Input(format!("{PREFIX}{set}: no such bundled pictures; there are {}", known())));
    }
    pictures.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(pictures)
}

/// The bundled sets and subsets, as a source names them.
pub(super) fn known() -> String {
    let sets: BTreeSet<String> = PICTURES
        .iter()
        .filter(|(path, _)| path.ends_with(".png"))
        .flat_map(|(path, _)| {
            let folders = path.match_indices('/').map(|(end, _)| format!("{PREFIX}{}", &path[..end]));
            folders.collect::<Vec<_>>()
        })
        .collect();
    sets.into_iter().collect::<Vec<_>>().join(", ")
}
