//! An iteration as the page finds it.

use crate::train::phase::{Due, Phase, Source};
use serde::Serialize;

/// A phase, its program by name.
#[derive(Serialize)]
pub struct Line {
    step: String,
    due: Due,
    /// Phases that train the same networks have the same number.
    trains: usize,
    inputs: Vec<Input>,
}

/// An input, and where its numbers come from.
#[derive(Serialize)]
struct Input {
    name: String,
    #[serde(flatten)]
    from: Source,
}

/// What the page is told of `phases`.
pub fn lines(phases: &[Phase]) -> Vec<Line> {
    let input = |(name, from): &(String, Source)| Input { name: name.clone(), from: from.clone() };
    let line = |phase: &Phase| Line {
        step: phase.step.name.clone(),
        due: phase.due,
        trains: phase.trains,
        inputs: phase.inputs.iter().map(input).collect(),
    };
    phases.iter().map(line).collect()
}

/// Iterations after `step` in which, together, every phase is due at least once: each with the phases that are.
pub fn checked(phases: &[Phase], step: u64) -> Vec<(u64, Vec<usize>)> {
    let mut all: Vec<(u64, Vec<usize>)> = Vec::new();
    for (index, phase) in phases.iter().enumerate() {
        if all.iter().any(|(_, due)| due.contains(&index)) {
            continue;
        }
        let first = (step + 1..).find(|&t| phase.due.is_at(t)).unwrap_or(step + 1);
        all.push((first, (0..phases.len()).filter(|&other| phases[other].due.is_at(first)).collect()));
    }
    all
}
