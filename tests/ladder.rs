//! Promise: every rung of the ladder computes the convolution that the reference means, whatever its extents, and so does the
//! production kernel on top of it; with every index checked at run time as well, so that none leaves its bounds.

use crate::support;
use mewgan::executor::Executor;
use mewgan::gpu::ladder::{OUTPUT, RUNGS, buffer, production};
use mewgan::gpu::lower::{Contraction, Kind};
use mewgan::gpu::{Gpu, GpuExecutor};
use mewgan::gradcheck::draw;
use mewgan::graph::{Graph, Step};
use mewgan::reference::Reference;
use mewgan::shape::{ConvGeometry, ConvOptions};

/// Relative to the largest number of y. Single precision keeps 6e-8; a sum of k products loses a few times sqrt(k) of that, and
/// no sum here is longer than 1,100.
const TOLERANCE: f64 = 1e-5;

fn convolution(
    [batch, i, o]: [usize; 3],
    size: [usize; 2],
    kernel: [usize; 2],
    stride: [usize; 2],
    padding: [usize; 2],
) -> Contraction {
    let options = ConvOptions { stride, padding, output_padding: [0, 0] };
    let geometry = ConvGeometry::conv2d(size, kernel, options).expect("the kernel fits");
    Contraction { kind: Kind::Conv2d, geometry, batch, i, o }
}

/// DCGAN's and CycleGAN's geometries, odd sizes, channels that do and do not divide by 4, borders wider than the kernel's half,
/// strides that skip pixels, and results that end within a tile.
fn cases() -> Vec<Contraction> {
    vec![
        convolution([2, 8, 16], [16, 16], [4, 4], [2, 2], [1, 1]),
        convolution([3, 20, 12], [9, 11], [4, 4], [2, 2], [1, 1]),
        convolution([2, 3, 5], [7, 5], [3, 3], [1, 1], [1, 1]),
        convolution([1, 4, 68], [13, 9], [3, 3], [1, 1], [1, 1]),
        convolution([2, 68, 3], [9, 9], [4, 4], [1, 1], [0, 0]),
        convolution([1, 3, 64], [13, 13], [7, 7], [1, 1], [3, 3]),
        convolution([1, 6, 8], [8, 7], [3, 2], [2, 1], [1, 0]),
        convolution([2, 5, 4], [10, 7], [1, 1], [3, 3], [0, 0]),
        convolution([1, 1, 1], [5, 4], [2, 3], [1, 2], [2, 2]),
        convolution([2, 4, 1], [4, 4], [4, 4], [1, 1], [0, 0]),
    ]
}

fn expected(of: &Contraction, operands: &[Vec<f64>]) -> Vec<f64> {
    let graph = Graph::new();
    let [x, w, _] = of.shapes();
    let y = of.build(graph.input("x", x), graph.input("w", w)).unwrap();
    let step = Step::new("convolution", &graph, &[(OUTPUT, y)], vec![]).unwrap();
    let mut reference = Reference::<f64>::new(&[], vec![step]).unwrap();
    for (name, values) in ["x", "w"].iter().zip(operands) {
        reference.write_input(0, name, values).unwrap();
    }
    reference.run(&[0]).unwrap();
    reference.read_output(0, OUTPUT).unwrap()
}

fn check(gpu: &Gpu, of: &Contraction) {
    let buffer = buffer(of);
    let operands: Vec<Vec<f64>> =
        buffer.tensors.iter().enumerate().map(|(index, (_, shape, _))| draw(shape.len(), index)).collect();
    let expected = expected(of, &operands);
    let scale = expected.iter().fold(0.0f64, |most, y| most.max(y.abs()));

    let mut names: Vec<&str> = RUNGS.iter().map(|rung| rung.name).collect();
    let mut programs: Vec<_> = RUNGS.iter().map(|rung| rung.program(of).unwrap()).collect();
    names.push("production");
    programs.push(production(of, gpu.target()).unwrap());
    let mut executor = GpuExecutor::load(gpu.clone(), std::slice::from_ref(&buffer), programs).unwrap();
    let mut values = vec![0.0f32; buffer.len];
    for (index, operand) in operands.iter().enumerate() {
        let wide = operand.iter().map(|&value| value as f32);
        buffer.view_mut(&mut values, index).iter_mut().zip(wide).for_each(|(to, from)| *to = from);
    }
    executor.write_state(0, &values).unwrap();
    for (step, name) in names.iter().enumerate() {
        executor.run(&[step]).unwrap();
        let found = executor.read_output(step, OUTPUT).unwrap();
        assert_eq!(found.len(), expected.len());
        let error = found.iter().zip(&expected).map(|(a, b)| (f64::from(*a) - b).abs()).fold(0.0, f64::max);
        assert!(error <= TOLERANCE * scale, "{name}: error {error:e} of {scale} for {of:?}");
    }
}

#[test]
fn every_rung_computes_what_the_reference_means() {
    for of in cases() {
        check(&support::gpu(), &of);
    }
}

#[test]
fn no_rung_leaves_its_bounds() {
    let gpu = support::gpu().with_checks(true);
    for of in cases() {
        check(&gpu, &of);
    }
}
