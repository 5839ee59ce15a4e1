//! Metrics as CSV: a row a step, a column a figure.

use super::Row;
use crate::{Error, Result};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Display;

/// `rows` in the order of their steps: the step, then every figure by name. What was not measured at a step is empty, what
/// was not finite is NaN.
///
/// # Errors
/// If a number cannot be formatted.
pub fn bytes(rows: &[Row]) -> Result<Vec<u8>> {
    let names: BTreeSet<&str> = rows.iter().flat_map(|row| row.values.keys()).map(String::as_str).collect();
    let mut steps: BTreeMap<u64, BTreeMap<&str, f64>> = BTreeMap::new();
    for row in rows {
        let values = row.values.iter().map(|(name, value)| (name.as_str(), *value));
        steps.entry(row.step).or_default().extend(values);
    }
    let mut writer = csv::Writer::from_writer(Vec::new());
    let mut written = writer.write_record(["step"].into_iter().chain(names.iter().copied()));
    for (step, values) in steps {
        let cells: Vec<Option<f64>> = names.iter().map(|name| values.get(name).copied()).collect();
        written = written.and_then(|()| writer.serialize((step, cells)));
    }
    let problem = |error: &dyn Display| Error::Input(format!("csv: {error}"));
    written.map_err(|error| problem(&error))?;
    writer.into_inner().map_err(|error| problem(&error))
}
