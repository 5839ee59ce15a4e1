//! What was found, as rows and as text.

use super::difference::Difference;
use super::trial::{Draw, Part};
use super::{Case, Check, DOUBLE_TOLERANCE, Finding, numeric};
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
    /// What exceeds its tolerance, and what was refused.
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
    /// Worst error in f32 of a value, or of what an update left; none where only gradients were checked.
    pub forward: Option<f64>,
    /// Worst error in f32 of a gradient; none where there are none.
    pub gradient: Option<f64>,
    /// Worst error in f32 of anything computed from small numbers, see [`Draw`].
    pub small: Option<f64>,
    /// Worst error in f32 of anything computed from large numbers.
    pub large: Option<f64>,
    /// Worst error in f32 beside NaN and infinities; it is NaN where these themselves are not as they should be.
    pub special: Option<f64>,
    /// Largest error allowed in f32.
    pub tolerance: f64,
    /// Worst error in f64 of anything, where the device computed it in f64.
    pub double: Option<f64>,
    /// Worst error in f64 of a gradient against differences, where they were taken.
    pub differences: Option<f64>,
    /// Why the device computed nothing of a case.
    pub refused: Option<String>,
    /// Whether everything was computed, and no error exceeds its tolerance.
    pub passed: bool,
}

/// What is wrong with a case.
#[derive(Clone, Debug, Serialize)]
pub struct Failure {
    /// The operation.
    pub op: &'static str,
    /// Its operands' shapes.
    pub shapes: String,
    /// All kernels that took part.
    pub kernels: String,
    /// Which check found it.
    pub check: Check,
    /// From which numbers.
    pub draw: Draw,
    /// What.
    #[serde(flatten)]
    pub wrong: Wrong,
    /// Largest error allowed.
    pub tolerance: f64,
}

/// What is wrong.
#[derive(Clone, Debug, Serialize)]
pub enum Wrong {
    /// The device computed nothing, for this reason.
    #[serde(rename = "refused")]
    Refused(String),
    /// The worst number of a result exceeds the tolerance.
    #[serde(untagged)]
    Off(Difference),
}

impl Report {
    /// A report without rows.
    pub fn new(device: String) -> Self {
        let program = format!("mewgan {}", env!("CARGO_PKG_VERSION"));
        Self { program, device, rows: vec![], failures: vec![] }
    }

    /// Whether all is well.
    pub fn passed(&self) -> bool {
        self.failures.is_empty()
    }

    /// Adds what was found of a case to the row where it belongs.
    pub fn add(&mut self, case: &Case, finding: &Finding) {
        let Finding { check, draw, variant, kernels, tolerance, outcome } = finding;
        let at = self.row(case, variant);
        let row = &mut self.rows[at];
        let mut wrongs = Vec::new();
        match outcome {
            Ok(differences) => {
                for difference in differences {
                    row.note(*check, *draw, difference);
                    if !difference.is_within(*tolerance) {
                        wrongs.push(Wrong::Off(difference.clone()));
                    }
                }
            }
            Err(error) => {
                row.refused.get_or_insert(error.to_string());
                wrongs.push(Wrong::Refused(error.to_string()));
            }
        }
        row.passed &= wrongs.is_empty();
        self.failures.extend(wrongs.into_iter().map(|wrong| Failure {
            op: case.op,
            shapes: case.title(),
            kernels: kernels.clone(),
            check: *check,
            draw: *draw,
            wrong,
            tolerance: *tolerance,
        }));
    }

    /// Which row has this case computed by `variant`.
    fn row(&mut self, case: &Case, variant: &str) -> usize {
        let tolerance = case.tolerance;
        let belongs = |row: &Row| {
            row.op == case.op && row.variant == variant && row.tolerance.to_bits() == tolerance.to_bits()
        };
        let at = self.rows.iter().position(belongs).unwrap_or(self.rows.len());
        if at == self.rows.len() {
            self.rows.push(Row {
                op: case.op,
                variant: variant.to_owned(),
                shapes: vec![],
                forward: None,
                gradient: None,
                small: None,
                large: None,
                special: None,
                tolerance,
                double: None,
                differences: None,
                refused: None,
                passed: true,
            });
        }
        let shapes = &mut self.rows[at].shapes;
        if !shapes.contains(&case.title()) {
            shapes.push(case.title());
        }
        at
    }
}

impl Row {
    /// Keeps the worst.
    fn note(&mut self, check: Check, draw: Draw, Difference { part, error, .. }: &Difference) {
        let worst = match (check, draw, part) {
            (Check::Single, Draw::Unit, Part::Gradient(_)) => &mut self.gradient,
            (Check::Single, Draw::Unit, Part::Value | Part::StateBuffer(_)) => &mut self.forward,
            (Check::Single, Draw::Small, _) => &mut self.small,
            (Check::Single, Draw::Large, _) => &mut self.large,
            (Check::Single, Draw::Special, _) => &mut self.special,
            (Check::Double, ..) => &mut self.double,
            (Check::Differences, ..) => &mut self.differences,
        };
        // Unlike f64::max, this keeps what is not a number.
        *worst = worst.filter(|worst| worst.total_cmp(error).is_ge()).or(Some(*error));
    }

    fn cells(&self) -> [String; 12] {
        let error = |error: Option<f64>| error.map_or("-".to_owned(), |error| format!("{error:.1e}"));
        let refused = self.refused.as_ref().map(|why| format!("refused: {}", first_line(why)));
        let verdict = if self.passed { "ok" } else { "FAILED" };
        [
            self.op.to_owned(),
            self.variant.clone(),
            self.shapes.len().to_string(),
            error(self.forward),
            error(self.gradient),
            error(self.small),
            error(self.large),
            error(self.special),
            format!("{:.0e}", self.tolerance),
            error(self.double),
            error(self.differences),
            refused.unwrap_or(verdict.to_owned()),
        ]
    }
}

fn first_line(text: &str) -> &str {
    text.lines().next().unwrap_or_default()
}

const HEADINGS: [&str; 12] = [
    "op",
    "variant",
    "shapes",
    "forward",
    "gradient",
    "small",
    "large",
    "special",
    "tolerance",
    "f64",
    "slopes",
    "verdict",
];

/// The table, then every failure, then the verdict.
impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let cells = self.rows.iter().map(Row::cells);
        let lines: Vec<[String; 12]> = std::iter::once(HEADINGS.map(str::to_owned)).chain(cells).collect();
        let width = |at: usize| lines.iter().map(|line| line[at].chars().count()).max().unwrap_or(0);
        let widths: [usize; 12] = std::array::from_fn(width);
        writeln!(f, "{}\n{}\n", self.program, self.device)?;
        for line in &lines {
            for (at, (cell, width)) in line.iter().zip(widths).enumerate() {
                match at {
                    0 | 1 => write!(f, "{cell:<width$}  ")?,
                    11 => writeln!(f, "{cell}")?,
                    _ => write!(f, "{cell:>width$}  ")?,
                }
            }
        }
        writeln!(
            f,
            "\nforward, gradient: f32 against the reference in f64\nsmall, large: the same from {} and from {}\n\
             special: the same beside {}; NaN where the reference has no NaN or another infinity\n\
             f64: the device's default kernels in f64 against the reference, at most {DOUBLE_TOLERANCE:.0e}; none where it \
             has no f64\nslopes: \
             gradients in f64 against central differences, at most {:.0e}\n",
            Draw::Small,
            Draw::Large,
            Draw::Special,
            numeric::TOLERANCE
        )?;
        self.failures.iter().try_for_each(|failure| writeln!(f, "{failure}"))?;
        let failed = self.rows.iter().filter(|row| !row.passed).count();
        match failed {
            0 => write!(f, "all {} rows within their tolerance", self.rows.len()),
            failed => write!(f, "{failed} of {} rows FAILED", self.rows.len()),
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { op, shapes, kernels, check, draw, wrong, tolerance } = self;
        let precision = if *check == Check::Single { "f32" } else { "f64" };
        let from = if *draw == Draw::Unit { String::new() } else { format!(" from {draw}") };
        match wrong {
            Wrong::Refused(why) => write!(f, "{op} {shapes}: refused in {precision}: {why} ({kernels})"),
            Wrong::Off(difference) => {
                write!(
                    f,
                    "{op} {shapes}{from}: {difference}, tolerance {tolerance:.0e} in {precision} ({kernels})"
                )
            }
        }
    }
}
