//! Whole training iterations of both systems at preset `course`, host and device; an element is a floating-point operation of
//! their contractions.

mod common;

use criterion::{Criterion, SamplingMode, Throughput, criterion_group, criterion_main};
use std::time::Instant;

fn iteration(criterion: &mut Criterion) {
    for (name, device) in common::devices() {
        let mut benches = criterion.benchmark_group(format!("steps/{name}"));
        benches.sampling_mode(SamplingMode::Flat);
        for system in common::course() {
            let device = device.clone().tuned(&system.steps(), &mut |_| ()).expect("the device works");
            let mut executor =
                device.executor(system.buffers(), system.steps()).expect("the device is large enough");
            system.begin(&mut *executor).expect("as it was made");
            let all: Vec<usize> = (0..system.phases.len()).collect();
            benches.throughput(Throughput::Elements(system.flops()));
            benches.bench_function(&system.name, |bencher| {
                bencher.iter_custom(|times| {
                    let start = Instant::now();
                    (0..times).for_each(|_| executor.run(&all).expect("the device works"));
                    executor.wait().expect("the device works");
                    start.elapsed()
                });
            });
        }
        benches.finish();
    }
}

criterion_group!(name = benches; config = common::criterion(); targets = iteration);
criterion_main!(benches);
