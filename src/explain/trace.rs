//! The explanation in Chrome's trace event format, for chrome://tracing and ui.perfetto.dev.
//!
//! Two processes. The first has a row of every dispatch by itself, laid end to end: what takes how long. The second has the same
//! programs as training runs them: what the host does, and how long the device is busy with each in all.

use super::{Explanation, Row};
use serde_json::{Value, json};

/// The two processes, and the rows of the second.
const ONE_BY_ONE: u32 = 1;
const AS_RUN: u32 = 2;
const HOST: u32 = 1;
const DEVICE: u32 = 2;

/// The trace.
pub fn trace(explanation: &Explanation) -> Value {
    let Explanation { program, subject, device, clock, samples, programs, .. } = explanation;
    let unit = if device.starts_with("GPU") { "dispatches" } else { "operations" };
    let mut events = vec![
        name("process_name", ONE_BY_ONE, 0, &format!("{unit}, each timed by itself, laid end to end")),
        name("thread_name", ONE_BY_ONE, HOST, unit),
        name("process_name", AS_RUN, 0, "the same programs as training runs them, laid end to end"),
        name("thread_name", AS_RUN, HOST, "host: inputs, recording, submission"),
        name("thread_name", AS_RUN, DEVICE, "device: until all is done"),
    ];
    let mut now = 0;
    for listed in programs {
        for row in &listed.rows {
            let label = if row.kernel.is_empty() { &row.op } else { &row.kernel };
            let args = arguments(&listed.name, row);
            now +=
                event(&mut events, [ONE_BY_ONE, HOST], label, &row.op, [now, nanoseconds(row.seconds)], args);
        }
    }
    let mut now = 0;
    for listed in programs {
        let (all, host) = (nanoseconds(listed.seconds), nanoseconds(listed.host_seconds));
        let args = json!({ "due": listed.due });
        event(&mut events, [AS_RUN, HOST], &listed.name, "host", [now, host.min(all)], args.clone());
        event(&mut events, [AS_RUN, DEVICE], &listed.name, "device", [now, all], args);
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

fn name(kind: &str, process: u32, row: u32, name: &str) -> Value {
    json!({ "name": kind, "ph": "M", "pid": process, "tid": row, "args": { "name": name } })
}

/// Adds an event that starts at a nanosecond and takes some, and returns how many.
fn event(
    events: &mut Vec<Value>,
    [process, row]: [u32; 2],
    name: &str,
    category: &str,
    [start, taken]: [u64; 2],
    args: Value,
) -> u64 {
    events.push(json!({
        "name": name,
        "cat": category,
        "ph": "X",
        "pid": process,
        "tid": row,
        "ts": microseconds(start),
        "dur": microseconds(taken),
        "args": args,
    }));
    taken
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
