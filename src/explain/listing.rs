//! The explanation as text.

use super::{Explanation, Listed, Row};
use crate::measure::table::{Column, aligned, number, time};
use std::fmt::Write;

/// All programs as tables, then what their kernels and operations come to.
pub fn text(explanation: &Explanation) -> String {
    let Explanation { subject, device, peaks, programs, samples, kernels, clock, .. } = explanation;
    let (flops, bytes) = (number(peaks.flops_per_second * 1e-9), number(peaks.bytes_per_second * 1e-9));
    let mut text = format!(
        "{subject} on {device}\nat best {flops} GFLOP/s and {bytes} GB/s; contractions have a share of the one, all else of the other\n\
        kernels: {kernels}\ntimed by itself: {clock}; medians of {samples}\n"
    );
    for program in programs {
        text += &table(program);
    }
    let rows = || programs.iter().flat_map(|program| &program.rows);
    if rows().any(|row| !row.kernel.is_empty()) {
        text += &totals("kernel", rows().map(|row| (row.kernel.as_str(), row)));
    }
    text += &totals("operation", rows().map(|row| (row.op.as_str(), row)));
    let flops: u64 = rows().map(|row| row.flops).sum();
    let bytes: u64 = rows().map(|row| row.bytes).sum();
    let seconds: f64 = rows().map(|row| row.seconds).sum();
    let _ = writeln!(
        text,
        "\ntotal: {} {}, {} GFLOP, {} MB, {}",
        rows().count(),
        if rows().any(|row| !row.kernel.is_empty()) { "dispatches" } else { "operations" },
        number(flops as f64 * 1e-9),
        number(bytes as f64 * 1e-6),
        time(seconds)
    );
    text
}

fn table(program: &Listed) -> String {
    let Listed { name, due, rows, seconds, host_seconds } = program;
    let sum: f64 = rows.iter().map(|row| row.seconds).sum();
    let on_gpu = rows.iter().any(|row| !row.kernel.is_empty());
    let host = match on_gpu {
        true => format!(", {} of that on the host", time(*host_seconds)),
        false => String::new(),
    };
    let mut text =
        format!("\n{name}, {due}: {} one by one, {} as training runs it{host}\n", time(sum), time(*seconds));
    let mut columns: Vec<Column> = vec![("#", true), ("operation", false)];
    if on_gpu {
        columns.extend([("kernel", false), ("variant", false), ("workgroups", true), ("members", true)]);
    }
    columns.extend(["MFLOP", "MB", "time", "GFLOP/s", "GB/s", "of peak"].map(|heading| (heading, true)));
    columns.push(("shapes", false));
    let cells: Vec<Vec<String>> =
        rows.iter().map(|row| columns.iter().map(|(column, _)| cell(row, column)).collect()).collect();
    text += &aligned(&columns, &cells);
    text
}

fn cell(row: &Row, column: &str) -> String {
    let rate = |work: u64| number(work as f64 / row.seconds.max(f64::MIN_POSITIVE) * 1e-9);
    match column {
        "#" => row.number.to_string(),
        "operation" => row.op.clone(),
        "kernel" => row.kernel.clone(),
        "variant" => row.variant.clone(),
        "workgroups" => {
            let [x, y, z] = row.workgroups;
            if y * z == 1 { x.to_string() } else { format!("{x}x{y}x{z}") }
        }
        "members" => row.members.to_string(),
        "MFLOP" | "GFLOP/s" if row.flops == 0 => String::new(),
        "MFLOP" => number(row.flops as f64 * 1e-6),
        "MB" => number(row.bytes as f64 * 1e-6),
        "time" => time(row.seconds),
        "GFLOP/s" => rate(row.flops),
        "GB/s" => rate(row.bytes),
        "of peak" => format!("{:.0} %", row.share * 100.0),
        _ => {
            let shapes = row.shapes.iter().map(|shape| match shape.0 {
                [1, 1, 1, len] => len.to_string(),
                extents => extents.map(|extent| extent.to_string()).join("x"),
            });
            shapes.collect::<Vec<_>>().join(" ")
        }
    }
}

/// Sums of rows that have a name in common, those that take longest first.
fn totals<'a>(what: &'static str, rows: impl Iterator<Item = (&'a str, &'a Row)>) -> String {
    let mut sums: Vec<(&str, usize, u64, u64, f64)> = Vec::new();
    let mut all = 0.0;
    for (name, row) in rows {
        all += row.seconds;
        let at = sums.iter().position(|sum| sum.0 == name).unwrap_or_else(|| {
            sums.push((name, 0, 0, 0, 0.0));
            sums.len() - 1
        });
        let sum = &mut sums[at];
        *sum = (name, sum.1 + 1, sum.2 + row.flops, sum.3 + row.bytes, sum.4 + row.seconds);
    }
    sums.sort_by(|a, b| b.4.total_cmp(&a.4));
    let columns: Vec<Column> = [(what, false)]
        .into_iter()
        .chain(["times", "MFLOP", "MB", "time", "of all", "GFLOP/s", "GB/s"].map(|heading| (heading, true)))
        .collect();
    let row = |&(name, count, flops, bytes, seconds): &(&str, usize, u64, u64, f64)| {
        let seconds_or_more = seconds.max(f64::MIN_POSITIVE);
        let of_flops = |text: String| if flops == 0 { String::new() } else { text };
        vec![
            name.to_owned(),
            count.to_string(),
            of_flops(number(flops as f64 * 1e-6)),
            number(bytes as f64 * 1e-6),
            time(seconds),
            format!("{:.1} %", seconds / all * 100.0),
            of_flops(number(flops as f64 / seconds_or_more * 1e-9)),
            number(bytes as f64 / seconds_or_more * 1e-9),
        ]
    };
    format!("\n{}", aligned(&columns, &sums.iter().map(row).collect::<Vec<_>>()))
}
