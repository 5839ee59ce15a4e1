//! Small DCGANs of every kind: the presets' structure at sizes that tests can afford.

use mewgpu::nn::Init;
use mewgpu::nn::dcgan::{self, Norm};
use mewgpu::nn::diffaugment::DiffAugmentPolicy;
use mewgpu::nn::loss::Adversarial;
use mewgpu::optim::Adam;
use mewgpu::random::stream;
use mewgpu::train::dcgan_steps::{DISCRIMINATOR, Dcgan, GENERATOR, Objective};
use mewgpu::train::optimizer::TrainedBanks;

/// A DCGAN like a preset's, with its name.
pub fn dcgans(size: usize, width: usize, channels: usize) -> Vec<(&'static str, Dcgan)> {
    let adam = Adam { lr: 3e-4, beta1: 0.5, beta2: 0.999, eps: 1e-8 };
    let all = DiffAugmentPolicy { color: true, translation: true, cutout: true };
    let model = |norm, first_norm, slope, loss, fresh_noise, diffaugment| Dcgan {
        generator: dcgan::generator(10, width, size, channels, norm).unwrap(),
        discriminator: dcgan::discriminator(width, size, channels, norm, first_norm, slope).unwrap(),
        noise: 10,
        size,
        channels,
        objective: Objective {
            loss,
            d_scale: 0.5,
            g_scale: 1.0,
            fresh_noise,
            g_adam: adam,
            d_adam: adam,
            diffaugment,
        },
    };
    vec![
        ("seed", model(Norm::Batch, true, 0.0, Adversarial::Lsgan, true, DiffAugmentPolicy::default())),
        ("course", model(Norm::Instance, true, 0.0, Adversarial::Lsgan, true, DiffAugmentPolicy::default())),
        ("paper", model(Norm::Batch, false, 0.2, Adversarial::Bce, false, all)),
    ]
}

/// Initial numbers of the banks that do not start as zeros: index and numbers.
#[allow(dead_code, reason = "not every test file trains")]
pub fn initial(model: &Dcgan) -> Vec<(usize, Vec<f32>)> {
    let banks = model.banks();
    let mut out = Vec::new();
    let pairs: [(_, TrainedBanks); 2] =
        [(&model.generator, GENERATOR), (&model.discriminator, DISCRIMINATOR)];
    for (network, of) in pairs {
        for (bank, tensors) in [(of.parameters, network.parameters()), (of.running, network.running())] {
            let mut numbers = vec![0.0; banks[bank].len];
            for (index, tensor) in tensors.iter().enumerate() {
                let drawn = Init::Uniform.draw(tensor, &mut stream(5, "init", index as u64));
                banks[bank].view_mut(&mut numbers, index).copy_from_slice(&drawn);
            }
            out.push((bank, numbers));
        }
    }
    out
}
