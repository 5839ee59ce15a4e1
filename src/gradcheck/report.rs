//! What was found, as rows and as text.

use super::difference::Difference;
use super::trial::Part;
use super::{Case, Finding};
use serde::Serialize;
use std::fmt;

/// Everything found on one device.
#[derive(Clone, Debug, Serialize)]
pub struct Report {
    /// The program and its version.
    pub program: String,
    /// The device, in words.
    pub device: String,
    /// The table.
    pub rows: Vec<Row>,
    /// What exceeds its tolerance.
    pub failures: Vec<Failure>,
}

/// One operation computed one way.
#[derive(Clone, Debug, Serialize)]
pub struct Row {
    /// The operation.
    pub op: &'static str,
    /// By what its value was computed.
    pub variant: String,
    /// Its operands' shapes, an entry a case.
    pub shapes: Vec<String>,
    /// Worst error of a value, or of what an update left; none where only gradients were checked.
    pub forward: Option<f64>,
    /// Worst error of a gradient; none where there are none.
    pub gradient: Option<f64>,
    /// Largest error allowed.
    pub tolerance: f64,
    /// Whether no error exceeds it.
    pub passed: bool,
}

/// A result that exceeds its tolerance.
#[derive(Clone, Debug, Serialize)]
pub struct Failure {
    /// The operation.
    pub op: &'static str,
    /// Its operands' shapes.
    pub shapes: String,
    /// All kernels that took part.
    pub kernels: String,
    /// The result's worst number.
    #[serde(flatten)]
    pub difference: Difference,
    /// Largest error allowed.
    pub tolerance: f64,
}

impl Report {
    /// A report without rows.
    pub fn new(device: String) -> Self {
        let program = format!("mewgpu {}", env!("CARGO_PKG_VERSION"));
        Self { program, device, rows: vec![], failures: vec![] }
    }

    /// Whether nothing exceeds its tolerance.
    pub fn passed(&self) -> bool {
        self.failures.is_empty()
    }

    /// Adds what was found of a case to the row where it belongs.
    pub fn add(&mut self, case: &Case, finding: &Finding) {
        let Finding { variant, kernels, tolerance, differences } = finding;
        let belongs = |row: &Row| {
            row.op == case.op && row.variant == *variant && row.tolerance.to_bits() == tolerance.to_bits()
        };
        let at = match self.rows.iter().position(belongs) {
            Some(at) => at,
            None => {
                self.rows.push(Row {
                    op: case.op,
                    variant: variant.clone(),
                    shapes: vec![],
                    forward: None,
                    gradient: None,
                    tolerance: *tolerance,
                    passed: true,
                });
                self.rows.len() - 1
            }
        };
        let row = &mut self.rows[at];
        if !row.shapes.contains(&case.title()) {
            row.shapes.push(case.title());
        }
        for difference in differences {
            let worst = match difference.part {
                Part::Gradient(_) => &mut row.gradient,
                Part::Value | Part::Bank(_) => &mut row.forward,
            };
            *worst = Some(worst.map_or(difference.error, |worst| larger(worst, difference.error)));
            if !difference.is_within(*tolerance) {
                row.passed = false;
                self.failures.push(Failure {
                    op: case.op,
                    shapes: case.title(),
                    kernels: kernels.clone(),
                    difference: difference.clone(),
                    tolerance: *tolerance,
                });
            }
        }
    }
}

/// Unlike f64::max, this keeps what is not a number.
fn larger(a: f64, b: f64) -> f64 {
    if a.total_cmp(&b).is_ge() { a } else { b }
}

/// The table, then every failure, then the verdict.
impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let headings = ["op", "variant", "shapes", "forward", "gradient", "tolerance", "verdict"];
        let rows: Vec<[String; 7]> = self.rows.iter().map(Row::cells).collect();
        let width = |at: usize| {
            rows.iter().map(|row| row[at].chars().count()).chain([headings[at].len()]).max().unwrap_or(0)
        };
        let widths: [usize; 7] = std::array::from_fn(width);
        let line = |cells: &[String; 7]| {
            let [op, variant, shapes, forward, gradient, tolerance, verdict] = cells;
            let [a, b, c, d, e, g, _] = widths;
            format!(
                "{op:<a$}  {variant:<b$}  {shapes:>c$}  {forward:>d$}  {gradient:>e$}  {tolerance:>g$}  {verdict}"
            )
        };
        writeln!(f, "{}\n{}\n", self.program, self.device)?;
        writeln!(f, "{}", line(&headings.map(str::to_owned)))?;
        rows.iter().try_for_each(|row| writeln!(f, "{}", line(row)))?;
        writeln!(f)?;
        self.failures.iter().try_for_each(|failure| writeln!(f, "{failure}"))?;
        let failed = self.rows.iter().filter(|row| !row.passed).count();
        match failed {
            0 => write!(f, "all {} rows within their tolerance", self.rows.len()),
            failed => write!(f, "{failed} of {} rows FAILED", self.rows.len()),
        }
    }
}

impl Row {
    fn cells(&self) -> [String; 7] {
        let error = |error: Option<f64>| error.map_or("-".to_owned(), |error| format!("{error:.1e}"));
        [
            self.op.to_owned(),
            self.variant.clone(),
            self.shapes.len().to_string(),
            error(self.forward),
            error(self.gradient),
            format!("{:.0e}", self.tolerance),
            if self.passed { "ok" } else { "FAILED" }.to_owned(),
        ]
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { op, shapes, kernels, difference, tolerance } = self;
        write!(f, "{op} {shapes}: {difference}, tolerance {tolerance:.0e} ({kernels})")
    }
}
