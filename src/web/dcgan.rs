//! The site of a DCGAN: pictures drawn from noise, and the training gone on with.

use super::check::Check;
use super::cyclegan::unless_without;
use super::directions::directions;
use super::files::{Files, Manifest, Sheet};
use super::{Options, Written};
use crate::Result;
use crate::data::{AugmentKind, DiffAugmentDraws, NoiseKind, Pictures, noise};
use crate::graph::Step;
use crate::nn::Statistics;
use crate::nn::dcgan::Norm;
use crate::optim::{Adam, average_decay};
use crate::train::checkpoint::Checkpoint;
use crate::train::config::{DcganConfig, RunConfig};
use crate::train::dcgan_steps::{AVERAGE, DISCRIMINATOR, Dcgan, GENERATOR};
use crate::train::model::Model;
use crate::train::sampling::{BATCH, fixed_noise};
use serde::Serialize;
use std::path::Path;

/// Pictures to train on where nothing else is asked for.
const PICTURES: usize = 64;
/// Directions of noise with a slider.
const DIRECTIONS: usize = 8;

/// What only a DCGAN's page needs.
#[derive(Serialize)]
struct Details {
    noise: Noise,
    /// Whether a picture depends on those it is drawn with.
    batch_norm: bool,
    directions: Vec<Vec<f64>>,
    training: Option<Training>,
}

#[derive(Serialize)]
struct Noise {
    size: usize,
    kind: NoiseKind,
}

/// What the page needs to write the inputs of training steps.
#[derive(Serialize)]
struct Training {
    pictures: Sheet,
    batch: usize,
    /// Whether pictures are cropped at random, and mirrored half of the time.
    deluxe: bool,
    /// Whether the run rotates or stretches them, which the page does not.
    warped: bool,
    d_adam: Adam,
    g_adam: Adam,
    d_every: u64,
    r1: bool,
    r1_every: u64,
    fresh_noise: bool,
    /// Decay of the average of weights; 0 where none is kept.
    average: f64,
    color: bool,
    translation: bool,
    cutout: bool,
}

/// As [`super::export`]. Sixteen pictures are drawn together, as in the run's own sheets; one by itself takes the running
/// statistics of batch norms.
pub fn export(checkpoint: &Checkpoint, options: &Options, out: &Path) -> Result<Written> {
    let config: DcganConfig = checkpoint.config()?;
    let dcgan = config.dcgan()?;
    let (banks, values) = (dcgan.banks(), checkpoint.banks(&dcgan)?);
    let sampler = |name: &str, batch, statistics| -> Result<Step> {
        Ok(Step { name: name.into(), ..dcgan.sampler(batch, statistics)? })
    };
    let sampling = [
        sampler("sample_sixteen", BATCH, Statistics::Batch)?,
        sampler("sample_one", 1, Statistics::Running)?,
    ];
    let wanted = options.pictures.unwrap_or(PICTURES);
    let pictures = if wanted > 0 { Some(pictures_of(&config)?) } else { None };

    let mut files = Files::create(out)?;
    let state = (&values[..], &dcgan.state()[..]);
    let mut parts = vec![files.part("sampling", &sampling, &banks, state)?];
    let inputs = Inputs { config: &config, dcgan: &dcgan, t: next_due(&config, checkpoint.step()) };
    let mut tensors = Vec::new();
    let mut checks = Vec::new();
    for (name, step) in ["sixteen pictures", "one picture"].into_iter().zip(&sampling) {
        let check = Check { name, steps: vec![step], banks: vec![] };
        let input =
            |_: &str, _: &str, len: usize| Ok(fixed_noise(&config, config.seed, len / config.noise_size));
        checks.push(check.run(&banks, &values, input, &mut tensors)?);
    }

    let mut training = None;
    if let Some(pictures) = pictures {
        let sheet = files.sheet("training", &pictures, wanted)?;
        let steps = training_steps(&dcgan, config.batch)?;
        parts.push(files.part("training", &steps, &banks, state)?);
        let real = config.batching().batch_at(&pictures, inputs.t - 1)?;
        let real: Vec<f32> =
            real.images.iter().cycle().copied().take(config.batch * picture_len(&config)).collect();
        let generator_step = &steps[steps.len() - 1];
        for step in &steps[..steps.len() - 1] {
            let name = if step.name == PENALIZED { "a training step with R1" } else { "a training step" };
            let check = Check {
                name,
                steps: vec![step, generator_step],
                banks: vec![
                    ("the generator's weights", GENERATOR.parameters),
                    ("the discriminator's weights", DISCRIMINATOR.parameters),
                    ("averaged weights", AVERAGE),
                ],
            };
            let input = |step: &str, name: &str, len: usize| inputs.of(step, name, len, &real);
            checks.push(check.run(&banks, &values, input, &mut tensors)?);
        }
        training = Some(settings(&config, &dcgan, sheet));
    }
    files.tensors("check.safetensors", &tensors)?;
    let weights = if dcgan.objective.average { AVERAGE } else { GENERATOR.parameters };
    files.finish(&Manifest {
        format: 1,
        kind: DcganConfig::KIND,
        title: options.title.clone().unwrap_or_else(|| "Pictures drawn by a DCGAN".into()),
        step: checkpoint.step(),
        size: config.size,
        channels: config.channels,
        banks: banks.iter().map(|bank| bank.len).collect(),
        parts,
        checks,
        details: Details {
            noise: Noise { size: config.noise_size, kind: config.noise },
            batch_norm: config.norm == Norm::Batch,
            directions: directions(banks[weights].view(&values[weights], 0), config.noise_size, DIRECTIONS),
            training,
        },
    })
}

/// What the discriminator's step with the R1 penalty is called.
const PENALIZED: &str = "penalized_discriminator_step";

/// Those of the discriminator that occur, then the generator's.
fn training_steps(dcgan: &Dcgan, batch: usize) -> Result<Vec<Step>> {
    let mut steps = Vec::new();
    for &penalized in dcgan.objective.r1.variants() {
        steps.push(match penalized {
            true => Step { name: PENALIZED.into(), ..dcgan.penalized_discriminator_step(batch)? },
            false => dcgan.discriminator_step(batch)?,
        });
    }
    steps.push(dcgan.generator_step(batch)?);
    Ok(steps)
}

fn picture_len(config: &DcganConfig) -> usize {
    config.size * config.size * config.channels
}

/// The pictures the run trains on.
fn pictures_of(config: &DcganConfig) -> Result<Pictures> {
    let loaded = Pictures::load(&config.data, &config.load_options()).map_err(unless_without)?;
    Ok(loaded.pictures.split(config.holdout, config.seed)?.0)
}

fn settings(config: &DcganConfig, dcgan: &Dcgan, pictures: Sheet) -> Training {
    let objective = dcgan.objective;
    Training {
        pictures,
        batch: config.batch,
        deluxe: config.augment == AugmentKind::Deluxe,
        warped: config.rotate > 0.0 || config.stretch > 0.0,
        d_adam: objective.d_adam,
        g_adam: objective.g_adam,
        d_every: config.d_every,
        r1: objective.r1.weight > 0.0,
        r1_every: objective.r1.every,
        fresh_noise: objective.fresh_noise,
        average: config.average,
        color: objective.diffaugment.color,
        translation: objective.diffaugment.translation,
        cutout: objective.diffaugment.cutout,
    }
}

/// The first iteration after `step` at which the discriminator is stepped.
fn next_due(config: &DcganConfig, step: u64) -> u64 {
    (step + 1).next_multiple_of(config.d_every)
}

/// The inputs of training steps at iteration `t`, as the run itself would write them.
struct Inputs<'a> {
    config: &'a DcganConfig,
    dcgan: &'a Dcgan,
    t: u64,
}

impl Inputs<'_> {
    /// Input `name` of `step`, `len` numbers; `real` are a batch of pictures.
    fn of(&self, step: &str, name: &str, len: usize, real: &[f32]) -> Result<Vec<f32>> {
        let Self { config, dcgan, t } = *self;
        let generators = step == "generator_step";
        let rates = |adam: Adam, update| adam.rates(update).map(|rate| rate as f32).to_vec();
        let (source, part) = name.split_once('.').unwrap_or(("", name));
        Ok(match part {
            "real" => real.to_vec(),
            "rates" if generators => rates(dcgan.objective.g_adam, t),
            "rates" => rates(dcgan.objective.d_adam, t / config.d_every),
            "decay" => vec![average_decay(config.average, t) as f32],
            "noise" => {
                let own = if generators && config.fresh_noise { "noise.g" } else { "noise.d" };
                noise(config.noise, config.seed, own, t, len)
            }
            _ => {
                let purpose = if generators { "diff.g.fake".into() } else { format!("diff.d.{source}") };
                let draws = DiffAugmentDraws::new(config.seed, &purpose, t, config.batch, config.size);
                match part {
                    "brightness" => draws.brightness,
                    "saturation" => draws.saturation,
                    "contrast" => draws.contrast,
                    "shift" => draws.shift,
                    _ => draws.mask,
                }
            }
        })
    }
}
