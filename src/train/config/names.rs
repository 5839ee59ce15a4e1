//! Names in a settings file that are no setting's.

use super::{CommonSettings, ModelSettings, Record, RunConfig};
use crate::spelling::{LONGEST, near, quoted};
use crate::{Error, Result};
use std::path::Path;

/// What a run's settings begin with: which model they are of.
pub const MODEL: &str = "model";

/// Parses TOML that holds settings of `C`, and refuses all else at once: each name with what it is close to, or whose it is.
///
/// # Errors
/// If it is not TOML, is of another model, or has an unknown setting.
pub fn check<C: RunConfig>(text: &str, origin: &Path) -> Result<()> {
    let table: toml::Table = toml::from_str(text)
        .map_err(|error| Error::Input(format!("{}: {}", origin.display(), quoted(error))))?;
    let kind = C::KIND;
    if let Some(model) = table.get(MODEL).filter(|model| model.as_str() != Some(kind)) {
        return Err(Error::Input(format!(
            "{}: settings of the model {model}; expected {kind:?}: train that model with them, or choose another file",
            origin.display()
        )));
    }
    let own: Vec<&str> = [C::Settings::OWN, CommonSettings::NAMES].concat();
    let described = |name: &str| match (C::whose(name), near(name, &own)) {
        (Some(other), _) => format!("{name} (a setting of {other})"),
        (None, Some(near)) => format!("{name} (did you mean {near}?)"),
        (None, None) => name.chars().take(LONGEST).collect(),
    };
    let names = table.keys().map(String::as_str);
    let known = |name: &str| name == MODEL || Record::NAMES.contains(&name) || own.contains(&name);
    let unknown = names.filter(|name| !known(name));
    let unknown: Vec<String> = unknown.map(described).collect();
    match unknown.is_empty() {
        true => Ok(()),
        false => Err(Error::Input(format!(
            "{}: unknown settings for {kind}: {}; fix or remove them (`help train {kind}` lists all settings)",
            origin.display(),
            unknown.join(", ")
        ))),
    }
}
