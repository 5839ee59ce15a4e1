//! Metrics as CSV: a row a step, a column a figure.

use super::Row;
use crate::{Error, Result};
use std::collections::{BTreeMap, BTreeSet};
use std::io::Write;

/// Writes `rows`, in the order of their steps, to `out`, which `name` names in errors: the step, then every figure by
/// name. What was not measured at a step is empty, what was not finite is NaN.
///
/// # Errors
/// If it cannot be written.
pub fn write(rows: &[Row], out: impl Write, name: &str) -> Result<()> {
    let names: BTreeSet<&str> = rows.iter().flat_map(|row| row.values.keys()).map(String::as_str).collect();
    let mut steps: BTreeMap<u64, BTreeMap<&str, f64>> = BTreeMap::new();
    for row in rows {
        let values = row.values.iter().map(|(name, value)| (name.as_str(), *value));
        steps.entry(row.step).or_default().extend(values);
    }
    let mut writer = csv::Writer::from_writer(out);
    let mut written = writer.write_record(["step"].into_iter().chain(names.iter().copied()));
    for (step, values) in steps {
        let cells: Vec<Option<f64>> = names.iter().map(|name| values.get(name).copied()).collect();
        written = written.and_then(|()| writer.serialize((step, cells)));
    }
    written
        .and_then(|()| writer.flush().map_err(csv::Error::from))
        .map_err(|error| Error::io(name)(error.into()))
}
