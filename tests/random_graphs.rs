//! Promise: whatever graph is built, a GPU computes of it what the reference does: random graphs of all operations and updates,
//! by the kernels of both kinds of devices, in double precision.

mod buffers;
mod case;
mod constants;
mod difference;
mod numbers;
mod operations;
mod pool;
mod updates;

use crate::custom::PRODUCT;
use crate::support;
use case::{Case, Found, Part};
use difference::Difference;
use mewgan::Result;
use mewgan::gpu::lower::{Contraction, Target, candidates, lower};
use mewgan::gpu::program::Program;
use mewgan::gpu::{Gpu, GpuExecutor};
use mewgan::gradcheck::variants::targets;
use mewgan::graph::custom::CustomOp;
use mewgan::graph::{Op, Update};
use mewgan::random::stream;
use rand::RngExt;
use std::collections::BTreeSet;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// Largest error in f64, of a tensor's largest number: what well-conditioned sums of hundreds lose is 1e-13.
const TOLERANCE: f64 = 1e-10;

/// Seeds of `make test`.
const SEEDS: u64 = 60;

/// What was held against the reference.
#[derive(Default)]
struct Tried {
    graphs: usize,
    dispatches: usize,
    names: BTreeSet<&'static str>,
}

/// `target` with random kernels for half of the contractions, all of which fit a device in double precision.
fn chosen(case: &Case, target: Target, seed: u64) -> Target {
    let mut target = Target { workgroup_bytes: target.workgroup_bytes / 2, ..target };
    let mut rng = stream(seed, "kernels", 0);
    for of in Contraction::all(&case.steps) {
        let candidates = candidates(&of, &target);
        let variant = candidates[rng.random_range(0..candidates.len())];
        if rng.random_bool(0.5) {
            target.choices.set(of, variant);
        }
    }
    target
}

/// Runs a case by the kernels of `target`; an error is what went wrong.
fn hold(
    case: &Case,
    expected: &[Found],
    target: &Target,
    tried: &mut Tried,
) -> std::result::Result<(), String> {
    let programs: Result<Vec<Program>> =
        case.steps.iter().map(|step| lower(step, &case.buffers, target)).collect();
    let programs = programs.map_err(|error| error.to_string())?;
    tried.graphs += programs.len();
    tried.dispatches += programs.iter().map(|program| program.dispatches.len()).sum::<usize>();
    let programs = programs.into_iter().map(constants::at_run_time).collect();
    // A device of its own: the failure of one case is none of the next.
    let gpu = Gpu::open("", false).map_err(|error| error.to_string())?;
    let found = GpuExecutor::load_in_double(gpu, &case.buffers, programs)
        .and_then(|mut executor| case.results(&mut executor))
        .map_err(|error| error.to_string())?;
    let worst = Difference::worst(&found, expected);
    if worst.error <= TOLERANCE { Ok(()) } else { Err(worst.to_string()) }
}

/// The case of a seed by the kernels of both kinds of devices; what went wrong, and how to see it again.
fn try_seed(seed: u64, own: &Target, tried: &mut Tried) -> Vec<String> {
    let (case, expected) = Case::draw(seed, &[]).unwrap_or_else(|error| panic!("seed {seed}: {error}"));
    for step in &case.steps {
        tried.names.extend(step.nodes().iter().map(|node| node.op.name()));
        tried.names.extend(step.updates.iter().map(Update::name));
    }
    let mut failures = Vec::new();
    for target in targets(own) {
        let kind = if target.software { "software" } else { "GPU" };
        let target = chosen(&case, target, seed);
        if let Err(error) = hold(&case, &expected, &target, tried) {
            failures.push(format!(
                "seed {seed}, kernels of a {kind} target: {error}\n  again, and made smaller: \
                 SEED={seed} cargo test --release --test suite random_graphs::one_seed -- --ignored --nocapture"
            ));
        }
    }
    failures
}

#[test]
fn random_graphs_are_what_the_reference_says() {
    let (start, own) = (Instant::now(), support::gpu().target().clone());
    let mut tried = Tried::default();
    let failures: Vec<String> = (0..SEEDS).flat_map(|seed| try_seed(seed, &own, &mut tried)).collect();
    let Tried { graphs, dispatches, names } = tried;
    println!(
        "{SEEDS} seeds: {graphs} programs, {dispatches} dispatches, {:.1} s",
        start.elapsed().as_secs_f64()
    );
    assert!(failures.is_empty(), "{} failures:\n{}", failures.len(), failures.join("\n"));
    // Looks at the bits of f32: graphs here are computed in f64. `mixed::` and gradcheck have it.
    let drawn = |name: &&str| *name != "unscale";
    for name in Op::names().chain(Update::NAMES.iter().copied()).filter(drawn).chain([PRODUCT.name()]) {
        assert!(names.contains(name), "no random graph has {name}: draw it in tests/random_graphs");
    }
}

fn number(name: &str) -> Option<u64> {
    let text = std::env::var(name).ok()?;
    Some(text.parse().unwrap_or_else(|_| panic!("{name}={text} is no number")))
}

/// For `make fuzz`: as many seeds as there is time for.
#[test]
#[ignore = "takes FUZZ_SECONDS, from SEED on"]
fn as_many_as_time_allows() {
    let clock = || SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
    let first = number("SEED").unwrap_or_else(clock);
    let time = Duration::from_secs(number("FUZZ_SECONDS").unwrap_or(60));
    let (start, own) = (Instant::now(), support::gpu().target().clone());
    let mut tried = Tried::default();
    let mut seed = first;
    while start.elapsed() < time {
        let failures = try_seed(seed, &own, &mut tried);
        assert!(failures.is_empty(), "{}", failures.join("\n"));
        seed += 1;
    }
    let Tried { graphs, dispatches, .. } = tried;
    println!(
        "seeds {first} to {}: {graphs} programs, {dispatches} dispatches, {} s",
        seed - 1,
        start.elapsed().as_secs()
    );
}

/// One seed; where it fails, all parts that it fails without are left out, and what is left is listed.
#[test]
#[ignore = "of SEED"]
fn one_seed() {
    let seed = number("SEED").expect("SEED says which");
    let own = support::gpu().target().clone();
    for target in targets(&own) {
        let fails = |dropped: &[Part]| {
            let (case, expected) = Case::draw(seed, dropped).unwrap();
            let target = chosen(&case, target.clone(), seed);
            hold(&case, &expected, &target, &mut Tried::default()).err().map(|error| (case, error))
        };
        let Some((mut case, mut error)) = fails(&[]) else { continue };
        let mut dropped = Vec::new();
        for part in case.parts() {
            let without = [&dropped[..], &[part]].concat();
            if let Some(smaller) = fails(&without) {
                (dropped, (case, error)) = (without, smaller);
            }
        }
        panic!("seed {seed}, software kernels {}: {error}\n{}", target.software, case.listing());
    }
}
