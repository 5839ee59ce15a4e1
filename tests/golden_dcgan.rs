//! Promise: a whole DCGAN iteration of every preset gives what PyTorch gives, in f64; and its tensors have PyTorch's names
//! and shapes. So does one of what helps on small sets. The fixtures are written by tests/golden/make.py and make_recipe.py.

use crate::support::fixtures::{Named, distance, golden, state_values, tensors};
use mewgan::executor::Executor;
use mewgan::graph::StateBuffer;
use mewgan::models::dcgan::networks as dcgan;
use mewgan::models::dcgan::{AVERAGE, DISCRIMINATOR, Dcgan, GENERATOR, Objective};
use mewgan::nn::Norm;
use mewgan::nn::diffaugment::DiffAugmentPolicy;
use mewgan::nn::loss::{Adversarial, R1};
use mewgan::nn::{Network, Parameter, Upsample, torch};
use mewgan::optim::OptimizerState;
use mewgan::optim::{Adam, average_decay};
use mewgan::reference::Reference;
use mewgan::shape::Shape;
use mewgan::train::model::Model;
use std::collections::BTreeMap;

const PRESETS: [&str; 3] = ["seed", "course", "paper"];

/// What the presets differ in, as PRESETS in make.py; `size`, `noise` and the generator's last `width` are free.
fn preset(name: &str, size: usize, noise: usize, width: usize) -> Dcgan {
    let (norm, loss) = match name {
        "course" => (Norm::Instance, Adversarial::Lsgan),
        "paper" => (Norm::Batch, Adversarial::Bce),
        _ => (Norm::Batch, Adversarial::Lsgan),
    };
    let paper = name == "paper";
    let adam = Adam { lr: if paper { 2e-4 } else { 3e-4 }, beta1: 0.5, beta2: 0.999, eps: 1e-8 };
    Dcgan {
        generator: dcgan::Generator { norm, ..generator(size, noise, width) }.network().unwrap(),
        discriminator: dcgan::discriminator(width, size, 3, norm, !paper, if paper { 0.2 } else { 0.0 })
            .unwrap(),
        noise,
        size: size.into(),
        channels: 3,
        objective: Objective {
            loss,
            d_scale: if paper { 1.0 } else { 0.5 },
            g_scale: if name == "seed" { 0.5 } else { 1.0 },
            r1: R1::OFF,
            fresh_noise: !paper,
            average: false,
            scaled: false,
            g_adam: adam,
            d_adam: adam,
            diffaugment: DiffAugmentPolicy::default(),
        },
    }
}

/// A generator without options.
fn generator(size: usize, noise: usize, width: usize) -> dcgan::Generator {
    dcgan::Generator {
        noise,
        width,
        size: size.into(),
        channels: 3,
        norm: Norm::Batch,
        upsample: Upsample::Transposed,
        blocks: 0,
        excite: false,
    }
}

/// What make_recipe.py has: `recipe` and `excite`.
fn recipe(name: &str, size: usize, noise: usize) -> Dcgan {
    let adam = |lr| Adam { lr, beta1: 0.5, beta2: 0.999, eps: 1e-8 };
    let excited = name == "excite";
    let (width, channels) = if excited { (1, 1) } else { (4, 3) };
    let plain = dcgan::Generator { channels, ..generator(size, noise, width) };
    let generator = match excited {
        true => dcgan::Generator { excite: true, ..plain },
        false => dcgan::Generator { upsample: Upsample::Nearest, blocks: 1, ..plain },
    };
    Dcgan {
        generator: generator.network().unwrap(),
        discriminator: dcgan::discriminator(width, size, channels, Norm::Spectral, true, 0.2).unwrap(),
        noise,
        size: size.into(),
        channels,
        objective: Objective {
            loss: Adversarial::Hinge,
            d_scale: 1.0,
            g_scale: 1.0,
            r1: R1 { weight: 3.0, every: 2 },
            fresh_noise: true,
            average: true,
            scaled: false,
            g_adam: adam(1e-4),
            d_adam: adam(4e-4),
            diffaugment: DiffAugmentPolicy::default(),
        },
    }
}

/// Rounding over some twenty layers there and back, in f64: a few thousand times the unit in the last place.
const ITERATION_TOLERANCE: f64 = 1e-12;

struct Iteration {
    preset: &'static str,
    fixture: Named<f64>,
    buffers: Vec<StateBuffer>,
    executor: Reference<f64>,
}

impl Iteration {
    /// Both networks' parameters and running statistics, as state buffer index, tensors.
    fn state(network: &Network, of: OptimizerState) -> [(usize, Vec<Parameter>); 2] {
        [(of.parameters, network.parameters()), (of.running, network.running())]
    }

    fn start(&mut self, networks: &[(&Network, OptimizerState)]) {
        for &(network, of) in networks {
            for (buffer, tensors) in Self::state(network, of) {
                let prefix = format!("before.{}", network.name);
                let values = state_values(&self.buffers[buffer], &tensors, &prefix, &self.fixture);
                self.executor.write_state(buffer, &values).unwrap();
            }
        }
    }

    fn step(&mut self, step: usize, noise: &str, rates: [f64; 2], losses: &[&str]) {
        let noise = self.fixture[noise].values.clone();
        self.executor.write_input(step, "noise", &noise).unwrap();
        self.executor.write_input(step, "rates", &rates).unwrap();
        self.executor.run(&[step]).unwrap();
        for loss in losses {
            let found = self.executor.read_output(step, loss).unwrap();
            self.compare(&format!("loss.{loss}"), &found, &self.fixture[&format!("loss.{loss}")].values);
        }
    }

    /// Compares a whole state buffer, tensor by tensor, with the fixture's entries under `prefix`.
    fn check(&mut self, buffer: usize, tensors: &[Parameter], prefix: &str) {
        let found = self.executor.read_state(buffer).unwrap();
        let expected = state_values(&self.buffers[buffer], tensors, prefix, &self.fixture);
        for (index, tensor) in tensors.iter().enumerate() {
            let layout = &self.buffers[buffer];
            let label = format!("{prefix}.{}", tensor.module);
            self.compare(&label, layout.view(&found, index), layout.view(&expected, index));
        }
    }

    fn compare(&self, label: &str, found: &[f64], expected: &[f64]) {
        let distance = distance(found, expected);
        assert!(!expected.is_empty());
        assert!(distance < ITERATION_TOLERANCE, "{}: {label} differs by {distance:.1e}", self.preset);
    }
}

#[test]
fn an_iteration_of_dcgan_gives_what_pytorch_gives() {
    for preset_name in [&PRESETS[..], &["recipe", "excite"]].concat() {
        let fixture = tensors(&golden(&format!("dcgan_{preset_name}.safetensors")));
        let real = &fixture["real"];
        let [batch, channels, size, _] = real.shape[..] else { panic!("images have 4 axes") };
        let noise = fixture["noise_d"].shape[1];
        let is_recipe = !PRESETS.contains(&preset_name);
        let dcgan = match is_recipe {
            true => recipe(preset_name, size, noise),
            false => preset(preset_name, size, noise, 4),
        };
        let discriminator_step = match is_recipe {
            true => dcgan.penalized_discriminator_step(batch),
            false => dcgan.discriminator_step(batch),
        };
        let steps = vec![discriminator_step.unwrap(), dcgan.generator_step(batch).unwrap()];
        let images = torch::image_from_torch(&real.values, Shape([batch, size, size, channels]));
        let generator_noise = if dcgan.objective.fresh_noise { "noise_g" } else { "noise_d" };

        let networks = [(&dcgan.generator, GENERATOR), (&dcgan.discriminator, DISCRIMINATOR)];
        let buffers = dcgan.buffers();
        let executor = Reference::new(&buffers, steps).unwrap();
        let mut iteration = Iteration { preset: preset_name, fixture, buffers, executor };
        iteration.start(&networks);
        iteration.executor.write_input(0, "real", &images).unwrap();
        iteration.step(0, "noise_d", dcgan.objective.d_adam.rates(1), &["D_real", "D_fake", "D"]);
        if is_recipe {
            let found = iteration.executor.read_output(0, "R1").unwrap();
            iteration.compare("loss.R1", &found, &iteration.fixture["loss.R1"].values);
            let before = iteration.executor.read_state(GENERATOR.parameters).unwrap();
            iteration.executor.write_state(AVERAGE, &before).unwrap();
            iteration.executor.write_input(1, "decay", &[average_decay(0.999, 1)]).unwrap();
        }
        iteration.step(1, generator_noise, dcgan.objective.g_adam.rates(1), &["G"]);
        for (network, of) in networks {
            iteration.check(of.gradients, &network.parameters(), &format!("grad.{}", network.name));
            for (buffer, tensors) in Iteration::state(network, of) {
                iteration.check(buffer, &tensors, &format!("after.{}", network.name));
            }
        }
        if is_recipe {
            iteration.check(AVERAGE, &dcgan.generator.parameters(), "average.generator");
        }
    }
}

#[test]
fn networks_name_and_shape_their_tensors_as_pytorch_does() {
    let text = std::fs::read_to_string(golden("names.json")).unwrap();
    let names: serde_json::Value = serde_json::from_str(&text).unwrap();
    for (preset_name, width) in PRESETS.into_iter().zip([16, 32, 64]) {
        let dcgan = preset(preset_name, 64, 100, width);
        for network in [&dcgan.generator, &dcgan.discriminator] {
            let described = &names[preset_name][&network.name];
            assert_eq!(described["parameters"], network.parameter_count(), "{preset_name} {}", network.name);
            let expected: BTreeMap<String, Vec<usize>> = described["tensors"]
                .as_array()
                .unwrap()
                .iter()
                .map(|tensor| {
                    let shape = serde_json::from_value(tensor["shape"].clone()).unwrap();
                    (tensor["name"].as_str().unwrap().to_owned(), shape)
                })
                .collect();
            let tensors = [network.parameters(), network.running()].concat();
            let found: BTreeMap<String, Vec<usize>> =
                tensors.iter().flat_map(Parameter::torch_entries).collect();
            assert_eq!(found, expected, "{preset_name} {}", network.name);
        }
    }
}
