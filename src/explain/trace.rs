//! The explanation in Chrome's trace event format, for chrome://tracing and ui.perfetto.dev.
//!
//! Two processes. The first has a row of every dispatch by itself, laid end to end: what takes how long. The second has the same
//! programs as training runs them: what the host does, and how long the device is busy with each in all.

use super::{Explanation, Row};
use serde_json::{Value, json};

/// The two processes, and their rows.
const ONE_BY_ONE: [u32; 2] = [1, 11];
const HOST: [u32; 2] = [2, 21];
const DEVICE: [u32; 2] = [2, 22];

/// The trace.
pub fn trace(explanation: &Explanation) -> Value {
    let Explanation { program, subject, device, clock, samples, programs, .. } = explanation;
    let gpu = device.starts_with("GPU");
    let unit = if gpu { "dispatches" } else { "operations" };
    let mut events = vec![
        name("process_name", ONE_BY_ONE, &format!("{unit}, each timed by itself")),
        name("thread_name", ONE_BY_ONE, "end to end"),
        name("process_name", HOST, "as training runs them"),
        name("thread_name", HOST, "host"),
    ];
    if gpu {
        events.push(name("thread_name", DEVICE, "device"));
    }
    let mut now = 0;
    for listed in programs {
        for row in &listed.rows {
            let label = if row.kernel.is_empty() { &row.op } else { &row.kernel };
            let time = [now, nanoseconds(row.seconds)];
            events.push(event(ONE_BY_ONE, label, &row.op, time, arguments(&listed.name, row)));
            now += time[1];
        }
    }
    let mut now = 0;
    for listed in programs {
        let all = nanoseconds(listed.seconds);
        let host = nanoseconds(listed.host_seconds).min(all);
        let args = json!({ "due": listed.due });
        events.push(event(HOST, &listed.name, "host", [now, host], args.clone()));
        if gpu {
            events.push(event(DEVICE, &listed.name, "device", [now, all], args));
        }
        now += all;
    }
    json!({
        "traceEvents": events,
        "displayTimeUnit": "ms",
        "otherData": {
            "program": program,
            "subject": subject,
            "device": device,
            "what": format!("one iteration, not one that trained: medians of {samples}; {clock}"),
        },
    })
}

fn name(kind: &str, [process, row]: [u32; 2], name: &str) -> Value {
    json!({ "name": kind, "ph": "M", "pid": process, "tid": row, "args": { "name": name } })
}

/// An event that starts at a nanosecond and takes some.
fn event(
    [process, row]: [u32; 2],
    name: &str,
    category: &str,
    [start, taken]: [u64; 2],
    args: Value,
) -> Value {
    json!({
        "name": name,
        "cat": category,
        "ph": "X",
        "pid": process,
        "tid": row,
        "ts": microseconds(start),
        "dur": microseconds(taken),
        "args": args,
    })
}

fn arguments(program: &str, row: &Row) -> Value {
    json!({
        "program": program,
        "number": row.number,
        "op": row.op,
        "kernel": row.kernel,
        "variant": row.variant,
        "shapes": row.shapes.iter().map(ToString::to_string).collect::<Vec<_>>().join(" "),
        "workgroups": row.workgroups,
        "members": row.members,
        "flops": row.flops,
        "bytes": row.bytes,
        "of_peak": row.share,
    })
}

/// Whole ones: sums of them are exact, so that events never overlap.
fn nanoseconds(seconds: f64) -> u64 {
    (seconds * 1e9).round() as u64
}

/// The format's unit.
fn microseconds(nanoseconds: u64) -> f64 {
    nanoseconds as f64 / 1000.0
}
