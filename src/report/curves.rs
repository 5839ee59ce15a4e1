//! Loss curves as an SVG.

use std::path::Path;

use plotters::coord::Shift;
use plotters::drawing::DrawingAreaErrorKind;
use plotters::prelude::*;

use super::metrics::Row;
use crate::file;
use crate::{Error, Result};

const SIZE: (u32, u32) = (960, 480);
const LEGEND_WIDTH: u32 = 136;
/// Okabe and Ito's palette, told apart with any kind of colour vision: Color Universal Design, 2008.
const PALETTE: [RGBColor; 7] = [
    RGBColor(0, 114, 178),
    RGBColor(213, 94, 0),
    RGBColor(0, 158, 115),
    RGBColor(204, 121, 167),
    RGBColor(230, 159, 0),
    RGBColor(86, 180, 233),
    RGBColor(60, 60, 60),
];
const GRAY: RGBColor = RGBColor(110, 110, 110);
const GRID: RGBColor = RGBColor(228, 228, 228);
/// The moving average spans this share of a curve.
const SMOOTHING_SPAN: f64 = 1.0 / 25.0;
/// A curve is drawn through about this many points, which is more than it has pixels.
const DRAWN_POINTS: usize = 2000;
/// Values closer together than this are drawn as one line.
const SMALLEST_RANGE: f64 = 1e-6;

/// (step, value)
type Point = (u64, f64);

struct Curve<'a> {
    name: &'a str,
    raw: Vec<Point>,
    smooth: Vec<Point>,
}

/// Draws the values `names` of `rows` over their steps: each as measured, faint, and as its exponential moving average,
/// strong. Values that are not finite in `f32` are left out.
pub fn losses_svg(rows: &[Row], names: &[&str], title: &str, path: impl AsRef<Path>) -> Result<()> {
    let path = path.as_ref();
    let curves: Vec<Curve> = names.iter().map(|name| curve(rows, name)).collect::<Result<_>>()?;
    if curves.is_empty() {
        return Err(Error::Input(format!(
            "{}: no curve is named; name at least one value to draw",
            path.display()
        )));
    }
    let mut svg = String::new();
    draw(&curves, title, SVGBackend::with_string(&mut svg, SIZE).into_drawing_area())
        .map_err(|problem| Error::io(path)(std::io::Error::other(problem)))?;
    file::write_atomic(path, svg.as_bytes())
}

fn curve<'a>(rows: &[Row], name: &'a str) -> Result<Curve<'a>> {
    let raw: Vec<Point> = rows
        .iter()
        .filter_map(|row| row.values.get(name).map(|&value| (row.step, value)))
        .filter(|(_, value)| (*value as f32).is_finite())
        .collect();
    if raw.is_empty() {
        let known = rows.first().map_or_else(Vec::new, |row| row.values.keys().collect());
        return Err(Error::Input(format!(
            "curves: {} rows hold no finite value named {name:?}; the first row has {known:?}",
            rows.len()
        )));
    }
    Ok(Curve { name, smooth: moving_average(&raw), raw })
}

/// Exponential moving average that starts at the first value: young averages are divided by the weight they have seen.
fn moving_average(points: &[Point]) -> Vec<Point> {
    let span = (points.len() as f64 * SMOOTHING_SPAN).max(1.0);
    let keep = 1.0 - 2.0 / (span + 1.0);
    let (mut sum, mut weight) = (0.0, 0.0);
    points
        .iter()
        .map(|&(step, value)| {
            sum = keep * sum + (1.0 - keep) * value;
            weight = keep * weight + (1.0 - keep);
            (step, sum / weight)
        })
        .collect()
}

/// At most about [`DRAWN_POINTS`] of `points`: of every run of neighbours the lowest and the highest, so peaks stay.
fn thinned(points: &[Point]) -> Vec<Point> {
    let run = (2 * points.len()).div_ceil(DRAWN_POINTS);
    if run <= 2 {
        return points.to_vec();
    }
    let by_value = |a: &&Point, b: &&Point| a.1.total_cmp(&b.1);
    let extremes = |run: &[Point]| {
        let mut both: Vec<Point> =
            run.iter().min_by(by_value).into_iter().chain(run.iter().max_by(by_value)).copied().collect();
        both.sort_by_key(|point| point.0);
        both
    };
    points.chunks(run).flat_map(extremes).collect()
}

/// From zero, or the lowest value where that is negative, to the highest; of each curve's values the lowest and the
/// highest hundredth do not count, so that single peaks are cut off and do not flatten everything else.
fn value_range(curves: &[Curve]) -> (f64, f64) {
    let (mut low, mut high) = (0.0_f64, SMALLEST_RANGE);
    for curve in curves {
        let mut values: Vec<f64> = curve.raw.iter().map(|point| point.1).collect();
        values.sort_by(f64::total_cmp);
        let ignored = values.len() / 100;
        low = low.min(values[ignored]);
        high = high.max(values[values.len() - 1 - ignored]);
    }
    let margin = 0.05 * (high - low);
    (if low < 0.0 { low - margin } else { 0.0 }, high + margin)
}

/// Writes numbers of an axis that spans `range`.
fn axis_label(range: f64) -> impl Fn(&f64) -> String {
    let decimals = (2.0 - range.log10()).round().max(0.0) as usize;
    move |value| match range {
        1e5.. => format!("{value:.1e}"),
        _ => format!("{value:.decimals$}"),
    }
}

fn draw(
    curves: &[Curve],
    title: &str,
    area: DrawingArea<SVGBackend, Shift>,
) -> std::result::Result<(), DrawingAreaErrorKind<std::io::Error>> {
    let last = curves.iter().flat_map(|curve| &curve.raw).map(|point| point.0).fold(1, u64::max);
    let (low, high) = value_range(curves);

    area.fill(&WHITE)?;
    let (area, legend) = area.split_horizontally(SIZE.0 - LEGEND_WIDTH);
    let mut chart = ChartBuilder::on(&area)
        .caption(title, ("sans-serif", 24))
        .margin(16)
        .x_label_area_size(48)
        .y_label_area_size(64)
        .build_cartesian_2d(0..last, low..high)?;
    chart
        .configure_mesh()
        .x_desc("step")
        .y_desc("loss")
        .y_label_formatter(&axis_label(high - low))
        .label_style(("sans-serif", 16, &GRAY))
        .axis_desc_style(("sans-serif", 18, &GRAY))
        .axis_style(GRAY)
        .bold_line_style(GRID)
        .light_line_style(TRANSPARENT)
        .draw()?;

    let colors = || PALETTE.iter().cycle().copied();
    for (curve, color) in curves.iter().zip(colors()) {
        chart.draw_series(LineSeries::new(thinned(&curve.raw), color.mix(0.25)))?;
    }
    for (row, (curve, color)) in (0..).zip(curves.iter().zip(colors())) {
        let stroke = color.stroke_width(2);
        chart.draw_series(LineSeries::new(thinned(&curve.smooth), stroke))?;
        let y = 64 + 24 * row;
        legend.draw(&PathElement::new([(0, y), (20, y)], stroke))?;
        let font = ("sans-serif", 18).into_font().color(&GRAY);
        legend.draw(&Text::new(curve.name, (28, y - 9), font))?;
    }
    area.present()
}
