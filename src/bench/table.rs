//! The report as text, a table a group.

use super::report::{Group, Iteration, LeftOut, Report, Row};
use crate::measure::table::{Column, aligned, number, time};
use crate::real::Precision;
use std::fmt::Write;

/// All tables of a report.
pub fn text(report: &Report) -> String {
    let mut text = format!("{}\n{}\n", report.program, report.device);
    if report.precision == Precision::Mixed {
        text.push_str("mixed precision\n");
    }
    if !report.matrix_units.is_empty() {
        let _ = writeln!(text, "matrix units: {}", report.matrix_units.join(", "));
    }
    let peaks = report.peaks;
    let (flops, bytes) = (number(peaks.flops_per_second * 1e-9), number(peaks.bytes_per_second * 1e-9));
    let _ =
        writeln!(text, "at best {flops} GFLOP/s and {bytes} GB/s: the fastest samples of the peaks below");
    for group in Group::ALL {
        let rows: Vec<&Row> = report.rows.iter().filter(|row| row.subject.group == group).collect();
        if !rows.is_empty() {
            let _ = write!(text, "\n{}\n", group.name());
            text.push_str(&table(group, &rows));
        }
    }
    let control = report.control;
    let _ = writeln!(
        text,
        "\ncontrol: the same twice, ratio {:.3} ({:.3} to {:.3} in the middle half); less than that is noise",
        control.median, control.lower, control.upper
    );
    for LeftOut { name, why } in &report.left_out {
        let _ = writeln!(text, "left out: {name}: {why}");
    }
    text
}

fn table(group: Group, rows: &[&Row]) -> String {
    let mut columns: Vec<Column> = vec![("", false)];
    if rows.iter().any(|row| !row.subject.variant.is_empty()) {
        columns.push(("by", false));
    }
    columns.extend([("median", true), ("middle half", true)]);
    match group {
        Group::Peaks => columns.extend([("GFLOP/s", true), ("GB/s", true)]),
        Group::Norms | Group::Pointwise => columns.extend([("GB/s", true), ("of copy", true)]),
        Group::Control | Group::Contractions | Group::Ladder => {
            columns.extend([("GFLOP/s", true), ("of peak", true)])
        }
        Group::Steps => {
            let parts =
                ["GFLOP/s", "of peak", "contractions", "norms", "rest", "host", "waits", "dispatches", "MiB"];
            columns.extend(parts.map(|part| (part, true)));
        }
    }
    let cells: Vec<Vec<String>> =
        rows.iter().map(|row| columns.iter().map(|(column, _)| cell(row, column)).collect()).collect();
    aligned(&columns, &cells)
}

fn cell(row: &Row, column: &str) -> String {
    let rate = |rate: Option<f64>| rate.map_or(String::new(), |rate| number(rate * 1e-9));
    let part = |of: fn(&Iteration) -> f64| row.iteration.as_ref().map_or(String::new(), |it| time(of(it)));
    match column {
        "by" => format!("{}{}", row.subject.variant, if row.subject.chosen { "" } else { " (not chosen)" }),
        "median" => time(row.seconds.median),
        "middle half" if row.seconds.samples == 1 => "one run, cold".to_owned(),
        "middle half" => format!("{} .. {}", time(row.seconds.lower), time(row.seconds.upper)),
        "GFLOP/s" => rate(row.flops_per_second),
        "GB/s" => rate(row.bytes_per_second),
        "of peak" | "of copy" => row.share.map_or(String::new(), |share| format!("{:.0} %", share * 100.0)),
        "contractions" => part(|it| it.contractions),
        "norms" => part(|it| it.norms),
        "rest" => part(|it| it.rest),
        "host" => part(|it| it.host),
        "waits" => part(|it| it.waiting),
        "dispatches" => row.iteration.as_ref().map_or(String::new(), |it| {
            let counts = it.dispatches.iter().map(|(_, count)| count.to_string());
            counts.collect::<Vec<_>>().join("+")
        }),
        "MiB" => row.iteration.as_ref().map_or(String::new(), |it| (it.memory >> 20).to_string()),
        _ => row.subject.name.clone(),
    }
}
