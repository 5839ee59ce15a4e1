//! Names in a settings file that are no setting's.

use super::{CycleGanConfig, CycleGanSettings, DcganConfig, DcganSettings, RunConfig};
use crate::spelling::{LONGEST, near};
use crate::{Error, Result};
use std::path::Path;

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
            "{}: no setting of {kind}: {}; mend or remove it; `help train {kind}` lists all",
            origin.display(),
            unknown.join(", ")
        ))),
    }
}
