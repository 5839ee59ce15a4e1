//! Whole DCGAN iterations (a discriminator step and a generator step) of the presets at 64 pixels, batch 16, on every
//! device there is. One element is one step: elem/s are steps/s.
//!
//! `cargo bench --bench step [-- FILTER]`; rows are named preset/device.

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use mewgpu::device::{CPU, Device, GPU};
use mewgpu::train::config::{DcganConfig, DcganSettings, Preset};

const BATCH: usize = 16;

/// Steps between two waits, so that a GPU may run ahead as it does in training.
const STEPS: u64 = 4;

fn step(criterion: &mut Criterion) {
    for (name, preset) in [("seed", Preset::Seed), ("course", Preset::Course), ("paper", Preset::Paper)] {
        let settings = DcganSettings { preset: Some(preset), ..Default::default() };
        let config = DcganConfig::new(DcganSettings::default(), settings).expect("presets are valid");
        let dcgan = config.dcgan().expect("presets are valid");
        let mut group = criterion.benchmark_group(format!("dcgan {name}"));
        group.throughput(Throughput::Elements(STEPS)).sample_size(10);
        for device in [CPU, GPU].into_iter().filter_map(|name| Device::open(name).ok()) {
            let steps = [dcgan.discriminator_step(BATCH), dcgan.generator_step(BATCH)];
            let steps = steps.into_iter().collect::<Result<_, _>>().expect("presets are valid");
            let mut executor = device.executor(&dcgan.banks(), steps).expect("the device is large enough");
            group.bench_function(device.describe(), |bencher| {
                bencher.iter(|| {
                    (0..STEPS).for_each(|_| executor.run(&[0, 1]).expect("the device works"));
                    executor.wait().expect("the device works");
                });
            });
        }
        group.finish();
    }
}

criterion_group!(benches, step);
criterion_main!(benches);
