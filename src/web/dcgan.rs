//! The site of a DCGAN: images drawn from noise, and the training gone on with.

use super::check::Check;
use super::cyclegan::unless_without;
use super::directions::directions;
use super::files::{Files, Manifest, Sheet};
use super::phases::{Line, checked, lines};
use super::{Exported, Options};
use crate::Result;
use crate::data::{AugmentKind, Images, LoadOptions, NoiseKind};
use crate::graph::Step;
use crate::models::dcgan::sampling::{BATCH, fixed_noise};
use crate::models::dcgan::{AVERAGE, DISCRIMINATOR, Dcgan, DcganConfig, GENERATOR};
use crate::nn::{Norm, NormMode};
use crate::train::checkpoint::Checkpoint;
use crate::train::config::{Common, RunConfig};
use crate::train::dataset::Known;
use crate::train::model::Model;
use crate::train::phase::{Inputs, Moment, Phase};
use crate::train::preparation::Preparation;
use serde::Serialize;
use std::path::Path;

/// Images to train on where nothing else is asked for.
const IMAGES: usize = 64;
/// Directions of noise with a slider.
const DIRECTIONS: usize = 8;

/// What only a DCGAN's page needs.
#[derive(Serialize)]
struct Details {
    noise: Noise,
    /// Whether an image depends on those it is drawn with.
    batch_norm: bool,
    directions: Vec<Vec<f64>>,
    training: Option<Training>,
}

#[derive(Serialize)]
struct Noise {
    size: usize,
    kind: NoiseKind,
}

/// What the page needs to train.
#[derive(Serialize)]
struct Training {
    images: Sheet,
    batch: usize,
    /// The run's last iteration.
    total: u64,
    /// Whether images are cropped at random, and mirrored half of the time.
    deluxe: bool,
    /// Whether the run rotates or stretches them, which the page does not.
    warped: bool,
    /// An iteration.
    phases: Vec<Line>,
    /// The losses that are shown.
    losses: Vec<&'static str>,
}

/// As [`super::export`]. Sixteen images are drawn together, as in the run's own sheets; one by itself takes the running
/// statistics of batch norms.
pub fn export(
    checkpoint: &Checkpoint,
    options: &Options,
    out: &Path,
    watch: &dyn Preparation,
) -> Result<Exported> {
    let config: DcganConfig = checkpoint.config()?;
    let Common { size, channels, seed, .. } = config.common;
    let dcgan = config.dcgan()?;
    let (buffers, values) = (dcgan.buffers(), checkpoint.buffers(&dcgan)?);
    let sampler = |name: &str, batch, statistics| -> Result<Step> {
        Ok(Step { name: name.into(), ..dcgan.sampler(batch, statistics)? })
    };
    let sampling =
        [sampler("sample_sixteen", BATCH, NormMode::Batch)?, sampler("sample_one", 1, NormMode::Running)?];
    let wanted = options.images.unwrap_or(IMAGES);
    let images = if wanted > 0 { Some(images_of(checkpoint, &config, watch)?) } else { None };

    let mut files = Files::create(out)?;
    let state = (&values[..], &dcgan.state()[..]);
    let mut parts = vec![files.part("sampling", &sampling, &buffers, state)?];
    let mut tensors = Vec::new();
    let mut checks = Vec::new();
    for (name, step) in ["sixteen images", "one image"].into_iter().zip(&sampling) {
        let check = Check { name, steps: vec![step], buffers: vec![] };
        let input = |_: &str, _: &str, len: usize| Ok(fixed_noise(&config, seed, len / config.noise_size));
        checks.push(check.run(&buffers, &values, input, &mut tensors)?);
    }

    let mut training = None;
    if let Some(images) = images {
        let sheet = files.sheet("training", &images, wanted)?;
        let phases = dcgan.phases(&config, config.common.batch.into())?;
        let steps: Vec<Step> = phases.iter().map(|phase| phase.step.clone()).collect();
        parts.push(files.part("training", &steps, &buffers, state)?);
        for (t, due) in checked(&phases, checkpoint.step()) {
            let penalized = due.iter().any(|&phase| phases[phase].has("R1"));
            let check = Check {
                name: if penalized && steps.len() > 2 {
                    "a training step with R1"
                } else {
                    "a training step"
                },
                steps: due.iter().map(|&phase| &steps[phase]).collect(),
                buffers: vec![
                    ("the generator's weights", GENERATOR.parameters),
                    ("the discriminator's weights", DISCRIMINATOR.parameters),
                    ("averaged weights", AVERAGE),
                ],
            };
            let inputs = inputs(&config, &phases, &due, t, &images)?;
            let input = |step: &str, name: &str, _: usize| {
                let mut all = inputs.iter();
                let known = all.find(|(of, input, _)| (of.as_str(), input.as_str()) == (step, name));
                Ok(known.map(|(.., values)| values.clone()).unwrap_or_default())
            };
            checks.push(check.run(&buffers, &values, input, &mut tensors)?);
        }
        training = Some(settings(&config, &phases, sheet));
    }
    files.tensors("check.safetensors", &tensors)?;
    let weights = dcgan.adversaries().drawing();
    files.finish(&Manifest {
        format: 1,
        kind: DcganConfig::KIND,
        title: options.title.clone().unwrap_or_else(|| "Images drawn by a DCGAN".into()),
        step: checkpoint.step(),
        size: size.extents(),
        channels,
        buffers: buffers.iter().map(|buffer| buffer.len).collect(),
        parts,
        checks,
        details: Details {
            noise: Noise { size: config.noise_size, kind: config.noise },
            batch_norm: config.common.norm == Norm::Batch,
            directions: directions(buffers[weights].view(&values[weights], 0), config.noise_size, DIRECTIONS),
            training,
        },
    })
}

/// The images the run trains on.
fn images_of(checkpoint: &Checkpoint, config: &DcganConfig, watch: &dyn Preparation) -> Result<Images> {
    let common = &config.common;
    let specs = Dcgan::datasets(config);
    let known = Known::all(checkpoint, &specs, common, watch).map_err(unless_without)?.remove(0);
    // The page draws its crops out of images that are all of one size.
    let size = specs[0].batching.augment.stored_size(common.size);
    let options = LoadOptions { size, ..common.plain_options(common.channels) };
    known.load(&known.members.trained, &options, watch).map_err(unless_without)
}

fn settings(config: &DcganConfig, phases: &[Phase], images: Sheet) -> Training {
    let common = &config.common;
    let losses = Dcgan::LOSSES.iter().filter(|loss| loss.shown).map(|loss| loss.name);
    Training {
        images,
        batch: common.batch,
        total: common.steps.unwrap_or(0),
        deluxe: common.augment == AugmentKind::Deluxe,
        warped: common.rotate > 0.0 || common.stretch > 0.0,
        phases: lines(phases),
        losses: losses.filter(|loss| phases.iter().any(|phase| phase.has(loss))).collect(),
    }
}

/// The inputs of the phases that are `due` at iteration `t`, as the run itself would write them: step, input, numbers. A batch that
/// would be short is filled up with its first images.
fn inputs(
    config: &DcganConfig,
    phases: &[Phase],
    due: &[usize],
    t: u64,
    images: &Images,
) -> Result<Vec<(String, String, Vec<f32>)>> {
    let Common { seed, size, batch, channels, steps, .. } = config.common;
    let real = config.batching().batch_at(images, t - 1)?.images;
    let real: Vec<f32> = real.iter().cycle().copied().take(batch * size.area() * channels).collect();
    let moment = Moment { seed, t, total: steps.unwrap_or(t), shard: batch.into(), size };
    let mut inputs = Inputs::new(moment, phases, vec![&real]);
    let mut all = Vec::new();
    for &phase in due {
        inputs.of_phase(phase, |name, values| {
            all.push((phases[phase].step.name.clone(), name.to_owned(), values.to_vec()));
            Ok(())
        })?;
    }
    Ok(all)
}
