//! Promise: every kernel and variant computes what the reference means, forward and backward, on shapes of every kind.
//!
//! The oracle is the reference in f64. Tolerances are relative to the largest number of a result: single precision
//! keeps 6e-8, a sum of k products loses a few times sqrt(k) of that, and no sum here is longer than some thousand.

use crate::support;
use mewgan::Result;
use mewgan::device::Device;
use mewgan::executor::Executor;
use mewgan::gpu::lower::{Form, Kind, TILES, Target, lower};
use mewgan::gpu::{Gpu, GpuExecutor};
use mewgan::gradcheck::variants::tables;
use mewgan::gradcheck::{self, Difference, Part, Trial, draw, numeric};
use mewgan::graph::{Graph, Step, Unary, Var, gradients};
use mewgan::reference::Reference;
use mewgan::shape::{ConvOptions, Shape};
use proptest::prelude::*;
use proptest::test_runner::RngSeed;
use std::cell::RefCell;

const TOLERANCE: f64 = 1e-5;

fn values(shapes: &[[usize; 4]]) -> Vec<Vec<f64>> {
    shapes.iter().enumerate().map(|(i, shape)| draw(Shape(*shape).len(), i)).collect()
}

/// Compares `f` and its gradients to every leaf, on every variant, with the f64 reference.
fn compare(shapes: &[[usize; 4]], f: impl for<'g> Fn(&[Var<'g>]) -> Result<Var<'g>>) {
    compare_with(0, shapes, f);
}

/// The same by candidate number `pick` of every contraction; 0 is the default, and numbers too large start again there.
fn compare_with(pick: usize, shapes: &[[usize; 4]], f: impl for<'g> Fn(&[Var<'g>]) -> Result<Var<'g>>) {
    compare_at(shapes, &values(shapes), TOLERANCE, pick, f);
}

fn compare_at(
    shapes: &[[usize; 4]],
    values: &[Vec<f64>],
    tolerance: f64,
    pick: usize,
    f: impl for<'g> Fn(&[Var<'g>]) -> Result<Var<'g>>,
) {
    let trial = Trial::function(shapes, values, f).expect("the shapes fit, and every op has a rule");
    for (variant, gpu) in support::variants() {
        compare_on(&format!("{variant} {shapes:?}"), gpu, &trial, tolerance, pick);
    }
}

fn compare_on(name: &str, gpu: Gpu, trial: &Trial, tolerance: f64, pick: usize) {
    let tables = tables(&trial.step, gpu.target());
    let choices = tables[pick % tables.len()].clone();
    let target = Target { choices: choices.clone(), ..gpu.target().clone() };
    let mut executor =
        gpu.with_target(target).executor(&trial.buffers, std::slice::from_ref(&trial.step)).unwrap();
    let found = trial.results(&mut executor).unwrap();
    for difference in Difference::all(&found, &trial.reference::<f64>().unwrap()) {
        assert!(difference.is_within(tolerance), "{name}: {difference} with {choices:?}");
    }
}

fn seed() -> u64 {
    std::env::var("PROPTEST_RNG_SEED").ok().and_then(|seed| seed.parse().ok()).unwrap_or(11)
}

fn channels() -> impl Strategy<Value = usize> {
    prop::sample::select(vec![1, 2, 3, 4, 5, 8, 16, 20, 64, 68])
}

fn pair(range: std::ops::RangeInclusive<usize>) -> impl Strategy<Value = [usize; 2]> {
    prop::array::uniform2(range)
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 24,
        failure_persistence: None,
        // The same shapes every time; PROPTEST_RNG_SEED tries others.
        rng_seed: RngSeed::Fixed(seed()),
        ..ProptestConfig::default()
    })]

    #[test]
    fn conv2d(
        batch in 1usize..=3, size in pair(1..=11), kernel in pair(1..=5), stride in pair(1..=3),
        padding in pair(0..=2), i in channels(), o in channels(), bias: bool, pick in 0usize..12,
    ) {
        let options = ConvOptions { stride, padding, output_padding: [0, 0] };
        prop_assume!((0..2).all(|axis| kernel[axis] <= size[axis] + 2 * padding[axis]));
        let shapes = [[batch, size[0], size[1], i], [kernel[0], kernel[1], i, o], [1, 1, 1, o]];
        compare_with(pick, &shapes, |v| {
            // Small weights: where tanh saturates, its gradient is the rounding of 1 - y * y.
            let y = v[0].conv2d(v[1].scale(0.1), options)?;
            // The leaf is used either way, so that it has a gradient.
            if bias { y.add(v[2])?.leaky_relu(0.2) } else { Ok(y.tanh().mul(v[2])?) }
        });
    }

    #[test]
    fn conv_transpose2d(
        batch in 1usize..=3, size in pair(1..=6), kernel in pair(1..=5), stride in pair(1..=3),
        padding in pair(0..=2), extra in pair(0..=2), i in channels(), o in channels(), bias: bool, pick in 0usize..12,
    ) {
        let output_padding = [extra[0] % stride[0], extra[1] % stride[1]];
        let options = ConvOptions { stride, padding, output_padding };
        prop_assume!((0..2).all(|axis| {
            (size[axis] - 1) * stride[axis] + kernel[axis] + output_padding[axis] > 2 * padding[axis]
        }));
        let shapes = [[batch, size[0], size[1], o], [kernel[0], kernel[1], i, o], [1, 1, 1, i]];
        compare_with(pick, &shapes, |v| {
            let y = v[0].conv_transpose2d(v[1].scale(0.1), options)?;
            if bias { Ok(y.add(v[2])?.tanh()) } else { v[2].mul(y.relu()) }
        });
    }

    #[test]
    fn norms(
        shape in (1usize..=4, 1usize..=9, 1usize..=9, channels()), affine: bool, batch: bool, slope in 0.0f64..0.5,
    ) {
        let (n, h, w, c) = shape;
        // A single element has no spread: its normalised value is 0 and its gradients are only rounding.
        prop_assume!(h * w >= 4);
        compare(&[[n, h, w, c], [1, 1, 2, c]], |v| {
            let rows = affine.then_some(v[1]);
            let y = if batch { v[0].batch_norm(rows, 1e-5)? } else { v[0].instance_norm(rows, 1e-5)? };
            let y = y.leaky_relu(slope)?;
            if affine { Ok(y) } else { y.add(v[1].sum_to(Shape([1, 1, 1, c]))?) }
        });
    }

    #[test]
    fn norms_of_a_large_mean_with_a_small_spread(n in 1usize..=3, side in 4usize..=24, c in channels(), batch: bool) {
        let shape = [n, side, side, c];
        let x: Vec<f64> = draw(Shape(shape).len(), 0).iter().map(|x| f64::from(100.0 + 0.1 * *x as f32)).collect();
        let affine = draw(2 * c, 1);
        // The mean itself is kept in single precision: half a unit in the last place of 100 is 7e-5 of the spread, and
        // the gradient to the weight adds that up with one sign.
        compare_at(&[shape, [1, 1, 2, c]], &[x, affine], 5e-4, 0, |v| {
            if batch { v[0].batch_norm(Some(v[1]), 1e-5) } else { v[0].instance_norm(Some(v[1]), 1e-5) }
        });
    }

    #[test]
    fn running_statistics(n in 1usize..=3, side in 1usize..=5, c in channels(), offset in -2.0f64..2.0) {
        compare(&[[n, side, side, c], [1, 1, 2, c]], |v| {
            let running = v[0].graph().full(Shape([1, 1, 2, c]), 0.8);
            Ok(v[0].batch_norm_eval(running, Some(v[1]), 1e-5)?.affine(1.5, offset))
        });
    }

    #[test]
    fn pairs(shape in prop::array::uniform4(1usize..=5), other in prop::array::uniform4(any::<bool>()), vec4: bool) {
        let mut shape = shape;
        if vec4 { shape[3] *= 4; }
        let smaller: [usize; 4] = std::array::from_fn(|axis| if other[axis] { shape[axis] } else { 1 });
        compare(&[shape, smaller], |v| v[0].mul(v[1])?.sub(v[1].square())?.div(v[1].abs())?.add(v[0].abs()));
    }

    #[test]
    fn pointwise(len in 1usize..=300, slope in 0.0f64..1.0) {
        let shape = [1, 1, 1, len];
        compare(&[shape], |v| {
            let x = v[0].scale(6.0);
            let positive = x.square().affine(1.0, 0.5);
            let sum = Unary::ALL.iter().try_fold(x.leaky_relu(slope)?, |y, function| {
                y.add(if of_positive(*function) { positive } else { x }.unary(*function).scale(0.2))
            })?;
            sum.div(positive)
        });
    }

    #[test]
    fn sums(shape in prop::array::uniform4(1usize..=7), kept in prop::array::uniform4(any::<bool>()), long in 1usize..=90) {
        let mut shape = shape;
        shape[1] *= long;
        let to = Shape(std::array::from_fn(|axis| if kept[axis] { shape[axis] } else { 1 }));
        compare(&[shape], |v| v[0].square().sum_to(to)?.scale(0.1).broadcast_to(Shape(shape)));
    }

    #[test]
    fn channels_put_together_and_taken_apart(a in channels(), b in channels(), from in 0usize..68, count in 1usize..68) {
        let from = from % (a + b);
        let to = (from + count).min(a + b);
        compare(&[[2, 2, 3, a], [2, 2, 3, b]], |v| {
            Ok(Var::concat_channels(&[v[0], v[1].square()])?.slice_channels(from..to)?.tanh())
        });
    }

    #[test]
    fn max_pools(
        n in 1usize..=2, size in pair(3..=9), kernel in pair(1..=3), stride in pair(1..=4), half: bool, c in channels(), equal: bool,
    ) {
        let padding = kernel.map(|taps| if half { taps / 2 } else { 0 });
        let options = ConvOptions { stride, padding, output_padding: [0, 0] };
        compare(&[[n, size[0], size[1], c]], |v| {
            if equal { v[0].relu() } else { v[0] }.max_pool2d(kernel, options)
        });
    }

    #[test]
    fn moved_pixels(n in 1usize..=2, h in 3usize..=7, w in 3usize..=7, c in channels(), pad in prop::array::uniform4(0usize..=2), factor in pair(1..=3)) {
        compare(&[[n, h, w, c]], |v| {
            let offsets = v[0].graph().full(Shape([n, 1, 1, 2]), pad[0] as f64 - 1.0);
            v[0].translate(offsets)?.reflection_pad2d(pad)?.blur().upsample_nearest2d(factor)
        });
    }
}

/// `mewgan gradcheck`: every operation by every kernel, and in double precision where the device has it.
#[test]
fn every_kernel() {
    let gpu = support::gpu();
    let report = gradcheck::check(&Device::Gpu(gpu.clone()), &gradcheck::all(), &|_, _, _| ()).unwrap();
    assert!(report.passed(), "{report}");
    for op in ["conv2d", "conv_transpose2d", "conv2d_weight_grad", "batch_norm", "sum", "relu", "blur"] {
        let mut of = report.rows.iter().filter(|row| row.op == op);
        assert_eq!(
            of.any(|row| row.double.is_some() && row.differences.is_some()),
            gpu.doubles(),
            "{report}"
        );
    }
}

/// The kernels of each kind of device in double precision, where this one has it.
#[test]
fn double_precision() {
    let gpu = support::gpu();
    if !gpu.doubles() {
        return eprintln!("{} has no double precision", gpu.summary());
    }
    let shapes = [[2, 9, 7, 8], [3, 3, 8, 20], [1, 1, 2, 20]];
    let trial = Trial::function(&shapes, &values(&shapes), |v| {
        v[0].conv2d(v[1], ConvOptions::new(2, 1))?.instance_norm(Some(v[2]), 1e-5)?.leaky_relu(0.2)
    })
    .unwrap();
    let expected = trial.reference::<f64>().unwrap();
    for (variant, gpu) in support::variants() {
        let program = lower(&trial.step, &trial.buffers, gpu.target()).unwrap();
        let mut executor = GpuExecutor::load_in_double(gpu, &trial.buffers, vec![program]).unwrap();
        let found = trial.results(&mut executor).unwrap();
        for difference in Difference::all(&found, &expected) {
            assert!(difference.is_within(gradcheck::DOUBLE_TOLERANCE), "{variant}: {difference}");
        }
        for difference in numeric::differences(&trial, &found, &mut executor, 8).unwrap() {
            assert!(difference.is_within(numeric::TOLERANCE), "{variant}: {difference}");
        }
    }
}

/// Every tile, and every kernel for few channels, computes each of the three contractions in some case.
#[test]
fn every_tile_is_tried() {
    let roomy = Target { workgroup_bytes: 32 << 10, ..Target::GPU };
    let mut tried = Vec::new();
    for case in gradcheck::all() {
        let step = case.trial().unwrap().step;
        // The first table has the defaults.
        for choices in tables(&step, &roomy).into_iter().take(if case.every_kernel { usize::MAX } else { 1 })
        {
            tried.extend(choices.contractions().filter_map(|of| Some((of.kind, choices.get(&of)?.form))));
        }
    }
    for kind in [Kind::Conv2d, Kind::ConvTranspose2d, Kind::WeightGrad] {
        for tile in TILES {
            assert!(tried.contains(&(kind, Form::Tiled(tile))), "{kind:?} {tile:?}");
        }
        for pixels in [1, 2, 4, 8] {
            assert!(tried.contains(&(kind, Form::Narrow { pixels })), "{kind:?} {pixels}");
        }
    }
}

/// Every index and loop of the default kernels checked at run time, which shows that none leaves its bounds.
#[test]
fn nothing_leaves_its_bounds() {
    for case in gradcheck::all().into_iter().filter(|case| case.every_kernel || case.op == "instance_norm") {
        let trial = case.trial().unwrap();
        for (variant, gpu) in support::variants() {
            let name = format!("{} {} {variant}, checked", case.op, case.title());
            compare_on(&name, gpu.with_checks(true), &trial, case.tolerance, 0);
        }
    }
}

/// Gradients of which one is computed from another: both are stored in one state buffer, and no dispatch reads what it writes.
#[test]
fn related_gradients_share_a_state_buffer() {
    use mewgan::graph::{Slot, StateBuffer, Update};
    let mut buffer = StateBuffer::default();
    let shape = Shape([1, 1, 1, 64]);
    let offsets = ["b", "a"].map(|name| {
        let index = buffer.push(name, shape);
        buffer.tensors[index].2
    });
    let graph = Graph::new();
    let (a, b, k) = (graph.input("a", shape), graph.input("b", shape), graph.input("k", shape));
    let loss = a.add(a.mul(k).unwrap()).unwrap().add(b).unwrap().square().mean();
    for order in [[b, a], [a, b]] {
        let store = |(gradient, offset): (Var<'_>, usize)| Update::Store {
            slot: Slot { buffer: 0, offset },
            value: gradient.id(),
        };
        let updates = gradients(loss, &order).unwrap().into_iter().zip(offsets).map(store).collect();
        let step = Step::new("related", &graph, &[("loss", loss)], updates).unwrap();
        let buffers = std::slice::from_ref(&buffer);
        let run = |executor: &mut dyn Executor| {
            for (index, name) in ["a", "b", "k"].into_iter().enumerate() {
                executor
                    .write_input(0, name, &draw(64, index).iter().map(|&x| x as f32).collect::<Vec<f32>>())
                    .unwrap();
            }
            executor.run(&[0]).unwrap();
            executor.read_state(0).unwrap()
        };
        let expected = run(&mut Reference::<f32>::new(buffers, vec![step.clone()]).unwrap());
        let found = run(&mut support::gpu().executor(buffers, &[step]).unwrap());
        assert!(found.iter().zip(&expected).all(|(a, b)| (a - b).abs() <= 1e-6), "{found:?} {expected:?}");
    }
}

/// What PyTorch gives for numbers without an end.
#[test]
fn relu_of_infinities() {
    let graph = Graph::new();
    let x = graph.input("x", Shape::vector(4));
    let step = Step::new("relu", &graph, &[("y", x.relu())], vec![]).unwrap();
    let run = |executor: &mut dyn Executor| {
        executor.write_input(0, "x", &[f32::NEG_INFINITY, f32::INFINITY, -1.0, 2.0]).unwrap();
        executor.run(&[0]).unwrap();
        executor.read_output(0, "y").unwrap()
    };
    let expected = [0.0, f32::INFINITY, 0.0, 2.0];
    assert_eq!(run(&mut Reference::<f32>::new(&[], vec![step.clone()]).unwrap()), expected);
    assert_eq!(run(&mut support::gpu().executor(&[], &[step]).unwrap()), expected);
}

/// Numbers of every magnitude and sign, and those that are none.
fn everywhere() -> Vec<f64> {
    let magnitudes = (-300..=300).map(|k| 10f64.powf(f64::from(k) / 10.0));
    let dense = (0..1000).map(|k| 0.003 + 0.05 * f64::from(k));
    let positive: Vec<f64> = magnitudes.chain(dense).map(|x| f64::from(x as f32)).collect();
    let special = [f64::NAN, f64::INFINITY, f64::NEG_INFINITY, 0.0];
    positive.iter().map(|x| -x).chain(positive.clone()).chain(special).collect()
}

/// Whether a function is not one of all numbers.
fn of_positive(function: Unary) -> bool {
    matches!(function, Unary::Rsqrt | Unary::Log)
}

/// Each number of these functions to a few units in the last place, in both precisions; NaN stays NaN.
#[test]
fn functions_of_numbers_of_every_magnitude() {
    // One that adds is as near as its largest summand is.
    let functions = Unary::ALL.iter().filter(|function| !matches!(function, Unary::Affine { .. }));
    // Lanes of one number, and of four.
    for len in [everywhere().len() - 1, everywhere().len()] {
        let x = &everywhere()[everywhere().len() - len..];
        let graph = Graph::new();
        let input = graph.input("x", Shape::vector(len));
        let outputs: Vec<_> =
            functions.clone().map(|function| (function.name(), input.unary(*function))).collect();
        let step = Step::new("functions", &graph, &outputs, vec![]).unwrap();
        let single: Vec<f32> = x.iter().map(|x| *x as f32).collect();
        let mut right = Reference::<f64>::new(&[], vec![step.clone()]).unwrap();
        right.write_input(0, "x", x).unwrap();
        right.run(&[0]).unwrap();
        let mut check = |device: &str, tolerance: f64, found: &dyn Fn(&str) -> Vec<f64>| {
            for name in functions.clone().map(|function| function.name()) {
                let mut expected = right.read_output(0, name).unwrap();
                if device != "f64" {
                    // What single precision has no number for.
                    expected.iter_mut().for_each(|x| *x = f64::from(*x as f32));
                }
                let worst = Difference::worst_of_each(Part::Value, &found(name), &expected);
                println!("{device} {name}: {worst}");
                assert!(worst.is_within(tolerance), "{device} {name} of {}: {worst}", x[worst.at]);
            }
        };
        let mut cpu = Reference::<f32>::new(&[], vec![step.clone()]).unwrap();
        let mut gpu = support::gpu().executor(&[], std::slice::from_ref(&step)).unwrap();
        let devices: [(&str, &mut dyn Executor); 2] = [("cpu", &mut cpu), ("gpu", &mut gpu)];
        for (device, executor) in devices {
            executor.write_input(0, "x", &single).unwrap();
            executor.run(&[0]).unwrap();
            let executor = RefCell::new(executor);
            let read = |name: &str| {
                executor.borrow_mut().read_output(0, name).unwrap().into_iter().map(f64::from).collect()
            };
            check(device, 1e-6, &read);
        }
        if support::gpu().doubles() {
            let program = lower(&step, &[], support::gpu().target()).unwrap();
            let mut double = GpuExecutor::load_in_double(support::gpu(), &[], vec![program]).unwrap();
            double.write_input(0, "x", x).unwrap();
            double.run(&[0]).unwrap();
            let double = RefCell::new(double);
            check("f64", 1e-13, &|name: &str| double.borrow_mut().read_output(0, name).unwrap());
        }
    }
}

/// Halves go to the even number on every device; what leaves the image, or is NaN, leaves zeros.
#[test]
fn shifts_by_any_number() {
    let (offsets, shape) = (
        [0.5, 1.5, -0.5, -1.5, 2.5, 0.49999997, 1e30, -1e30, 3e9, f64::NAN, f64::NEG_INFINITY],
        Shape([11, 3, 1, 1]),
    );
    let rows: [[f64; 3]; 11] = [
        [1.0, 2.0, 3.0],
        [0.0, 0.0, 1.0],
        [1.0, 2.0, 3.0],
        [3.0, 0.0, 0.0],
        [0.0, 0.0, 1.0],
        [1.0, 2.0, 3.0],
        [0.0; 3],
        [0.0; 3],
        [0.0; 3],
        [0.0; 3],
        [0.0; 3],
    ];
    let graph = Graph::new();
    let x = graph.input("x", shape);
    let y = x.translate(graph.input("offsets", Shape([11, 1, 1, 2]))).unwrap();
    let step = Step::new("shift", &graph, &[("y", y)], vec![]).unwrap();
    let mut cpu = Reference::<f32>::new(&[], vec![step.clone()]).unwrap();
    let mut gpu = support::gpu().executor(&[], &[step]).unwrap();
    let devices: [&mut dyn Executor; 2] = [&mut cpu, &mut gpu];
    for executor in devices {
        executor.write_input(0, "x", &[1.0f32, 2.0, 3.0].repeat(11)).unwrap();
        let offsets: Vec<f32> = offsets.iter().flat_map(|&offset| [offset as f32, 0.0]).collect();
        executor.write_input(0, "offsets", &offsets).unwrap();
        executor.run(&[0]).unwrap();
        let found: Vec<f64> = executor.read_output(0, "y").unwrap().into_iter().map(f64::from).collect();
        assert_eq!(found, rows.concat());
    }
}
