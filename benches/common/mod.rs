//! What the benchmarks share: devices, and one operation on each of them.

use criterion::{Criterion, SamplingMode, Throughput};
use mewgan::bench::operations::{self, Operation};
use mewgan::bench::report::Group;
use mewgan::device::{self, Device};
use mewgan::models::Kind;
use mewgan::models::system::{self, System};
use mewgan::random::uniform;
use mewgan::real::Precision;
use mewgan::train::config::Preset;
use std::time::Duration;

/// Every device there is, by the name that chooses it.
pub fn devices() -> Vec<(String, Device)> {
    let open = |choice: String| {
        let device = Device::open(&choice).unwrap_or_else(|error| panic!("{choice}: {error}"));
        (choice, device)
    };
    device::list().into_iter().map(|listed| open(listed.choice)).collect()
}

/// Both kinds of training at preset `course`.
pub fn course() -> [System; 2] {
    let dcgan = system::preset_of(Kind::Dcgan, Preset::Course, Precision::F32);
    let cyclegan = system::preset_of(Kind::CycleGan, Preset::Course, Precision::F32);
    [dcgan, cyclegan].map(|system| system.expect("presets fit"))
}

/// Few samples: an operation takes up to a second on a software driver.
pub fn criterion() -> Criterion {
    Criterion::default()
        .sample_size(10)
        .warm_up_time(Duration::from_millis(200))
        .measurement_time(Duration::from_secs(1))
        .configure_from_args()
}

/// The operations of one group of both systems, each by itself, on every device; in its clock's time where it has a clock.
#[allow(dead_code, reason = "iterations are not one operation")]
pub fn operations(criterion: &mut Criterion, group: Group) {
    let operations = operations::all(&course());
    for (name, device) in devices() {
        let mut benches = criterion.benchmark_group(format!("{}/{name}", group.name()));
        benches.sampling_mode(SamplingMode::Flat);
        for Operation { subject, step } in operations.iter().filter(|of| of.subject.group == group) {
            let buffer = operations::buffer([step]);
            let steps = vec![step.clone()];
            let device = device.clone().tuned(&steps, &mut |_| ()).expect("the device works");
            let buffers = [buffer.clone()];
            let mut executor = device.executor(&buffers, steps).expect("the device is large enough");
            executor.write_state(0, &uniform("bench", 0.1, buffer.len)).expect("as long as the state buffer");
            benches.throughput(match subject.flops {
                0 => Throughput::Bytes(subject.bytes),
                flops => Throughput::Elements(flops),
            });
            benches.bench_function(&subject.name, |bencher| {
                bencher.iter_custom(|times| {
                    let run = |_| {
                        let timings = executor.profile(0).expect("the device works");
                        timings.iter().map(|timing| timing.seconds).sum::<f64>()
                    };
                    Duration::from_secs_f64((0..times).map(run).sum())
                });
            });
        }
        benches.finish();
    }
}
