//! Names in a settings file that are no setting's.

use super::{CycleGanConfig, CycleGanSettings, DcganConfig, DcganSettings, RunConfig};
use crate::{Error, Result};
use std::path::Path;
use strsim::osa_distance;

/// Longer names are compared with no other.
const LONGEST: usize = 40;

/// Refuses settings that `kind` has not, all of them at once: each with what it is close to, or whose it is.
pub(in crate::train) fn check(table: &toml::Table, kind: &str, origin: &Path) -> Result<()> {
    let dcgan = (DcganConfig::KIND, DcganSettings::NAMES);
    let cyclegan = (CycleGanConfig::KIND, CycleGanSettings::NAMES);
    let ((_, own), (other, others)) = if kind == dcgan.0 { (dcgan, cyclegan) } else { (cyclegan, dcgan) };
    let described = |name: &str| match near(name, own) {
        _ if others.contains(&name) => format!("{name} (a setting of {other})"),
        Some(near) => format!("{name} (did you mean {near}?)"),
        None => name.chars().take(LONGEST).collect(),
    };
    let names = table.keys().map(String::as_str);
    let unknown: Vec<String> = names.filter(|name| !own.contains(name)).map(described).collect();
    match unknown.is_empty() {
        true => Ok(()),
        false => Err(Error::Input(format!(
            "{}: no setting of {kind}: {}; mend or remove it; mewgpu train {kind} --help lists all",
            origin.display(),
            unknown.join(", ")
        ))),
    }
}

/// The names of `known` that `name` was most likely meant to be.
fn near(name: &str, known: &[&str]) -> Option<String> {
    let name = name.to_lowercase().replace('-', "_");
    if name.len() > LONGEST {
        return None;
    }
    // A part of a name, such as `width` of `g_width`, is one more step away.
    let away = |known: &&str| {
        let parts = known.split('_').map(|part| osa_distance(&name, part) + 1);
        parts.chain([osa_distance(&name, known)]).min()
    };
    let nearest = known.iter().filter_map(away).min().filter(|nearest| *nearest <= 1 + name.len() / 4)?;
    let names: Vec<&str> = known.iter().filter(|known| away(known) == Some(nearest)).copied().collect();
    Some(names.join(" or "))
}
