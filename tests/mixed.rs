//! Promise: mixed precision rounds what convolutions multiply, the same on every device, and nothing else; and losses are scaled so that
//! gradients neither vanish nor overflow by it.

use crate::support;
use crate::support::runs::{run_until, tiny};
use mewgan::device::Device;
use mewgan::executor::Executor;
use mewgan::gpu::lower::{Contraction, Form, Kind, Matrix, MatrixUnits, Target, candidates, lower};
use mewgan::gpu::tune::Table;
use mewgan::gradcheck::variants::tables;
use mewgan::gradcheck::{self, check};
use mewgan::graph::loss_scale::{INITIAL, SCALE, UPDATES};
use mewgan::graph::{Graph, Slot, StateBuffer, Step};
use mewgan::kernels::{Language, translate};
use mewgan::models::dcgan::{DcganConfig, DcganSettings, Trainer};
use mewgan::optim::{Adam, OptimizerState};
use mewgan::real::Precision;
use mewgan::shape::{ConvOptions, Shape};
use mewgan::train::config::{CommonSettings, RunConfig};
use mewgan::train::run::Outcome;
use tempfile::tempdir;

fn devices() -> [Device; 2] {
    ["cpu", "gpu"].map(|device| Device::open(device).unwrap().with_precision(Precision::Mixed).unwrap())
}

#[test]
fn every_kernel_computes_what_the_reference_does() {
    for device in devices() {
        let report = check(&device, &gradcheck::exact(), &|_, _, _| ()).unwrap();
        assert!(report.passed(), "{report}");
    }
}

/// Of the operands what f16 does not hold, of the sum nothing.
#[test]
fn operands_are_rounded_and_sums_are_not() {
    let graph = Graph::new();
    let [x, w] = [[1, 1, 1, 4], [1, 1, 4, 4]].map(Shape);
    let y = graph.input("x", x).conv2d(graph.input("w", w), ConvOptions::new(1, 0)).unwrap();
    let step = Step::new("step", &graph, &[("y", y)], vec![]).unwrap();
    let small = 2f32.powi(-24);
    // Ties go to the even, also among the numbers without all their digits; what is too large is infinite.
    let rounded =
        [(1.0 + 2f32.powi(-11), 1.0), (1.0 + 3.0 * 2f32.powi(-11), 1.0 + 2f32.powi(-9)), (2049.0, 2048.0)];
    let tiny =
        [(0.5 * small, 0.0), (1.5 * small, 2.0 * small), (2f32.powi(-14) - 0.25 * small, 2f32.powi(-14))];
    let large = [(65_519.0, 65_504.0), (65_520.0, f32::INFINITY), (-1e9, f32::NEG_INFINITY)];
    for device in devices() {
        let mut executor = device.executor(&[], vec![step.clone()]).unwrap();
        // The first input channel's weights are `first`, those of the others 1.
        let mut conv = |x: [f32; 4], first: f32| {
            let w: Vec<f32> = (0..16).map(|at| if at < 4 { first } else { 1.0 }).collect();
            executor.write_input(0, "x", &x).unwrap();
            executor.write_input(0, "w", &w).unwrap();
            executor.run(&[0]).unwrap();
            executor.read_output(0, "y").unwrap()
        };
        for (number, nearest) in rounded.into_iter().chain(tiny).chain(large) {
            assert_eq!(conv([number, 0.0, 0.0, 0.0], 1.0), [nearest; 4], "{number} {}", device.describe());
            assert_eq!(conv([1.0, 0.0, 0.0, 0.0], number), [nearest; 4], "{number} {}", device.describe());
        }
        let sum = 2048.0 + 0.125 + 2f32.powi(-8);
        assert_eq!(conv([2048.0, 0.125, 2f32.powi(-8), 0.0], 1.0), [sum; 4], "{}", device.describe());
    }
}

/// A loss whose gradient to a convolution's result is the scale: at first more than f16 holds.
#[test]
fn an_update_with_an_overflow_is_left_out_and_the_scale_halved() {
    let of = OptimizerState::starting_at(0).scaled(Some(OptimizerState::COUNT));
    let mut parameters = StateBuffer::default();
    parameters.push("w", Shape([1, 1, 4, 4]));
    let mut buffers = vec![parameters; OptimizerState::COUNT];
    buffers[of.running] = StateBuffer::default();
    buffers.push(StateBuffer::loss_scale());
    let graph = Graph::new();
    let w = graph.state(Slot { buffer: 0, offset: 0 }, Shape([1, 1, 4, 4]));
    let x = graph.input("x", Shape([1, 1, 1, 4]));
    let loss = x.conv2d(w, ConvOptions::new(1, 0)).unwrap().sum();
    let adam = Adam { lr: 0.5, ..Adam::default() };
    let updates = of.minimize(loss, None, &[w], &buffers, adam).unwrap();
    let step = Step::new("step", &graph, &[("loss", loss)], updates).unwrap();
    for device in devices() {
        let mut executor = device.executor(&buffers, vec![step.clone()]).unwrap();
        let mut scale = vec![0.0; buffers[5].len];
        buffers[5].view_mut(&mut scale, SCALE).fill(INITIAL);
        executor.write_state(5, &scale).unwrap();
        executor.write_state(0, &[0.25; 64]).unwrap();
        executor.write_input(0, "x", &[1.0, 2.0, 3.0, 4.0]).unwrap();
        let rates = adam.rates(1).map(|rate| rate as f32);
        executor.write_input(0, "rates", &rates).unwrap();
        let state = |executor: &mut dyn Executor| {
            executor.run(&[0]).unwrap();
            assert_eq!(executor.non_finite().unwrap(), None);
            [of.parameters, of.gradients, 2, 5].map(|buffer| executor.read_state(buffer).unwrap())
        };
        let [weights, gradients, first, scale] = state(&mut *executor);
        assert_eq!(buffers[5].view(&scale, SCALE), [0.5 * INITIAL]);
        assert_eq!(
            (&weights[..16], &gradients[..16], &first[..16]),
            (&[0.25; 16][..], &[0.0; 16][..], &[0.0; 16][..])
        );
        let [weights, gradients, first, scale] = state(&mut *executor);
        assert_eq!([SCALE, UPDATES].map(|at| buffers[5].view(&scale, at)[0]), [0.5 * INITIAL, 1.0]);
        for row in 0..4 {
            assert_eq!(gradients[4 * row..][..4], [row as f32 + 1.0; 4], "{}", device.describe());
        }
        assert!(first[0] > 0.0 && weights[..16].iter().all(|w| (w + 0.25).abs() < 1e-6), "{weights:?}");
    }
}

fn settings(device: &str, precision: Precision) -> DcganSettings {
    let own = tiny(device);
    DcganSettings {
        common: CommonSettings { steps: Some(4), precision: Some(precision), ..own.common },
        ..own
    }
}

#[test]
fn a_run_keeps_its_precision_its_scales_and_its_kernels() {
    for device in ["cpu", "gpu"] {
        let folder = tempdir().unwrap();
        let out = folder.path().join("run");
        let config = DcganConfig::new(DcganSettings::default(), settings(device, Precision::Mixed)).unwrap();
        assert_eq!(run_until(Trainer::start(config, Some(&out)).unwrap(), 2), Outcome::Stopped);
        let bytes = std::fs::read(out.join("checkpoints/000002.safetensors")).unwrap();
        let tensors = safetensors::SafeTensors::deserialize(&bytes).unwrap();
        for network in ["generator", "discriminator"] {
            let number = |what: &str| {
                let tensor = tensors.tensor(&format!("optimizer.{what}.{network}")).unwrap();
                f32::from_le_bytes(tensor.data().try_into().unwrap())
            };
            let (scale, updates) = (number("loss_scale"), number("loss_scale_updates"));
            assert!(scale.log2().fract() == 0.0 && (1.0..=INITIAL).contains(&scale), "{scale}");
            assert!((0.0..=2.0).contains(&updates), "{updates}");
        }
        let to_single = CommonSettings { precision: Some(Precision::F32), ..Default::default() };
        let resumed = Trainer::resume(&out, DcganSettings { common: to_single, ..Default::default() });
        let error = resumed.err().unwrap().to_string();
        assert!(error.contains("precision is mixed in this run and cannot become f32"), "{error}");
        if device == "gpu" {
            let table = Table::read(&out.join("kernels.json")).unwrap().unwrap();
            let gpu = support::gpu();
            assert!(!table.is_of(&gpu) && table.is_of(&gpu.with_precision(Precision::Mixed).unwrap()));
        }
        let trainer = Trainer::resume(&out, DcganSettings::default()).unwrap();
        assert_eq!(run_until(trainer, u64::MAX), Outcome::Finished);
    }
}

/// Matrix units of either size, of GPUs whose subgroups are of one size and of two.
const UNITS: [MatrixUnits; 4] = [
    MatrixUnits { size: 16, subgroup: [32, 32] },
    MatrixUnits { size: 16, subgroup: [32, 64] },
    MatrixUnits { size: 8, subgroup: [32, 32] },
    MatrixUnits { size: 8, subgroup: [8, 8] },
];

fn with(matrix: MatrixUnits) -> Target {
    let (precision, matrix) = (Precision::Mixed, Some(matrix));
    Target { workgroup_bytes: 32 << 10, precision, matrix, ..Target::GPU }
}

/// `make gpu-lab` runs them; here naga makes of them what drivers with such units take.
#[test]
fn every_kernel_for_matrix_units_is_valid_and_part_of_a_case() {
    for units in UNITS {
        let target = with(units);
        let mut tried = Vec::new();
        for case in gradcheck::exact().into_iter().filter(|case| case.every_kernel) {
            let trial = case.trial().unwrap();
            for choices in tables(&trial.step, &target) {
                let target = Target { choices, ..target.clone() };
                let program = lower(&trial.step, &[], &target).unwrap();
                let forms = target
                    .choices
                    .contractions()
                    .filter_map(|of| Some((of.kind, target.choices.get(&of)?.form)));
                let new: Vec<_> = forms.filter(|form| !tried.contains(form)).collect();
                for pipeline in (0..program.pipelines.len()).filter(|_| !new.is_empty()) {
                    let text = program.standalone(pipeline);
                    translate(&case.title(), &text, Language::Msl).unwrap();
                    #[cfg(feature = "listing")]
                    translate(&case.title(), &text, Language::Spirv).unwrap();
                }
                tried.extend(new);
            }
        }
        for kind in [Kind::Conv2d, Kind::ConvTranspose2d, Kind::WeightGrad] {
            for matrix in Matrix::all(units).into_iter().filter(|of| of.bytes() <= target.workgroup_bytes) {
                assert!(tried.contains(&(kind, Form::Matrix(matrix))), "{kind:?} {matrix:?}");
            }
        }
    }
}

/// Where there are such units they are taken unless something else was measured to be faster; in single precision never.
#[test]
fn matrix_units_are_for_mixed_precision() {
    let graph = Graph::new();
    let [x, w] =
        [("x", [16, 32, 32, 64]), ("w", [3, 3, 64, 64])].map(|(name, shape)| graph.input(name, Shape(shape)));
    let y = x.conv2d(w, ConvOptions::new(1, 1)).unwrap();
    let step = Step::new("step", &graph, &[("y", y)], vec![]).unwrap();
    let of = Contraction::all(&[step])[0];
    let is_matrix = |form: Form| matches!(form, Form::Matrix(_));
    let mixed = candidates(&of, &with(UNITS[0]));
    assert!(is_matrix(mixed[0].form) && mixed.iter().any(|variant| !is_matrix(variant.form)));
    let single = Target { precision: Precision::F32, ..with(UNITS[0]) };
    assert!(!candidates(&of, &single).into_iter().any(|variant| is_matrix(variant.form)));
}
