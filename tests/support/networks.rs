//! Small DCGANs, CycleGANs and pix2pix models of every kind: the presets' structure at sizes that tests can afford.

use mewgan::graph::StateBuffer;
use mewgan::models::cyclegan::networks::{self as cyclegan, Translator};
use mewgan::models::cyclegan::{CycleGan, CycleLoss, CycleObjective, Updates};
use mewgan::models::dcgan::networks as dcgan;
use mewgan::models::dcgan::{Dcgan, Objective};
use mewgan::models::pix2pix::networks::{self as pix2pix, UNet};
use mewgan::models::pix2pix::{Objective as Pix2PixObjective, Pix2Pix};
use mewgan::nn::Norm;
use mewgan::nn::diffaugment::DiffAugmentPolicy;
use mewgan::nn::loss::{Adversarial, R1};
use mewgan::nn::{Init, Network, Upsample};
use mewgan::optim::Adam;
use mewgan::optim::OptimizerState;
use mewgan::random::stream;

/// A DCGAN like a preset's, with its name; the last has what helps on small sets.
pub fn dcgans(size: usize, width: usize, channels: usize) -> Vec<(&'static str, Dcgan)> {
    let adam = Adam { lr: 3e-4, beta1: 0.5, beta2: 0.999, eps: 1e-8 };
    let all = DiffAugmentPolicy { color: true, translation: true, cutout: true };
    let generator = |norm| dcgan::Generator {
        noise: 10,
        width,
        size: size.into(),
        channels,
        norm,
        upsample: Upsample::Transposed,
        blocks: 0,
        excite: false,
    };
    let model = |norm, first_norm, slope, loss, fresh_noise, diffaugment| Dcgan {
        generator: generator(norm).network().unwrap(),
        discriminator: dcgan::discriminator(width, size, channels, norm, first_norm, slope).unwrap(),
        noise: 10,
        size: size.into(),
        channels,
        objective: Objective {
            loss,
            d_scale: 0.5,
            g_scale: 1.0,
            r1: R1::OFF,
            fresh_noise,
            average: false,
            scaled: false,
            g_adam: adam,
            d_adam: adam,
            diffaugment,
        },
    };
    let mut recipe = model(Norm::Batch, false, 0.2, Adversarial::Hinge, true, all);
    let of =
        dcgan::Generator { upsample: Upsample::Bilinear, blocks: 1, excite: true, ..generator(Norm::Batch) };
    recipe.generator = of.network().unwrap();
    recipe.discriminator = dcgan::discriminator(width, size, channels, Norm::Spectral, false, 0.2).unwrap();
    recipe.objective.r1 = R1 { weight: 2.0, every: 2 };
    recipe.objective.average = true;
    vec![
        ("seed", model(Norm::Batch, true, 0.0, Adversarial::Lsgan, true, DiffAugmentPolicy::default())),
        ("course", model(Norm::Instance, true, 0.0, Adversarial::Lsgan, true, DiffAugmentPolicy::default())),
        ("paper", model(Norm::Batch, false, 0.2, Adversarial::Bce, false, all)),
        ("recipe", recipe),
    ]
}

/// A CycleGAN like a preset's, with its name; paper's has all the trimmings, the last also what helps on small sets.
pub fn cyclegans(size: usize, width: usize, batch: usize) -> Vec<(&'static str, CycleGan)> {
    let adam = Adam { lr: 3e-4, beta1: 0.5, beta2: 0.999, eps: 1e-8 };
    let all = DiffAugmentPolicy { color: true, translation: true, cutout: true };
    let model =
        |kind, norm, upsample, judge: fn(&str, usize, Norm) -> Network, updates, trimmings| CycleGan {
            generators: ["G_XtoY", "G_YtoX"]
                .map(|name| cyclegan::generator(name, kind, width, 1, [3; 2], norm, upsample).unwrap()),
            discriminators: ["D_X", "D_Y"].map(|name| vec![judge(name, width, norm)]),
            size: size.into(),
            channels: [3; 2],
            batch,
            objective: CycleObjective {
                loss: Adversarial::Lsgan,
                d_scale: 0.5,
                r1: R1::OFF,
                g_scale: 1.0,
                cycle: if trimmings { CycleLoss::L1 } else { CycleLoss::Mse },
                lambda_cycle: 10.0,
                lambda_identity: if trimmings { 5.0 } else { 0.0 },
                updates,
                pool: if trimmings { 3 } else { 0 },
                average: trimmings,
                scaled: false,
                g_adam: adam,
                d_adam: adam,
                diffaugment: if trimmings { all } else { DiffAugmentPolicy::default() },
            },
        };
    let patch: fn(&str, usize, Norm) -> Network =
        |name, width, norm| cyclegan::patch_discriminator(name, width, 3, norm, 0.0);
    let patch70: fn(&str, usize, Norm) -> Network =
        |name, width, norm| cyclegan::patch70_discriminator(name, width, 3, norm, 0.2);
    let (plain, resnet) = (Translator::Plain, Translator::Resnet);
    let (batch_norm, instance) = (Norm::Batch, Norm::Instance);
    let mut recipe = model(plain, instance, Upsample::Nearest, patch70, Updates::Apart, true);
    // Two scales, the smaller one's images too small for the larger one's discriminator.
    recipe.discriminators = ["D_X", "D_Y"].map(|name| {
        let [large, small] = [0, 1].map(|scale| format!("{name}.{scale}"));
        vec![
            cyclegan::patch70_discriminator(&large, width, 3, Norm::Spectral, 0.2),
            cyclegan::patch_discriminator(&small, width, 3, Norm::Spectral, 0.2),
        ]
    });
    recipe.objective.loss = Adversarial::Hinge;
    recipe.objective.r1 = R1 { weight: 2.0, every: 2 };
    vec![
        ("seed", model(plain, batch_norm, Upsample::Transposed, patch, Updates::Apart, false)),
        ("course", model(plain, instance, Upsample::Nearest, patch, Updates::DiscriminatorsFirst, false)),
        ("paper", model(resnet, instance, Upsample::Transposed, patch70, Updates::GeneratorsFirst, true)),
        ("recipe", recipe),
    ]
}

/// A pix2pix of every kind, with its name; the last has what helps on small sets.
pub fn pix2pix_models(size: usize, width: usize) -> Vec<(&'static str, Pix2Pix)> {
    let adam = Adam { lr: 3e-4, beta1: 0.5, beta2: 0.999, eps: 1e-8 };
    let model = |norm, d_norm, upsample, loss, channels: [usize; 2]| {
        let unet =
            UNet { width, depth: size.trailing_zeros() as usize, channels, norm, upsample, dropout: 0.5 };
        let channels_of_pairs = channels.iter().sum();
        Pix2Pix {
            generator: unet.network("generator").unwrap(),
            discriminator: pix2pix::discriminator("discriminator", width, channels_of_pairs, 2, d_norm, 0.2),
            size: size.into(),
            channels,
            objective: Pix2PixObjective {
                loss,
                d_scale: 0.5,
                g_scale: 1.0,
                lambda_l1: 100.0,
                r1: R1::OFF,
                average: false,
                scaled: false,
                g_adam: adam,
                d_adam: adam,
                diffaugment: DiffAugmentPolicy::default(),
            },
        }
    };
    let (batch, instance) = (Norm::Batch, Norm::Instance);
    let mut recipe = model(instance, Norm::Spectral, Upsample::Nearest, Adversarial::Hinge, [1, 3]);
    recipe.objective.r1 = R1 { weight: 2.0, every: 2 };
    recipe.objective.average = true;
    recipe.objective.diffaugment = DiffAugmentPolicy { color: true, translation: true, cutout: true };
    vec![
        ("paper", model(batch, batch, Upsample::Transposed, Adversarial::Bce, [3, 3])),
        ("course", model(instance, instance, Upsample::Transposed, Adversarial::Lsgan, [3, 3])),
        ("recipe", recipe),
    ]
}

/// Initial numbers of `networks`' state buffers: index and numbers of parameters and of running statistics.
pub fn initial(of: OptimizerState, networks: &[&Network], buffers: &[StateBuffer]) -> [(usize, Vec<f32>); 2] {
    [of.parameters, of.running].map(|buffer| {
        let tensors = networks.iter().flat_map(|network| match buffer == of.parameters {
            true => network.parameters(),
            false => network.running(),
        });
        let mut numbers = vec![0.0; buffers[buffer].len];
        for (index, tensor) in tensors.enumerate() {
            let drawn = Init::Uniform.draw(&tensor, &mut stream(5, "init", index as u64));
            buffers[buffer].view_mut(&mut numbers, index).copy_from_slice(&drawn);
        }
        (buffer, numbers)
    })
}
