//! A run as JSON objects, a line each, for machines.

use crate::cli::{flags, say};
use crate::train::diagnostics::Finding;
use crate::train::log::Log;
use crate::train::run::Watch;
use serde::Serialize;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// What a line tells; `event` is its name, such as `log`.
#[derive(Serialize)]
#[serde(tag = "event", rename_all = "lowercase")]
pub enum Event<'a> {
    /// The run is ready, after `step`.
    Begin { run: &'a Path, step: u64, total: u64 },
    /// Losses were looked at: `figures` are those of the line in `metrics.jsonl`.
    Log {
        step: u64,
        total: u64,
        #[serde(flatten)]
        figures: BTreeMap<&'a str, f64>,
        seconds_left: f64,
    },
    /// Samples were drawn.
    Sample { step: u64, sheets: &'a [PathBuf] },
    /// A checkpoint was written because a signal asked for it.
    Checkpoint { step: u64, checkpoint: &'a Path },
    /// A sign of trouble has begun.
    Finding { text: String },
    /// Something went wrong that does not end the run.
    Warning { text: &'a str },
    /// The run is done, or stopped before `total`.
    End { run: &'a Path, step: u64, total: u64 },
}

impl Event<'_> {
    /// Prints the line.
    pub fn say(&self) {
        // Only a path that is no text is none of JSON: such a line says so.
        say(serde_json::to_string(self).unwrap_or_else(|error| {
            serde_json::json!({ "event": "warning", "text": error.to_string() }).to_string()
        }));
    }
}

/// An [`Event`] for whatever a run tells.
pub struct Json;

impl Watch for Json {
    fn logged(&mut self, log: &Log) {
        let figures = log.values().into_iter().collect();
        let Log { step, total, seconds_left, .. } = *log;
        Event::Log { step, total, figures, seconds_left }.say();
    }

    fn sampled(&mut self, step: u64, sheets: &[PathBuf]) {
        Event::Sample { step, sheets }.say();
    }

    fn saved(&mut self, step: u64, checkpoint: &Path) {
        Event::Checkpoint { step, checkpoint }.say();
    }

    fn noticed(&mut self, finding: &Finding) {
        Event::Finding { text: finding.to_string() }.say();
    }

    fn warned(&mut self, warning: &str) {
        Event::Warning { text: &flags::spelt(warning) }.say();
    }
}
