use std::borrow::Cow;
use std::collections::BTreeSet;

use rust_embed::RustEmbed;

use super::decode::PictureFile;
use crate::{Error, Result};

/// What a source starts with when it names a bundled set.
pub(super) const PREFIX: &str = "builtin:";

#[derive(RustEmbed)]
#[folder = "assets/noto/"]
struct Noto;

#[derive(RustEmbed)]
#[folder = "assets/twemoji/"]
struct Twemoji;

/// Every bundled file, by path, such as `noto/faces/1f600.png`; the licences among them.
fn files() -> impl Iterator<Item = (String, Cow<'static, [u8]>)> {
    let noto = Noto::iter().filter_map(|path| Some((format!("noto/{path}"), Noto::get(&path)?.data)));
    let twemoji =
        Twemoji::iter().filter_map(|path| Some((format!("twemoji/{path}"), Twemoji::get(&path)?.data)));
    noto.chain(twemoji)
}

/// The pictures of a bundled `set`, such as `noto` or `noto/faces`, by name.
pub(super) fn pictures(set: &str) -> Result<Vec<PictureFile>> {
    let mut pictures: Vec<_> = files()
        .filter(|(path, _)| path.ends_with(".png"))
        .filter_map(|(path, content)| {
            let name = path.strip_prefix(set)?.strip_prefix('/')?;
            Some(PictureFile {
                name: name.into(),
                path: format!("{PREFIX}{path}").into(),
                embedded: Some(content),
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
    let sets: BTreeSet<String> = files()
        .filter(|(path, _)| path.ends_with(".png"))
        .flat_map(|(path, _)| {
            let folders = path.match_indices('/').map(|(end, _)| format!("{PREFIX}{}", &path[..end]));
            folders.collect::<Vec<_>>()
        })
        .collect();
    sets.into_iter().collect::<Vec<_>>().join(", ")
}
