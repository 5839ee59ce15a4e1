//! How far two results are apart.

use super::trial::Part;
use serde::{Serialize, Serializer};
use std::fmt;

/// Operands are near 1: a result of which nothing exceeds this is what their sums left over.
const LEFT_OVER: f64 = 0.05;

/// Numbers below this are 0 to single precision, or nearly.
const UNDERFLOW: f64 = 1e-30;

/// The number of a result that is farthest from what it should be.
#[derive(Clone, Debug, Serialize)]
pub struct Difference {
    /// Of which result.
    #[serde(rename = "result", serialize_with = "in_words")]
    pub part: Part,
    /// Its place in the result.
    pub at: usize,
    /// The number.
    pub found: f64,
    /// What it should be.
    pub expected: f64,
    /// The difference as a share of the largest number of the result: sums that cancel are not held to more digits than
    /// their summands have. NaN where one is a number and the other is not, or is another infinity.
    pub error: f64,
}

fn in_words<S: Serializer>(part: &Part, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(part)
}

impl Difference {
    /// The worst of `found`.
    pub fn worst(part: Part, found: &[f64], expected: &[f64]) -> Self {
        let finite = expected.iter().filter(|x| x.is_finite());
        let size = finite.fold(LEFT_OVER, |size, x| size.max(x.abs()));
        Self::farthest(part, found, expected, |_| size)
    }

    /// The worst of `found`, each error being a share of the number itself.
    pub fn worst_of_each(part: Part, found: &[f64], expected: &[f64]) -> Self {
        Self::farthest(part, found, expected, |expected| expected.abs().max(UNDERFLOW))
    }

    fn farthest(part: Part, found: &[f64], expected: &[f64], size: impl Fn(f64) -> f64) -> Self {
        let pairs = found.iter().zip(expected).enumerate();
        let all = pairs.map(|(at, (&found, &expected))| {
            // Not a number is worse than every number.
            let same = found == expected || found.is_nan() && expected.is_nan();
            let error = if same { 0.0 } else { ((found - expected) / size(expected)).abs() };
            Self { part, at, found, expected, error: if error.is_finite() { error } else { f64::NAN } }
        });
        let none = Self { part, at: 0, found: 0.0, expected: 0.0, error: 0.0 };
        let missing = Self { error: f64::NAN, ..none };
        if found.len() != expected.len() {
            return missing;
        }
        all.max_by(|a, b| a.error.total_cmp(&b.error)).unwrap_or(none)
    }

    /// The worst of every result.
    pub fn all(found: &[(Part, Vec<f64>)], expected: &[(Part, Vec<f64>)]) -> Vec<Self> {
        let pairs = found.iter().zip(expected);
        pairs.map(|((part, found), (_, expected))| Self::worst(*part, found, expected)).collect()
    }

    /// Whether the error is at most `tolerance`.
    pub fn is_within(&self, tolerance: f64) -> bool {
        self.error <= tolerance
    }
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { part, at, found, expected, error } = self;
        write!(f, "{part}[{at}] is {found}, not {expected}: off by {error:.1e}, relative")
    }
}
