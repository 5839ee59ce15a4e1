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
    programs(&cyclegan.steps(16).unwrap(), &cyclegan.buffers())
}

fn dispatches(programs: &[Program]) -> usize {
    programs.iter().map(|program| program.dispatches.len()).sum()
}

#[test]
fn an_iteration_is_few_dispatches() {
    assert!(dispatches(&dcgan(Preset::Course)) <= 120);
    assert!(dispatches(&cyclegan(Preset::Course)) <= 300);
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
