//! What a run's `config.toml` holds beside the settings.

use super::{ELSEWHERE, LONGEST, MODEL, RunConfig};
use crate::data::is_bundled;
use crate::spelling::quoted;
use crate::train::run_folder::RunFolder;
use crate::{Error, Result, file};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::{Display, Formatter};
use std::path::Path;
use toml::{Table, Value};

/// What a run's `config.toml` holds beside the settings, which are those of the present.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Record {
    /// Absolute paths of the folders of images, by the setting that names each. They are used where what was typed is not found.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub folders: BTreeMap<String, String>,
    /// When settings changed, in the order of steps.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub changes: Vec<Change>,
}

/// Settings that changed when the run was resumed.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Change {
    /// Steps done before.
    pub step: u64,
    /// The values until then; a setting that was not set is missing.
    #[serde(default)]
    pub from: Table,
    /// The values from then on.
    #[serde(default)]
    pub to: Table,
}

impl Record {
    /// What it is called in `config.toml`.
    pub const NAMES: [&str; 2] = ["folders", "changes"];

    /// That of a run's `config.toml`.
    ///
    /// # Errors
    /// If the file cannot be read, or holds something else under these names.
    pub fn read(path: &Path) -> Result<Self> {
        toml::from_str(&file::text(path, LONGEST)?)
            .map_err(|error| Error::Input(format!("{}: {}", path.display(), quoted(error))))
    }

    /// That of the run that a checkpoint lies in; empty where it lies in none.
    pub(in crate::train) fn beside(checkpoint: &Path) -> Self {
        let run = RunFolder::of_checkpoint(checkpoint);
        run.and_then(|run| Self::read(&run.config_path()).ok()).unwrap_or_default()
    }

    /// Remembers where the folders of `config` are.
    pub fn locate(&mut self, config: &impl RunConfig) {
        let mut config = config.clone();
        let folders = config.sources().into_iter().filter(|(_, source)| !is_bundled(source));
        let absolute = |(name, source): (&str, &mut String)| {
            Some((name.to_owned(), std::path::absolute(source).ok()?.to_str()?.to_owned()))
        };
        self.folders = folders.filter_map(absolute).collect();
    }

    /// Replaces each folder of `config` that is not found from here by its absolute path, if that is.
    pub fn find(&self, config: &mut impl RunConfig) {
        for (name, source) in config.sources() {
            let known = self.folders.get(name).filter(|folder| Path::new(folder).exists());
            if let (false, Some(folder)) = (is_bundled(source) || Path::new(source).exists(), known) {
                folder.clone_into(source);
            }
        }
    }

    /// Notes that the run goes on after `step` steps with the settings `now`, where its `config.toml` had `before`. Changes of later
    /// steps never came about: what they replaced is what `now` replaces.
    pub fn note(&mut self, step: u64, before: &Table, now: &Table) {
        let mut before = before.clone();
        while let Some(change) = self.changes.pop_if(|change| change.step >= step) {
            change.undo(&mut before);
        }
        let change = Change::between(step, &before, now);
        // A run that begins again has had no other settings.
        if step > 0 && !(change.from.is_empty() && change.to.is_empty()) {
            self.changes.push(change);
        }
    }
}

impl Change {
    fn between(step: u64, before: &Table, now: &Table) -> Self {
        let differs =
            |name: &str| before.get(name) != now.get(name) && name != MODEL && !ELSEWHERE.contains(&name);
        let of = |table: &Table| {
            let pairs = table.iter().filter(|(name, _)| differs(name));
            pairs.map(|(name, value)| (name.clone(), value.clone())).collect()
        };
        Self { step, from: of(before), to: of(now) }
    }

    fn undo(&self, settings: &mut Table) {
        self.to.keys().for_each(|name| drop(settings.remove(name)));
        settings.extend(self.from.clone());
    }

    /// What changed, such as `lr 0.0001 instead of 0.0003`.
    pub fn settings(&self) -> String {
        let names: BTreeSet<&String> = self.from.keys().chain(self.to.keys()).collect();
        let words =
            |name| format!("{name} {} instead of {}", given(self.to.get(name)), given(self.from.get(name)));
        names.into_iter().map(words).collect::<Vec<_>>().join(", ")
    }
}

/// Such as `from step 401 on: lr 0.0001 instead of 0.0003`.
impl Display for Change {
    fn fmt(&self, f: &mut Formatter<'_>) -> std::fmt::Result {
        write!(f, "from step {} on: {}", self.step.saturating_add(1), self.settings())
    }
}

fn given(value: Option<&Value>) -> String {
    value.map_or_else(|| "not set".into(), word)
}

/// A setting's value as it is given on the command line.
pub fn word(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Array(parts) if parts.is_empty() => "none".into(),
        Value::Array(parts) => parts.iter().map(word).collect::<Vec<_>>().join(","),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::Record;
    use toml::{Table, toml};

    fn settings(lr: f64, batch: i64) -> Table {
        toml! { model = "dcgan" lr = lr batch = batch device = "cpu" }
    }

    #[test]
    fn a_change_is_noted_with_the_step_from_which_it_holds() {
        let mut record = Record::default();
        record.note(4, &settings(0.1, 2), &settings(0.2, 2));
        record.note(4, &settings(0.2, 2), &settings(0.2, 2));
        record.note(8, &settings(0.2, 2), &settings(0.3, 1));
        let told: Vec<String> = record.changes.iter().map(ToString::to_string).collect();
        let second = "from step 9 on: batch 1 instead of 2, lr 0.3 instead of 0.2";
        assert_eq!(told, ["from step 5 on: lr 0.2 instead of 0.1", second]);
        let text = toml::to_string(&record).unwrap();
        assert_eq!(toml::from_str::<Record>(&text).unwrap(), record, "{text}");
    }

    #[test]
    fn changes_of_steps_that_are_lost_are_part_of_the_next() {
        let mut record = Record::default();
        record.note(4, &settings(0.1, 2), &settings(0.2, 2));
        record.note(8, &settings(0.2, 2), &settings(0.3, 2));
        record.note(6, &settings(0.3, 2), &settings(0.3, 1));
        let told: Vec<String> = record.changes.iter().map(ToString::to_string).collect();
        let second = "from step 7 on: batch 1 instead of 2, lr 0.3 instead of 0.2";
        assert_eq!(told, ["from step 5 on: lr 0.2 instead of 0.1", second]);
        record.note(2, &settings(0.3, 1), &settings(0.1, 2));
        assert!(record.changes.is_empty(), "back to what it was");
        record.note(0, &settings(0.1, 2), &settings(0.5, 2));
        assert!(record.changes.is_empty(), "it begins again");
    }
}
