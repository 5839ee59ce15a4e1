//! The three contractions at the shapes of the `course` and `paper` DCGANs (64 pixels, batch 16), on every device
//! there is. Criterion's elements are floating-point operations: Gelem/s are GFLOP/s.
//!
//! `cargo bench --bench contractions [-- FILTER]`; rows are named operation/shape/device.

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use mewgpu::executor::Executor;
use mewgpu::gpu::Gpu;
use mewgpu::gpu::lower::Target;
use mewgpu::graph::{Graph, Step};
use mewgpu::reference::Reference;
use mewgpu::shape::{ConvGeometry, ConvOptions, Shape};
use std::hint::black_box;

const BATCH: usize = 16;

/// Runs of a step between two waits, so that a GPU's submission cost is shared.
const RUNS: u64 = 4;

/// A convolution k4 s2 p1 of the discriminator: pixels read, channels in and out. Its transpose and its weight gradient
/// are the generator's shapes too.
const SHAPES: [(usize, usize, usize); 6] =
    [(64, 3, 32), (32, 32, 64), (16, 64, 128), (64, 3, 64), (32, 64, 128), (16, 128, 256)];

fn steps(pixels: usize, i: usize, o: usize) -> Vec<(&'static str, Step)> {
    let geometry = ConvGeometry::conv2d([pixels; 2], [4; 2], ConvOptions::new(2, 1)).expect("valid");
    let graph = Graph::new();
    let large = graph.input("large", Shape([BATCH, pixels, pixels, i]));
    let small = graph.input("small", Shape([BATCH, pixels / 2, pixels / 2, o]));
    let weight = graph.input("weight", Shape([4, 4, i, o]));
    let step = |name, y| (name, Step::new(name, &graph, &[("y", y)], vec![]));
    vec![
        step("conv2d", large.conv2d(weight, ConvOptions::new(2, 1)).expect("fits")),
        step("conv_transpose2d", small.conv_transpose2d(weight, ConvOptions::new(2, 1)).expect("fits")),
        step("conv2d_weight_grad", large.conv2d_weight_grad(small, geometry).expect("fits")),
    ]
}

fn devices(step: &Step) -> Vec<(String, Box<dyn Executor>)> {
    let mut devices: Vec<(String, Box<dyn Executor>)> =
        vec![("cpu".into(), Box::new(Reference::<f32>::new(&[], vec![step.clone()])))];
    if let Ok(gpu) = Gpu::open("", false) {
        let name = gpu.summary().name.clone();
        let own = gpu.target().clone();
        for (variant, target) in [("tiled", Target::GPU), ("direct", Target::SOFTWARE)] {
            let Target { software, invocations, .. } = target;
            let gpu = gpu.clone().with_target(Target { software, invocations, ..own.clone() });
            let executor = gpu.executor(&[], std::slice::from_ref(step)).expect("the kernels compile");
            devices.push((format!("{variant} on {name}"), Box::new(executor)));
        }
    }
    devices
}

fn contractions(criterion: &mut Criterion) {
    for (pixels, i, o) in SHAPES {
        let multiply_adds = BATCH * (pixels / 2) * (pixels / 2) * 16 * i * o;
        for (name, step) in steps(pixels, i, o) {
            let mut group = criterion.benchmark_group(format!("{name}/{pixels}px {i}-{o}"));
            group.throughput(Throughput::Elements(2 * multiply_adds as u64 * RUNS));
            group.sample_size(10);
            for (device, mut executor) in devices(&step) {
                for (_, input, shape) in step.inputs() {
                    let values: Vec<f32> = (0..shape.len()).map(|i| (i % 97) as f32 / 97.0 - 0.5).collect();
                    executor.write_input(0, input, &values).expect("an input of the step");
                }
                group.bench_function(device, |bencher| {
                    bencher.iter(|| {
                        (0..RUNS).for_each(|_| executor.run(&[0]).expect("the device works"));
                        executor.wait().expect("the device works");
                        black_box(());
                    });
                });
            }
            group.finish();
        }
    }
}

criterion_group!(benches, contractions);
criterion_main!(benches);
