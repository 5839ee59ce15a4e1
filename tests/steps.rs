//! Promise: whole training steps give the same on every device, to rounding; and on one device the same bits, always.

#[path = "support/networks.rs"]
mod networks;
mod support;

use mewgpu::executor::Executor;
use mewgpu::graph::Step;
use mewgpu::random::stream;
use mewgpu::reference::Reference;
use mewgpu::train::dcgan_steps::{DISCRIMINATOR, Dcgan, GENERATOR};
use rand::RngExt;

const BATCH: usize = 4;

fn draw(len: usize, purpose: &str, step: u64) -> Vec<f32> {
    let mut rng = stream(1, purpose, step);
    (0..len).map(|_| rng.random_range(-1.0f32..1.0)).collect()
}

fn steps(model: &Dcgan) -> Vec<Step> {
    vec![model.discriminator_step(BATCH).unwrap(), model.generator_step(BATCH).unwrap()]
}

/// Three iterations from the same start; the losses of each, and every bank in the end.
fn train(model: &Dcgan, executor: &mut dyn Executor) -> (Vec<f32>, Vec<Vec<f32>>) {
    for (bank, numbers) in networks::initial(model) {
        executor.write_bank(bank, &numbers).unwrap();
    }
    let mut losses = Vec::new();
    for t in 1..=3 {
        for (index, step) in steps(model).iter().enumerate() {
            for (_, name, shape) in step.inputs() {
                let mut values = draw(shape.len(), &name[..name.len().min(16)], 2 * t + index as u64);
                if name == "rates" {
                    values = model.objective.g_adam.rates(t).map(|rate| rate as f32).to_vec();
                } else if name.ends_with("shift") {
                    values.iter_mut().for_each(|value| *value = (*value * 2.0).round());
                }
                executor.write_input(index, name, &values).unwrap();
            }
        }
        executor.run(&[0, 1]).unwrap();
        losses.extend(executor.read_output(0, "D").unwrap());
        losses.extend(executor.read_output(1, "G").unwrap());
    }
    let banks = (0..model.banks().len()).map(|bank| executor.read_bank(bank).unwrap()).collect();
    (losses, banks)
}

#[test]
fn devices_agree() {
    for (preset, model) in networks::dcgans(16, 8, 3) {
        let (expected, expected_banks) =
            train(&model, &mut Reference::<f32>::new(&model.banks(), steps(&model)));
        for (variant, gpu) in support::variants() {
            let mut executor = gpu.executor(&model.banks(), &steps(&model)).unwrap();
            let (losses, banks) = train(&model, &mut executor);
            for (loss, expected) in losses.iter().zip(&expected) {
                assert!(
                    (loss - expected).abs() <= 1e-4 * expected.abs(),
                    "{preset} {variant}: {losses:?}, expected {expected:?}"
                );
            }
            // Adam divides a gradient by its own size: where that is all rounding, one step may go either way, so a
            // parameter is bound to the length of its steps, and nearly all to much less.
            for bank in [GENERATOR.parameters, DISCRIMINATOR.parameters] {
                let errors = banks[bank].iter().zip(&expected_banks[bank]).map(|(a, b)| (a - b).abs());
                let far = errors.clone().filter(|error| *error > 1e-5).count();
                assert!(errors.fold(0.0, f32::max) <= 2.0 * 3.0 * 3e-4, "{preset} {variant}");
                assert!(far * 50 <= banks[bank].len(), "{preset} {variant}: {far} of {}", banks[bank].len());
            }
        }
    }
}

#[test]
fn the_same_bits_every_time() {
    for (preset, model) in networks::dcgans(16, 4, 3) {
        for (variant, gpu) in support::variants() {
            let run = || train(&model, &mut gpu.executor(&model.banks(), &steps(&model)).unwrap());
            assert!(run() == run(), "{preset} {variant}");
        }
        let run = || train(&model, &mut Reference::<f32>::new(&model.banks(), steps(&model)));
        assert!(run() == run(), "{preset} cpu");
    }
}

/// What the first line of a run promises: the bytes an executor holds are known when it is made, and stay.
#[test]
fn memory_is_known_and_constant() {
    let (_, model) = networks::dcgans(16, 4, 3).remove(0);
    let mut executor = support::gpu().executor(&model.banks(), &steps(&model)).unwrap();
    let before = executor.bytes();
    train(&model, &mut executor);
    assert!(before > 0);
    assert_eq!(executor.bytes(), before);
}
