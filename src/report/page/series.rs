//! A figure over the steps, thinned to what a chart can show.

use crate::report::Row;
use serde::Serialize;

/// A chart gets at most this many points a figure, which is more than it has pixels.
const POINTS: usize = 1000;
/// Significant digits that are kept; a chart shows fewer.
const DIGITS: usize = 5;

/// Values of one figure in the order of their steps. Where there are many, each point stands for neighbours: their last
/// step, their mean, and the lowest and highest of them, so that peaks stay.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Series {
    /// The figure's name.
    pub name: String,
    /// Steps, counted from 1.
    pub steps: Vec<u64>,
    /// Values, or means of neighbours.
    pub means: Vec<f64>,
    /// The lowest of each point's neighbours; empty where each point is one value.
    pub lows: Vec<f64>,
    /// The highest.
    pub highs: Vec<f64>,
}

impl Series {
    /// The figure `name` of `rows`; values that are not finite are left out.
    pub fn new(rows: &[Row], name: &str) -> Self {
        let values = rows.iter().filter_map(|row| Some((row.step, *row.values.get(name)?)));
        let values: Vec<(u64, f64)> = values.filter(|(_, value)| value.is_finite()).collect();
        let together = values.len().div_ceil(POINTS).max(1);
        let mut series = Self { name: name.to_owned(), ..Self::default() };
        for points in values.chunks(together) {
            let own = || points.iter().map(|(_, value)| *value);
            let (low, high) = (own().fold(f64::INFINITY, f64::min), own().fold(f64::NEG_INFINITY, f64::max));
            // Divided first: a sum of the largest numbers there are would be none.
            let mean: f64 = own().map(|value| value / points.len() as f64).sum();
            series.steps.extend(points.last().map(|(step, _)| *step));
            series.means.push(rounded(mean.clamp(low, high)));
            if together > 1 {
                series.lows.push(rounded(low));
                series.highs.push(rounded(high));
            }
        }
        series
    }
}

/// The nearest number of [`DIGITS`] digits.
fn rounded(value: f64) -> f64 {
    let rounded = format!("{value:.*e}", DIGITS - 1).parse().ok();
    // The largest numbers there are have no such number above them.
    rounded.filter(|rounded: &f64| rounded.is_finite()).unwrap_or(value)
}
