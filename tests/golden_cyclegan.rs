//! Promise: a whole CycleGAN iteration of every preset, in its own order of updates, gives what PyTorch gives, in f64. The
//! fixtures are written by tests/golden/make_cyclegan.py, and that of what helps on small sets by make_recipe.py.

use crate::support::fixtures::{Named, distance, golden, state_values, tensors};
use mewgan::executor::Executor;
use mewgan::graph::{StateBuffer, Step};
use mewgan::models::cyclegan::networks::{self as cyclegan, Translator};
use mewgan::models::cyclegan::{CycleGan, CycleLoss, CycleObjective, DISCRIMINATORS, GENERATORS, Updates};
use mewgan::models::dcgan::networks as dcgan;
use mewgan::nn::Norm;
use mewgan::nn::diffaugment::DiffAugmentPolicy;
use mewgan::nn::loss::{Adversarial, R1};
use mewgan::nn::{Network, Parameter, Upsample, torch};
use mewgan::optim::Adam;
use mewgan::reference::Reference;
use mewgan::shape::Shape;
use mewgan::train::model::Model;

/// Rounding over some forty layers there and back, in f64: some thousand units in the last place of the largest number.
const TOLERANCE: f64 = 1e-11;

/// The fixtures' networks; `size`, `width` and `blocks` are theirs.
fn model(preset: &str, size: usize, width: usize, blocks: usize, batch: usize) -> CycleGan {
    let paper = preset == "paper";
    let norm = if preset == "seed" { Norm::Batch } else { Norm::Instance };
    let (kind, upsample) = match preset {
        "seed" => (Translator::Plain, Upsample::Transposed),
        "course" | "recipe" | "scales" => (Translator::Plain, Upsample::Nearest),
        _ => (Translator::Resnet, Upsample::Transposed),
    };
    let generator =
        |name| cyclegan::generator(name, kind, width, blocks, [3; 2], norm, upsample).expect("valid");
    let small = matches!(preset, "recipe" | "scales");
    let discriminator = |name: &str| match preset {
        "seed" => Network {
            name: name.into(),
            ..dcgan::discriminator(width, size, 3, norm, true, 0.0).expect("valid")
        },
        "course" => cyclegan::patch_discriminator(name, width, 3, norm, 0.0),
        "scales" => cyclegan::patch_discriminator(name, width, 3, Norm::Spectral, 0.0),
        "recipe" => cyclegan::patch70_discriminator(name, width, 3, Norm::Spectral, 0.2),
        _ => cyclegan::patch70_discriminator(name, width, 3, norm, 0.2),
    };
    let adam = Adam { lr: if paper { 2e-4 } else { 3e-4 }, beta1: 0.5, beta2: 0.999, eps: 1e-8 };
    CycleGan {
        generators: ["G_XtoY", "G_YtoX"].map(generator),
        discriminators: ["D_X", "D_Y"].map(|name| match preset {
            "scales" => [0, 1].map(|scale| discriminator(&format!("{name}.{scale}"))).into(),
            _ => vec![discriminator(name)],
        }),
        size: size.into(),
        channels: [3; 2],
        batch,
        objective: CycleObjective {
            loss: if small { Adversarial::Hinge } else { Adversarial::Lsgan },
            d_scale: if paper { 0.5 } else { 1.0 },
            r1: if small { R1 { weight: 3.0, every: 1 } } else { R1::OFF },
            g_scale: if preset == "seed" { 0.5 } else { 1.0 },
            cycle: if preset == "seed" { CycleLoss::Mse } else { CycleLoss::L1 },
            lambda_cycle: 10.0,
            lambda_identity: if paper { 5.0 } else { 0.0 },
            updates: match preset {
                "seed" => Updates::Apart,
                "course" | "recipe" | "scales" => Updates::DiscriminatorsFirst,
                _ => Updates::GeneratorsFirst,
            },
            pool: 0,
            average: false,
            scaled: false,
            g_adam: adam,
            d_adam: adam,
            diffaugment: DiffAugmentPolicy::default(),
        },
    }
}

/// The fixtures' names for the steps of an iteration, in order, and how often the step's optimizer has stepped by then.
fn steps(updates: Updates) -> Vec<(&'static str, u64)> {
    match updates {
        Updates::Apart => vec![("d_real", 1), ("d_fake", 2), ("g_yxy", 1), ("g_xyx", 2)],
        Updates::DiscriminatorsFirst => vec![("d", 1), ("g", 1)],
        Updates::GeneratorsFirst => vec![("g", 1), ("d", 1)],
    }
}

/// The numbers of a state buffer that holds all `networks`' tensors, from the fixture's entries under `prefix`.
fn joined(
    buffer: &StateBuffer,
    networks: &[&Network],
    tensors: fn(&Network) -> Vec<Parameter>,
    prefix: &str,
    fixture: &Named<f64>,
) -> Vec<f64> {
    let mut values = vec![0.0; buffer.len];
    let mut at = 0;
    for network in networks {
        let tensors = tensors(network);
        let mut own = StateBuffer::default();
        tensors.iter().for_each(|tensor| network.push(&mut own, tensor));
        let numbers = state_values(&own, &tensors, &format!("{prefix}.{}", network.name), fixture);
        values[at..at + own.len].copy_from_slice(&numbers);
        at += own.len;
    }
    values
}

#[test]
fn an_iteration_of_cyclegan_gives_what_pytorch_gives() {
    for (preset, width, blocks) in
        [("seed", 3, 1), ("course", 4, 3), ("paper", 2, 2), ("recipe", 2, 1), ("scales", 2, 1)]
    {
        let fixture = tensors(&golden(&format!("cyclegan_{preset}.safetensors")));
        let [batch, _, size, _] = fixture["x"].shape[..] else { panic!("images have 4 axes") };
        let model = model(preset, size, width, blocks, batch);
        let buffers = model.buffers();
        let programs: Vec<Step> = model.steps(batch).unwrap();
        let mut executor = Reference::<f64>::new(&buffers, programs.clone()).unwrap();
        let trained =
            [(GENERATORS, model.generators.iter().collect()), (DISCRIMINATORS, model.all_discriminators())];
        for (of, networks) in &trained {
            let parameters =
                joined(&buffers[of.parameters], networks, Network::parameters, "before", &fixture);
            executor.write_state(of.parameters, &parameters).unwrap();
            let running = joined(&buffers[of.running], networks, Network::running, "before", &fixture);
            executor.write_state(of.running, &running).unwrap();
        }
        let check = |label: &str, found: &[f64], expected: &[f64], floor: f64| {
            let largest = expected.iter().fold(floor, |largest, x| largest.max(x.abs()));
            let difference: Vec<f64> = found.iter().zip(expected).map(|(a, b)| a - b).collect();
            let worst = difference.iter().fold(0.0f64, |worst, x| worst.max(x.abs()));
            assert!(
                worst <= TOLERANCE * largest && !difference.iter().any(|x| x.is_nan()),
                "{preset}: {label} differs by {worst:.1e} of {largest:.1e}"
            );
        };
        for (index, ((name, update), program)) in
            steps(model.objective.updates).iter().zip(&programs).enumerate()
        {
            for (_, input, shape) in program.inputs() {
                let values = match input {
                    "rates" => model.objective.g_adam.rates(*update).to_vec(),
                    image => torch::image_from_torch(
                        &fixture[image].values,
                        Shape([batch, size, size, shape.channels()]),
                    ),
                };
                executor.write_input(index, input, &values).unwrap();
            }
            executor.run(&[index]).unwrap();
            let is_loss = |output: &&String| !output.starts_with("errors");
            for output in program.outputs.iter().map(|(output, _)| output).filter(is_loss) {
                let found = executor.read_output(index, output).unwrap();
                check(output, &found, &fixture[&format!("loss.{output}")].values, 0.0);
            }
            let (of, networks) = &trained[usize::from(name.starts_with('d'))];
            let found = executor.read_state(of.gradients).unwrap();
            let prefix = format!("grad.{name}");
            let expected = joined(&buffers[of.gradients], networks, Network::parameters, &prefix, &fixture);
            // A bias in front of an instance norm has no gradient but rounding: all is held to the largest gradient.
            check(&prefix, &found, &expected, 0.0);
        }
        for (of, networks) in &trained {
            let running = executor.read_state(of.running).unwrap();
            let expected = joined(&buffers[of.running], networks, Network::running, "after", &fixture);
            assert!(distance(&running, &expected) <= TOLERANCE, "{preset}: running statistics");
            // Adam makes steps of its learning rate out of rounding where a gradient is nothing else.
            let found = executor.read_state(of.parameters).unwrap();
            let gradients = executor.read_state(of.gradients).unwrap();
            let expected = joined(&buffers[of.parameters], networks, Network::parameters, "after", &fixture);
            let significant = |numbers: &[f64]| -> Vec<f64> {
                numbers.iter().zip(&gradients).filter(|(_, g)| g.abs() > 1e-9).map(|(x, _)| *x).collect()
            };
            check("after", &significant(&found), &significant(&expected), 0.0);
        }
    }
}
