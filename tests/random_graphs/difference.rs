//! How far results are apart.

use super::case::Found;
use std::fmt;

/// The number that is farthest from what it should be.
pub struct Difference {
    what: String,
    at: usize,
    found: f64,
    expected: f64,
    /// As a share of the tensor's largest number or of 1, whichever is more; infinite where it is no number.
    pub error: f64,
}

impl Difference {
    pub fn worst(found: &[Found], expected: &[Found]) -> Self {
        let all = found.iter().zip(expected).flat_map(|((what, found), (_, expected))| {
            let size = expected.iter().fold(1.0, |size: f64, x| size.max(x.abs()));
            let error = move |a: f64, b: f64| match ((a - b) / size).abs() {
                error if error.is_nan() => f64::INFINITY,
                error => error,
            };
            found.iter().zip(expected).enumerate().map(move |(at, (&a, &b))| (what, at, a, b, error(a, b)))
        });
        let none = Self { what: "nothing".into(), at: 0, found: 0.0, expected: 0.0, error: 0.0 };
        all.fold(none, |worst, (what, at, found, expected, error)| match error > worst.error {
            true => Self { what: what.clone(), at, found, expected, error },
            false => worst,
        })
    }
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { what, at, found, expected, error } = self;
        write!(f, "{what}: number {at} is {found}, not {expected}: off by {error:.1e}")
    }
}
