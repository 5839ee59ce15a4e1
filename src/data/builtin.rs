use super::decode::{Content, ImageFile};
use crate::embedded::IMAGES;
use crate::{Error, Result};
use std::borrow::Cow;
use std::collections::BTreeSet;

/// What a source starts with when it names a bundled set.
pub(super) const PREFIX: &str = "builtin:";

/// The images of a bundled `set`, such as `noto` or `noto/faces`, by name.
pub(super) fn images(set: &str) -> Result<Vec<ImageFile>> {
    let mut images: Vec<_> = IMAGES
        .iter()
        .filter(|(path, _)| path.ends_with(".png"))
        .filter_map(|&(path, content)| {
            let name = path.strip_prefix(set)?.strip_prefix('/')?;
            Some(ImageFile {
                name: name.into(),
                path: format!("{PREFIX}{path}").into(),
                content: Content::Bytes(Cow::Borrowed(content)),
            })
        })
        .collect();
    if images.is_empty() {
        return Err(Error::Input(format!("{PREFIX}{set}: no such bundled images; there are {}", known())));
    }
    images.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(images)
}

/// The bundled sets and subsets, as a source names them.
pub(super) fn known() -> String {
    let sets: BTreeSet<String> = IMAGES
        .iter()
        .filter(|(path, _)| path.ends_with(".png"))
        .flat_map(|(path, _)| {
            let folders = path.match_indices('/').map(|(end, _)| format!("{PREFIX}{}", &path[..end]));
            folders.collect::<Vec<_>>()
        })
        .collect();
    sets.into_iter().collect::<Vec<_>>().join(", ")
}
