//! A bar on the terminal, a curve for each loss, and above them the newest samples.

use super::{Preview, saved};
use crate::cli::{say, warn};
use crate::report::terminal::sparkline;
use crate::train::diagnostics::Finding;
use crate::train::log::Log;
use crate::train::run::Watch;
use crate::{Error, Result};
use console::Term;
use indicatif::{ProgressBar, ProgressFinish, ProgressStyle};
use std::collections::VecDeque;
use std::path::{Path, PathBuf};

/// Logs on a curve, and on one that has to share a line.
const LOGS: usize = 24;
const FEWER: usize = 16;
/// Characters of a loss.
const NUMBER: usize = 9;
/// Characters between two losses in a line.
const GAP: usize = 3;

/// A bar on stderr; it goes when it is dropped.
pub struct Bar {
    bar: ProgressBar,
    curves: Vec<Curve>,
    /// Lines of the bar and its curves.
    height: usize,
    preview: Option<Preview>,
}

impl Bar {
    /// A bar of so many steps done and so many in all.
    ///
    /// # Errors
    /// If its template is none.
    pub fn new((step, total): (u64, u64)) -> Result<Self> {
        let style = ProgressStyle::with_template("{bar:24} step {pos}/{len}  {msg}")
            .map_err(|error| Error::Device(format!("progress bar: {error}")))?;
        let bar = ProgressBar::new(total).with_style(style).with_finish(ProgressFinish::AndClear);
        Ok(Self { bar: bar.with_position(step), curves: Vec::new(), height: 1, preview: None })
    }

    /// Whether there is a terminal that can show it.
    pub fn is_visible(&self) -> bool {
        !self.bar.is_hidden()
    }

    /// With the newest samples above it.
    pub fn with(self, preview: Option<Preview>) -> Self {
        Self { preview, ..self }
    }

    /// Prints above the bar what stays there.
    fn print(&mut self, print: impl FnOnce()) {
        self.bar.suspend(print);
        if let Some(preview) = &mut self.preview {
            preview.leave();
        }
    }
}

impl Watch for Bar {
    fn stepped(&mut self, step: u64) {
        self.bar.set_position(step);
    }

    fn logged(&mut self, log: &Log) {
        for loss in log.losses.iter().filter(|loss| loss.shown) {
            match self.curves.iter_mut().find(|curve| curve.name == loss.name) {
                Some(curve) => curve.push(loss.value),
                None => self.curves.push(Curve::new(loss.name, loss.value)),
            }
        }
        let width = usize::from(Term::stderr().size().1);
        let curves = lines(&self.curves, width);
        self.height = 1 + curves.lines().skip(1).count();
        self.bar.set_message(format!("{}{curves}", log.pace()));
    }

    fn sampled(&mut self, step: u64, sheets: &[PathBuf]) {
        if let Some(preview) = &mut self.preview {
            let below = self.height;
            self.bar.suspend(|| preview.show(step, sheets, below));
        }
    }

    fn noticed(&mut self, finding: &Finding) {
        self.print(|| say(finding));
    }

    fn saved(&mut self, step: u64, checkpoint: &Path) {
        self.print(|| say(saved(step, checkpoint)));
    }

    fn warned(&mut self, warning: &str) {
        self.print(|| warn(warning));
    }
}

/// A loss and its last values.
struct Curve {
    name: &'static str,
    /// None where the last step did not compute it.
    last: Option<f64>,
    values: VecDeque<f64>,
}

impl Curve {
    fn new(name: &'static str, value: Option<f64>) -> Self {
        Self { name, last: value, values: value.into_iter().collect() }
    }

    fn push(&mut self, value: Option<f64>) {
        self.last = value;
        self.values.extend(value);
        self.values.drain(..self.values.len().saturating_sub(LOGS));
    }

    /// Its name, last value and curve of at most `logs` characters; all names are `width` wide.
    fn text(&self, width: usize, logs: usize) -> String {
        let Self { name, last, values } = self;
        let last = last.map_or_else(|| "-".into(), |value| format!("{value:.3}"));
        let curve = sparkline(values.iter().copied().skip(values.len().saturating_sub(logs)));
        format!("{name:<width$}{last:>NUMBER$} {curve:<logs$}")
    }
}

/// All curves, as many in a line as a terminal of `width` columns has room for.
fn lines(curves: &[Curve], width: usize) -> String {
    let names = curves.iter().map(|curve| curve.name.len()).max().unwrap_or(0);
    let beside = names + NUMBER + 1;
    let columns = ((width + GAP) / (beside + FEWER + GAP)).clamp(1, curves.len().max(1));
    let logs = ((width + GAP) / columns).saturating_sub(GAP + beside).min(LOGS);
    let line = |curves: &[Curve]| {
        let texts: Vec<_> = curves.iter().map(|curve| curve.text(names, logs)).collect();
        format!("\n{}", texts.join(&" ".repeat(GAP)))
    };
    curves.chunks(columns).map(line).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn curve(name: &'static str, logs: usize) -> Curve {
        let mut curve = Curve::new(name, Some(0.0));
        (1..logs).for_each(|log| curve.push(Some(log as f64)));
        curve
    }

    #[test]
    fn losses_are_as_many_in_a_line_as_there_is_room_for() {
        let curves = [curve("D", 3), curve("cycle_X", 30)];
        let alone = "D          2.000 ▁▅█                     ";
        let other = "cycle_X   29.000 ▁▁▁▂▂▂▃▃▃▄▄▄▅▅▅▆▆▆▇▇▇███";
        assert_eq!(lines(&curves, 68), format!("\n{alone}\n{other}"));
        assert_eq!(lines(&curves, 85), format!("\n{alone}   {other}"));
        let shorter = "cycle_X   29.000 ▁▁▁▂▂▃▃▄▄▅▅▅▆▆▇▇███";
        assert_eq!(lines(&curves, 75), format!("\nD          2.000 ▁▅█                   {shorter}"));
        assert_eq!(lines(&curves[1..], 20), "\ncycle_X   29.000 ▁▅█");
        assert_eq!(lines(&curves[1..], 5), "\ncycle_X   29.000 ");
    }

    #[test]
    fn a_loss_that_was_not_computed_leaves_no_gap_in_its_curve() {
        let mut curve = curve("D", 2);
        curve.push(None);
        assert_eq!(lines(&[curve], 40).trim_end(), "\nD        - ▁█");
    }
}
