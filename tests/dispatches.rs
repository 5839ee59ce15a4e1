//! Promise: an iteration is few dispatches. What is independent and equal is one of them, and nothing pointwise is one of
//! its own where a neighbour can compute it.

use mewgan::gpu::lower::{Target, lower};
use mewgan::gpu::program::Program;
use mewgan::graph::{StateBuffer, Step};
use mewgan::models::cyclegan::{CycleGanConfig, CycleGanSettings};
use mewgan::models::dcgan::{DcganConfig, DcganSettings};
use mewgan::nn::Norm;
use mewgan::nn::loss::Adversarial;
use mewgan::train::config::{CommonSettings, Preset, RunConfig};
use mewgan::train::model::Model;

fn programs(steps: &[Step], buffers: &[StateBuffer]) -> Vec<Program> {
    steps.iter().map(|step| lower(step, buffers, &Target::GPU).unwrap()).collect()
}

fn dcgan(preset: Preset) -> Vec<Program> {
    dcgan_of(DcganSettings {
        common: CommonSettings { preset: Some(preset), ..Default::default() },
        ..Default::default()
    })
}

fn dcgan_of(settings: DcganSettings) -> Vec<Program> {
    let config = DcganConfig::new(DcganSettings::default(), settings).unwrap();
    let dcgan = config.dcgan().unwrap();
    let steps = [dcgan.discriminator_step(16).unwrap(), dcgan.generator_step(16).unwrap()];
    programs(&steps, &dcgan.buffers())
}

fn cyclegan(preset: Preset) -> Vec<Program> {
    let settings = CycleGanSettings {
        common: CommonSettings { preset: Some(preset), ..Default::default() },
        ..Default::default()
    };
    let config = CycleGanConfig::new(CycleGanSettings::default(), settings).unwrap();
    let cyclegan = config.cyclegan().unwrap();
    programs(&cyclegan.steps(config.common().batch).unwrap(), &cyclegan.buffers())
}

fn dispatches(programs: &[Program]) -> usize {
    programs.iter().map(|program| program.dispatches.len()).sum()
}

#[test]
fn an_iteration_is_few_dispatches() {
    let most = [
        (Preset::Small, [132, 156]),
        (Preset::Seed, [120, 272]),
        (Preset::Course, [100, 176]),
        // CycleGAN's images are of 256x256 pixels.
        (Preset::Paper, [110, 547]),
    ];
    for (preset, most) in most {
        let found = [dispatches(&dcgan(preset)), dispatches(&cyclegan(preset))];
        assert!(found[0] <= most[0] && found[1] <= most[1], "{preset:?}: {found:?}, at most {most:?}");
    }
}

#[test]
fn nothing_is_padded_in_front_of_a_convolution() {
    for program in cyclegan(Preset::Paper) {
        let padded = |kernel: &str| kernel == "spatial/reflection_pad";
        assert!(!program.dispatches.iter().any(|dispatch| padded(program.kernel(dispatch))));
    }
}

#[test]
fn all_running_statistics_of_one_network_are_one_dispatch() {
    for program in dcgan(Preset::Seed) {
        let running = program.dispatches.iter().filter(|dispatch| dispatch.op == "running_moments");
        // Those of the generator, and of the discriminator: on real images, then on fakes.
        let most = if program.name == "generator_step" { 2 } else { 3 };
        assert_eq!(running.map(|dispatch| dispatch.members).collect::<Vec<_>>(), vec![4; most]);
    }
}

/// The discriminators' errors image by image, which accuracies are taken from.
#[test]
fn keeping_the_errors_takes_no_more_dispatches() {
    for loss in [Adversarial::Lsgan, Adversarial::Bce, Adversarial::Hinge] {
        let dcgan = DcganSettings {
            common: CommonSettings { loss: Some(loss), ..Default::default() },
            ..Default::default()
        };
        let dcgan = DcganConfig::new(DcganSettings::default(), dcgan).unwrap().dcgan().unwrap();
        let cyclegan = CycleGanSettings {
            common: CommonSettings { loss: Some(loss), ..Default::default() },
            ..Default::default()
        };
        let cyclegan =
            CycleGanConfig::new(CycleGanSettings::default(), cyclegan).unwrap().cyclegan().unwrap();
        let is_error = |name: &str| name.starts_with("errors");
        let judges = |step: &Step| step.outputs.iter().any(|(name, _)| is_error(name));
        let steps = [
            (dcgan.discriminator_step(16).unwrap(), dcgan.buffers()),
            (cyclegan.steps(16).unwrap().into_iter().find(judges).unwrap(), cyclegan.buffers()),
        ];
        for (step, buffers) in steps {
            let mut without = step.clone();
            without.outputs.retain(|(name, _)| !is_error(name));
            assert!(without.outputs.len() < step.outputs.len());
            let count = |step: Step| dispatches(&programs(&[step], &buffers));
            assert!(count(step) <= count(without), "{loss:?}");
        }
    }
}

#[test]
fn spectral_norm_is_at_most_fourteen_dispatches_a_layer() {
    let with = |norm| {
        dispatches(&dcgan_of(DcganSettings {
            common: CommonSettings { d_norm: Some(norm), ..Default::default() },
            ..Default::default()
        }))
    };
    let (steps, layers) = (2, 5);
    let (spectral, none) = (with(Norm::Spectral), with(Norm::None));
    assert!(spectral <= none + 14 * steps * layers, "{spectral} dispatches, {none} without");
}

#[test]
fn both_directions_share_every_contraction_of_the_generators() {
    let step = &cyclegan(Preset::Course)[1];
    assert_eq!(step.name, "generators_step");
    for dispatch in &step.dispatches {
        let kernel = &step.shaders[step.pipelines[dispatch.pipeline].shader].kernel;
        assert!(!kernel.starts_with("conv/") || dispatch.workgroups[2] == 2, "{kernel} alone: {dispatch:?}");
    }
}
