//! One training iteration of DCGAN's preset `course` in burn, timed as `mewgan bench` times its own, in a row of the same name.
//!
//! `cargo run --release [--no-default-features --features wgpu|vulkan] -- [--seconds 0.5] [--json FILE]`

use burn::module::Module;
use burn::nn::conv::{Conv2d, Conv2dConfig, ConvTranspose2d, ConvTranspose2dConfig};
use burn::nn::{InstanceNorm, InstanceNormConfig, PaddingConfig2d};
use burn::optim::{AdamConfig, GradientsParams, ModuleOptimizer};
use burn::tensor::activation::{relu, tanh};
use burn::tensor::{Device, Distribution, Tensor};
use serde_json::json;
use std::time::Instant;

const BATCH: usize = 16;
const NOISE: usize = 100;
const LEARNING_RATE: f64 = 3e-4;

fn norm(channels: usize, device: &Device) -> InstanceNorm {
    InstanceNormConfig::new(channels).with_affine(false).init(device)
}

/// 100 - 256 - 128 - 64 - 32 - 3 channels, 1x1 to 64x64 pixels.
#[derive(Module, Debug)]
struct Generator {
    convs: Vec<ConvTranspose2d>,
    norms: Vec<InstanceNorm>,
}

impl Generator {
    fn new(device: &Device) -> Self {
        let widths = [NOISE, 256, 128, 64, 32, 3];
        let conv = |(layer, pair): (usize, &[usize])| {
            let (stride, padding) = if layer == 0 { (1, 0) } else { (2, 1) };
            ConvTranspose2dConfig::new([pair[0], pair[1]], [4, 4])
                .with_stride([stride; 2])
                .with_padding([padding; 2])
                .with_bias(false)
                .init(device)
        };
        Self {
            convs: widths.windows(2).enumerate().map(conv).collect(),
            norms: widths[1..5].iter().map(|&width| norm(width, device)).collect(),
        }
    }

    fn forward(&self, mut x: Tensor<4>) -> Tensor<4> {
        for (conv, norm) in self.convs.iter().zip(&self.norms) {
            x = relu(norm.forward(conv.forward(x)));
        }
        tanh(self.convs[4].forward(x))
    }
}

/// 3 - 32 - 64 - 128 - 256 - 1 channels, 64x64 pixels to one score.
#[derive(Module, Debug)]
struct Discriminator {
    convs: Vec<Conv2d>,
    norms: Vec<InstanceNorm>,
}

impl Discriminator {
    fn new(device: &Device) -> Self {
        let widths = [3, 32, 64, 128, 256, 1];
        let conv = |(layer, pair): (usize, &[usize])| {
            let (stride, padding) = if layer == 4 { (1, 0) } else { (2, 1) };
            Conv2dConfig::new([pair[0], pair[1]], [4, 4])
                .with_stride([stride; 2])
                .with_padding(PaddingConfig2d::Explicit(padding, padding, padding, padding))
                .with_bias(false)
                .init(device)
        };
        Self {
            convs: widths.windows(2).enumerate().map(conv).collect(),
            norms: widths[1..5].iter().map(|&width| norm(width, device)).collect(),
        }
    }

    fn forward(&self, mut x: Tensor<4>) -> Tensor<4> {
        for (conv, norm) in self.convs.iter().zip(&self.norms) {
            x = relu(norm.forward(conv.forward(x)));
        }
        self.convs[4].forward(x)
    }
}

/// Both networks, both optimizers, and what every iteration reads.
struct Training {
    generator: Generator,
    discriminator: Discriminator,
    optimizers: [ModuleOptimizer; 2],
    real: Tensor<4>,
    noise: [Tensor<4>; 2],
    device: Device,
}

impl Training {
    fn new(device: Device) -> Self {
        let uniform = |shape: [usize; 4]| Tensor::random(shape, Distribution::Uniform(-1.0, 1.0), &device);
        let adam = || AdamConfig::new().with_beta_1(0.5).with_beta_2(0.999).with_epsilon(1e-8).init();
        Self {
            generator: Generator::new(&device),
            discriminator: Discriminator::new(&device),
            optimizers: [adam(), adam()],
            real: uniform([BATCH, 3, 64, 64]),
            noise: [uniform([BATCH, NOISE, 1, 1]), uniform([BATCH, NOISE, 1, 1])],
            device,
        }
    }

    /// The discriminator's step, then the generator's.
    fn iterate(&mut self) {
        let [noise_d, noise_g] = self.noise.clone();
        let [adam_g, adam_d] = &mut self.optimizers;

        let fake = self.generator.valid().forward(noise_d.without_autodiff()).autodiff();
        let real_loss = self.discriminator.forward(self.real.clone()).sub_scalar(1.0).square().mean();
        let fake_loss = self.discriminator.forward(fake).square().mean();
        let loss = (real_loss + fake_loss).mul_scalar(0.5);
        let gradients = GradientsParams::from_grads(loss.backward(), &self.discriminator);
        self.discriminator = adam_d.step(LEARNING_RATE, self.discriminator.clone(), gradients);

        // The discriminator's own gradients are not wanted here.
        let judge = self.discriminator.clone().no_grad();
        let loss = judge.forward(self.generator.forward(noise_g)).sub_scalar(1.0).square().mean();
        let gradients = GradientsParams::from_grads(loss.backward(), &self.generator);
        self.generator = adam_g.step(LEARNING_RATE, self.generator.clone(), gradients);
    }

    /// Seconds of an iteration, over so many.
    fn time(&mut self, repeats: usize) -> f64 {
        let start = Instant::now();
        (0..repeats).for_each(|_| self.iterate());
        self.device.sync().expect("the device works");
        start.elapsed().as_secs_f64() / repeats as f64
    }
}

#[cfg(feature = "vulkan")]
fn device() -> (&'static str, Device) {
    ("vulkan", Device::vulkan(burn::tensor::DeviceKind::DefaultDevice))
}

#[cfg(all(feature = "wgpu", not(feature = "vulkan")))]
fn device() -> (&'static str, Device) {
    ("wgpu", Device::wgpu(burn::tensor::DeviceKind::DefaultDevice))
}

#[cfg(not(feature = "wgpu"))]
fn device() -> (&'static str, Device) {
    ("flex, CPU", Device::flex())
}

fn flag(name: &str) -> Option<String> {
    std::env::args().skip_while(|argument| argument != name).nth(1)
}

fn main() {
    let budget: f64 = flag("--seconds").map_or(0.5, |text| text.parse().expect("--seconds takes a number"));
    let (name, device) = device();
    let mut training = Training::new(device.autodiff());
    let once = (0..3).map(|_| training.time(1)).last().expect("three runs");
    let repeats = ((budget / 50.0 / once) as usize).clamp(1, 1024);
    let count = ((budget / (once * repeats as f64)) as usize).clamp(3, 25);
    let mut samples: Vec<f64> = (0..count).map(|_| training.time(repeats)).collect();
    samples.sort_by(f64::total_cmp);
    let quantile = |share: f64| samples[(share * (count - 1) as f64).round() as usize];
    let (lower, median, upper) = (quantile(0.25), quantile(0.5), quantile(0.75));
    println!("dcgan course, {name}: {:.3} ms ({:.3} .. {:.3})", median * 1e3, lower * 1e3, upper * 1e3);
    if let Some(path) = flag("--json") {
        let seconds = json!({
            "median": median, "lower": lower, "upper": upper,
            "min": samples[0], "max": samples[count - 1], "samples": count,
        });
        let row = json!({ "group": "steps", "name": "dcgan course", "variant": name, "seconds": seconds });
        let report = json!({ "program": "burn 0.22", "device": name, "rows": [row] });
        std::fs::write(&path, format!("{report:#}\n")).expect("the file can be written");
    }
}
