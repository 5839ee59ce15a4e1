//! The report as text, a table a group.

use super::report::{Group, Iteration, LeftOut, Report, Row};
use std::fmt::Write;

/// A column: its heading, and whether it stands to the right.
pub(crate) type Column = (&'static str, bool);

/// All tables of a report.
pub fn text(report: &Report) -> String {
    let mut text = format!("{}\n{}\n", report.program, report.device);
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

/// Rows of cells under the headings of their columns.
pub(crate) fn aligned(columns: &[Column], cells: &[Vec<String>]) -> String {
    let width = |at: usize| {
        let heading = columns[at].0.chars().count();
        cells.iter().map(|row| row[at].chars().count()).chain([heading]).max().unwrap_or(0)
    };
    let widths: Vec<usize> = (0..columns.len()).map(width).collect();
    let line = |cells: &[&str]| {
        let padded = cells.iter().zip(columns).zip(&widths).map(|((cell, (_, right)), &width)| {
            if *right { format!("{cell:>width$}") } else { format!("{cell:<width$}") }
        });
        padded.collect::<Vec<_>>().join("  ").trim_end().to_owned() + "\n"
    };
    let headings: Vec<&str> = columns.iter().map(|(heading, _)| *heading).collect();
    let rows = cells.iter().map(|row| line(&row.iter().map(String::as_str).collect::<Vec<_>>()));
    [line(&headings)].into_iter().chain(rows).collect()
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

/// Three figures of a number.
pub(crate) fn number(value: f64) -> String {
    let digits = (2 - value.abs().max(1e-9).log10().floor() as i32).clamp(0, 3);
    format!("{value:.*}", digits as usize)
}

/// A time in a unit that suits it.
pub(crate) fn time(seconds: f64) -> String {
    match seconds {
        s if s >= 1.0 => format!("{} s", number(s)),
        s if s >= 1e-3 => format!("{} ms", number(s * 1e3)),
        s => format!("{} us", number(s * 1e6)),
    }
}

#[cfg(test)]
mod tests {
    use super::{number, time};

    #[test]
    fn numbers_have_three_figures() {
        let texts = [0.01234, 1.234, 12.34, 123.4, 1234.0].map(number);
        assert_eq!(texts, ["0.012", "1.23", "12.3", "123", "1234"]);
        assert_eq!([2.5, 0.0025, 0.000_002_5].map(time), ["2.50 s", "2.50 ms", "2.50 us"]);
        assert_eq!(time(0.0), "0.000 us");
    }
}
