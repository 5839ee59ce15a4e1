//! `metrics.jsonl`: one JSON object a line, such as `{"step":10,"D":0.25,"G":0.75,"seconds":1.23}`.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde::ser::{SerializeMap, Serializer};

use crate::file::{self, Journal};
use crate::spelling::quoted;
use crate::{Error, Result};

/// The longest file that is read, in bytes: some millions of lines.
const LONGEST: u64 = 1 << 30;

/// What was measured at one step.
#[derive(Debug, Clone, PartialEq)]
pub struct Row {
    /// The step, counted from 1.
    pub step: u64,
    /// Values by name; a value that was not finite when written (JSON has no such numbers) is NaN.
    pub values: BTreeMap<String, f64>,
}

/// An open `metrics.jsonl` that grows by a line at a time.
#[derive(Debug)]
pub struct Metrics {
    path: PathBuf,
    journal: Journal,
}

impl Metrics {
    /// Opens `path` after `step`, making it where it is missing, and returns the rows that are in it. Lines of later steps
    /// are cut off, and so is a torn last line, left by a process that was killed while it wrote.
    ///
    /// # Errors
    /// If the file cannot be read or written, or a line up to `step` is no metrics line.
    pub fn open(path: impl Into<PathBuf>, step: u64) -> Result<(Self, Vec<Row>)> {
        let path = path.into();
        let mut journal = Journal::open(&path)?;
        let bytes = file::bytes(&path, LONGEST)?;
        let (mut len, mut rows) = (0, Vec::new());
        for (index, line) in lines(&bytes).enumerate() {
            let row = parse(&path, index + 1, line)?;
            if row.step > step {
                break;
            }
            rows.push(row);
            len += line.len() as u64;
        }
        // One call: whatever ends the process, no line is torn.
        journal.cut(len)?;
        Ok((Self { path, journal }, rows))
    }

    /// Appends one line, in one write, with any that wait before it.
    ///
    /// # Errors
    /// If it cannot be written; it waits then for the next one.
    pub fn write(&mut self, step: u64, values: &[(&str, f64)]) -> Result<()> {
        if values.iter().any(|(name, _)| *name == "step") {
            return Err(Error::Input(
                "metrics: a value cannot be named \"step\"; every line has a step already".into(),
            ));
        }
        let mut line = to_json(step, values).map_err(|error| Error::io(&self.path)(error.into()))?;
        line.push(b'\n');
        self.journal.append(&line)
    }

    /// Whether lines wait that could not be written.
    pub fn is_behind(&self) -> bool {
        self.journal.is_behind()
    }

    /// Has all lines written to the disk.
    ///
    /// # Errors
    /// If the system cannot.
    pub fn sync(&self) -> Result<()> {
        self.journal.sync()
    }
}

/// All rows of `path` in order. A torn last line is ignored; any other line that is no metrics line is an error.
pub fn read(path: impl AsRef<Path>) -> Result<Vec<Row>> {
    let path = path.as_ref();
    let bytes = file::bytes(path, LONGEST)?;
    lines(&bytes).enumerate().map(|(index, line)| parse(path, index + 1, line)).collect()
}

/// Everything up to the last line break: a line is whole once its line break is written.
fn whole_lines(bytes: &[u8]) -> &[u8] {
    let end = bytes.iter().rposition(|&byte| byte == b'\n').map_or(0, |last| last + 1);
    &bytes[..end]
}

/// The whole lines, each with its line break.
fn lines(bytes: &[u8]) -> impl Iterator<Item = &[u8]> {
    whole_lines(bytes).split_inclusive(|&byte| byte == b'\n')
}

fn parse(path: &Path, number: usize, line: &[u8]) -> Result<Row> {
    #[derive(Deserialize)]
    struct Line {
        step: u64,
        #[serde(flatten)]
        values: BTreeMap<String, Option<f64>>,
    }

    let Line { step, values } = serde_json::from_slice(line).map_err(|error| {
        Error::Input(format!(
            "{}: line {number} is not a metrics line ({}); fix or remove it",
            path.display(),
            quoted(error)
        ))
    })?;
    let values = values.into_iter().map(|(name, value)| (name, value.unwrap_or(f64::NAN))).collect();
    Ok(Row { step, values })
}

/// The object of one line, its values in the order given.
fn to_json(step: u64, values: &[(&str, f64)]) -> serde_json::Result<Vec<u8>> {
    let mut line = Vec::new();
    let mut serializer = serde_json::Serializer::new(&mut line);
    let mut object = serializer.serialize_map(None)?;
    object.serialize_entry("step", &step)?;
    for (name, value) in values {
        object.serialize_entry(name, value)?;
    }
    object.end()?;
    Ok(line)
}
