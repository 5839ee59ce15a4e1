//! Promise: operations, their gradients and whole training iterations give what PyTorch gives. The fixtures, all in
//! f64 and drawn from numbers that f32 holds exactly, are written by tests/golden/make.py.

mod support;

use mewgpu::executor::Executor;
use mewgpu::graph::{Bank, Step};
use mewgpu::nn::dcgan::{self, Norm};
use mewgpu::nn::diffaugment::DiffAugmentPolicy;
use mewgpu::nn::loss::Adversarial;
use mewgpu::nn::{Network, Parameter, torch};
use mewgpu::op::{self, OpRequest, Tensor, Tensors};
use mewgpu::optim::Adam;
use mewgpu::reference::{Real, Reference};
use mewgpu::shape::Shape;
use mewgpu::train::dcgan_steps::{DISCRIMINATOR, Dcgan, GENERATOR, Objective};
use mewgpu::train::optimizer::TrainedBanks;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

type Named<T> = BTreeMap<String, Tensor<T>>;

fn golden(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden").join(name)
}

fn tensors(path: &Path) -> Named<f64> {
    match op::read(path).unwrap() {
        Tensors::F64(tensors) => tensors,
        Tensors::F32(_) => panic!("{}: fixtures are float64", path.display()),
    }
}

/// The largest difference, as a share of the largest number expected: sums that cancel are not held to more digits
/// than their summands have.
fn distance(found: &[f64], expected: &[f64]) -> f64 {
    assert_eq!(found.len(), expected.len());
    let largest = expected.iter().fold(f64::MIN_POSITIVE, |largest, x| largest.max(x.abs()));
    let apart = found.iter().zip(expected).map(|(a, b)| (a - b).abs());
    // Unlike f64::max, this keeps a NaN.
    apart.fold(0.0, |worst: f64, x| if worst >= x || worst.is_nan() { worst } else { x }) / largest
}

// Operations

/// Somewhere an operation runs, and how exactly.
struct Device {
    name: &'static str,
    /// What rounding may change, see [`distance`]. Every result is a short chain of sums of at most a few hundred
    /// products, each of which may be off by a few units in the last place (2^-53 or 2^-24).
    tolerance: f64,
    run: fn(&OpRequest, &Named<f64>) -> mewgpu::Result<Named<f64>>,
}

const DEVICES: [Device; 4] = [
    Device { name: "reference f64", tolerance: 1e-13, run: on_reference::<f64> },
    Device { name: "reference f32", tolerance: 2e-6, run: on_reference::<f32> },
    Device { name: "GPU, tiled", tolerance: 4e-6, run: |request, inputs| on_gpu(0, request, inputs) },
    Device { name: "GPU, direct", tolerance: 4e-6, run: |request, inputs| on_gpu(1, request, inputs) },
];

fn on_reference<T: Real + Default + 'static>(
    request: &OpRequest,
    inputs: &Named<f64>,
) -> mewgpu::Result<Named<f64>> {
    let results = op::run(request, convert(inputs, T::of), |banks: &[Bank], steps: Vec<Step>| {
        Ok(Box::new(Reference::new(banks, steps)) as Box<dyn Executor<T>>)
    })?;
    Ok(convert(&results, T::wide))
}

fn on_gpu(variant: usize, request: &OpRequest, inputs: &Named<f64>) -> mewgpu::Result<Named<f64>> {
    let (_, gpu) = &support::variants()[variant];
    let results = op::run(request, convert(inputs, |x| x as f32), |banks: &[Bank], steps: Vec<Step>| {
        Ok(Box::new(gpu.executor(banks, &steps)?) as Box<dyn Executor>)
    })?;
    Ok(convert(&results, f64::from))
}

fn convert<A: Copy, B>(tensors: &Named<A>, number: impl Fn(A) -> B) -> Named<B> {
    let tensor = |tensor: &Tensor<A>| Tensor {
        shape: tensor.shape.clone(),
        values: tensor.values.iter().map(|&x| number(x)).collect(),
    };
    tensors.iter().map(|(name, t)| (name.clone(), tensor(t))).collect()
}

/// The operation a fixture's metadata tells.
fn request(path: &Path) -> OpRequest {
    let bytes = std::fs::read(path).unwrap();
    let (_, header) = safetensors::SafeTensors::read_metadata(&bytes).unwrap();
    let metadata = header.metadata().as_ref().unwrap();
    let mut request = OpRequest::new(&metadata["op"]);
    let flags: serde_json::Map<String, serde_json::Value> = serde_json::from_str(&metadata["flags"]).unwrap();
    for (flag, value) in flags {
        let number = || value.as_f64().unwrap();
        let list = || -> Vec<usize> { serde_json::from_value(value.clone()).unwrap() };
        match flag.as_str() {
            "stride" => request.stride = list().try_into().unwrap(),
            "padding" | "pad" => request.padding = list(),
            "output_padding" => request.output_padding = list().try_into().unwrap(),
            "eps" => request.eps = number(),
            "momentum" => request.momentum = number(),
            "slope" => request.slope = number(),
            "scale" => request.scale = list().try_into().unwrap(),
            _ => panic!("{}: unknown flag {flag}", path.display()),
        }
    }
    request
}

/// By how much a norm enlarges rounding errors of its input: the largest number over the smallest spread about a
/// channel's mean, since only the spread survives.
fn conditioning(request: &OpRequest, x: &Tensor<f64>) -> f64 {
    if !request.name.contains("norm") || request.name == "batch_norm_eval" {
        return 1.0;
    }
    let largest = x.values.iter().fold(0.0_f64, |largest, x| largest.max(x.abs()));
    let (pictures, channels) = (x.shape[0], x.shape[1]);
    let pixels = x.shape[2] * x.shape[3];
    let plane = |n: usize, c: usize| &x.values[(n * channels + c) * pixels..][..pixels];
    let groups: Vec<Vec<f64>> = if request.name == "instance_norm" {
        (0..pictures * channels).map(|i| plane(i / channels, i % channels).to_vec()).collect()
    } else {
        (0..channels).map(|c| (0..pictures).flat_map(|n| plane(n, c).to_vec()).collect()).collect()
    };
    let deviation = |group: &Vec<f64>| {
        let mean = group.iter().sum::<f64>() / group.len() as f64;
        (group.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / group.len() as f64).sqrt()
    };
    largest / groups.iter().map(deviation).fold(f64::INFINITY, f64::min)
}

#[test]
fn operations_and_their_gradients_give_what_pytorch_gives() {
    let mut seen = BTreeSet::new();
    let mut failures = Vec::new();
    for entry in std::fs::read_dir(golden("ops")).unwrap() {
        let path = entry.unwrap().path();
        let request = request(&path);
        let mut inputs = tensors(&path);
        let given = ["x", "w", "b", "rm", "rv", "gy"];
        let mut expected: Named<f64> = BTreeMap::new();
        for name in inputs.keys().cloned().collect::<Vec<_>>() {
            if !given.contains(&name.as_str()) {
                let tensor = inputs.remove(&name).unwrap();
                expected.insert(name.trim_end_matches("_after").to_owned(), tensor);
            }
        }
        let slack = conditioning(&request, &inputs["x"]);
        for device in &DEVICES {
            let label = format!("{} on {}", path.file_stem().unwrap().display(), device.name);
            let found = (device.run)(&request, &inputs).unwrap_or_else(|error| panic!("{label}: {error}"));
            assert!(found.keys().eq(expected.keys()), "{label}: {:?}", found.keys());
            for (name, expected) in &expected {
                assert_eq!(found[name].shape, expected.shape, "{label}: {name}");
                let distance = distance(&found[name].values, &expected.values);
                if distance.is_nan() || distance > device.tolerance * slack.max(1.0) {
                    failures.push(format!("{label}: {name} differs by {distance:.1e} (slack {slack:.0})"));
                }
            }
        }
        seen.insert(request.name);
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
    assert!(op::names().eq(op::names().filter(|name| seen.contains(*name))), "an operation has no fixture");
}

// Training

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
        generator: dcgan::generator(noise, width, size, 3, norm).unwrap(),
        discriminator: dcgan::discriminator(width, size, 3, norm, !paper, if paper { 0.2 } else { 0.0 })
            .unwrap(),
        noise,
        size,
        channels: 3,
        objective: Objective {
            loss,
            d_scale: if paper { 1.0 } else { 0.5 },
            g_scale: if name == "seed" { 0.5 } else { 1.0 },
            fresh_noise: !paper,
            g_adam: adam,
            d_adam: adam,
            diffaugment: DiffAugmentPolicy::default(),
        },
    }
}

/// A bank's numbers from the fixture's entries under `prefix`.
fn bank_values(bank: &Bank, parameters: &[Parameter], prefix: &str, fixture: &Named<f64>) -> Vec<f64> {
    let mut values = vec![0.0; bank.len];
    for (index, parameter) in parameters.iter().enumerate() {
        let entries: Vec<Vec<f64>> = parameter
            .torch_entries()
            .into_iter()
            .map(|(name, shape)| {
                let tensor = &fixture[&format!("{prefix}.{name}")];
                assert_eq!(tensor.shape, shape, "{prefix}.{name}");
                tensor.values.clone()
            })
            .collect();
        bank.view_mut(&mut values, index).copy_from_slice(&parameter.from_torch(&entries));
    }
    values
}

/// Rounding over some twenty layers there and back, in f64: a few thousand times the unit in the last place.
const ITERATION_TOLERANCE: f64 = 1e-12;

struct Iteration {
    preset: &'static str,
    fixture: Named<f64>,
    banks: Vec<Bank>,
    executor: Reference<f64>,
}

impl Iteration {
    /// Both networks' parameters and running statistics, as bank index, tensors.
    fn state(network: &Network, of: TrainedBanks) -> [(usize, Vec<Parameter>); 2] {
        [(of.parameters, network.parameters()), (of.running, network.running())]
    }

    fn start(&mut self, networks: &[(&Network, TrainedBanks)]) {
        for &(network, of) in networks {
            for (bank, tensors) in Self::state(network, of) {
                let prefix = format!("before.{}", network.name);
                let values = bank_values(&self.banks[bank], &tensors, &prefix, &self.fixture);
                self.executor.write_bank(bank, &values).unwrap();
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

    /// Compares a whole bank, tensor by tensor, with the fixture's entries under `prefix`.
    fn check(&mut self, bank: usize, tensors: &[Parameter], prefix: &str) {
        let found = self.executor.read_bank(bank).unwrap();
        let expected = bank_values(&self.banks[bank], tensors, prefix, &self.fixture);
        for (index, tensor) in tensors.iter().enumerate() {
            let layout = &self.banks[bank];
            let label = format!("{prefix}.{}", tensor.module);
            self.compare(&label, layout.view(&found, index), layout.view(&expected, index));
        }
    }

    fn compare(&self, label: &str, found: &[f64], expected: &[f64]) {
        let distance = distance(found, expected);
        assert!(distance < ITERATION_TOLERANCE, "{}: {label} differs by {distance:.1e}", self.preset);
    }
}

#[test]
fn an_iteration_of_dcgan_gives_what_pytorch_gives() {
    for preset_name in PRESETS {
        let fixture = tensors(&golden(&format!("dcgan_{preset_name}.safetensors")));
        let real = &fixture["real"];
        let [batch, _, size, _] = real.shape[..] else { panic!("pictures have 4 axes") };
        let dcgan = preset(preset_name, size, fixture["noise_d"].shape[1], 4);
        let steps = vec![dcgan.discriminator_step(batch).unwrap(), dcgan.generator_step(batch).unwrap()];
        let pictures = torch::picture_from_torch(&real.values, Shape([batch, size, size, 3]));
        let generator_noise = if dcgan.objective.fresh_noise { "noise_g" } else { "noise_d" };

        let networks = [(&dcgan.generator, GENERATOR), (&dcgan.discriminator, DISCRIMINATOR)];
        let banks = dcgan.banks();
        let executor = Reference::new(&banks, steps);
        let mut iteration = Iteration { preset: preset_name, fixture, banks, executor };
        iteration.start(&networks);
        iteration.executor.write_input(0, "real", &pictures).unwrap();
        iteration.step(0, "noise_d", dcgan.objective.d_adam.rates(1), &["D_real", "D_fake", "D"]);
        iteration.step(1, generator_noise, dcgan.objective.g_adam.rates(1), &["G"]);
        for (network, of) in networks {
            iteration.check(of.gradients, &network.parameters(), &format!("grad.{}", network.name));
            for (bank, tensors) in Iteration::state(network, of) {
                iteration.check(bank, &tensors, &format!("after.{}", network.name));
            }
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
