//! The site of a CycleGAN: images translated both ways.

use super::check::Check;
use super::files::{Files, Manifest, Sheet};
use super::{Exported, Options};
use crate::data::to_unit;
use crate::graph::Step;
use crate::models::cyclegan::evaluation::judged;
use crate::models::cyclegan::{CycleGan, CycleGanConfig, Domain};
use crate::nn::NormMode;
use crate::train::checkpoint::Checkpoint;
use crate::train::config::{Common, RunConfig};
use crate::train::dataset::Known;
use crate::train::model::Model;
use crate::train::preparation::Preparation;
use crate::{Error, Result};
use serde::Serialize;
use std::path::Path;

/// Examples of each set where nothing else is asked for.
const EXAMPLES: usize = 12;

/// What only a CycleGAN's page needs.
#[derive(Serialize)]
struct Details {
    /// Channels of X and of Y.
    channels: [usize; 2],
    /// Images of X and of Y.
    examples: Vec<Sheet>,
}

/// As [`super::export`]. Batch norms take the running statistics, as `mewgan translate` does.
pub fn export(
    checkpoint: &Checkpoint,
    options: &Options,
    out: &Path,
    watch: &dyn Preparation,
) -> Result<Exported> {
    let config: CycleGanConfig = checkpoint.config()?;
    let Common { size, channels, .. } = config.common;
    let of_domain = Domain::BOTH.map(|domain| config.channels(domain));
    let model = config.cyclegan()?;
    let (buffers, values) = (model.buffers(), checkpoint.buffers(&model)?);
    let translation = |to: Domain| -> Result<Step> {
        let step = model.one_way(to, 1, size.extents(), NormMode::Running)?;
        Ok(Step { name: format!("to_{}", to.name()), ..step })
    };
    let steps = [translation(Domain::Y)?, translation(Domain::X)?];

    let wanted = options.images.unwrap_or(EXAMPLES);
    let sets = match wanted {
        0 => Vec::new(),
        most => {
            let sets = Known::all(checkpoint, &CycleGan::datasets(&config), &config.common, watch);
            sets.and_then(|sets| judged(&config, &sets, most, watch)).map_err(unless_without)?.into()
        }
    };

    let mut files = Files::create(out)?;
    let examples = Domain::BOTH
        .iter()
        .zip(&sets)
        .map(|(domain, set)| files.sheet(domain.name(), set, wanted))
        .collect::<Result<Vec<_>>>()?;
    let parts = vec![files.part("sampling", &steps, &buffers, (&values, &model.state()))?];
    let mut tensors = Vec::new();
    let mut checks = Vec::new();
    let translations = ["translation to Y", "translation to X"].into_iter().zip(of_domain);
    for ((name, channels), step) in translations.zip(&steps) {
        let check = Check { name, steps: vec![step], buffers: vec![] };
        let input = |_: &str, _: &str, len: usize| Ok(waves(len, size.width, channels));
        checks.push(check.run(&buffers, &values, input, &mut tensors)?);
    }
    files.tensors("check.safetensors", &tensors)?;
    files.finish(&Manifest {
        format: 1,
        kind: CycleGanConfig::KIND,
        title: options.title.clone().unwrap_or_else(|| "Images translated by a CycleGAN".into()),
        step: checkpoint.step(),
        size: size.extents(),
        channels,
        buffers: buffers.iter().map(|buffer| buffer.len).collect(),
        parts,
        checks,
        details: Details { channels: of_domain, examples },
    })
}

/// What helps where the run's images cannot be read any more.
pub fn unless_without(error: Error) -> Error {
    Error::Input(format!("{error}; or leave images out with `images` 0"))
}

/// An image that has every level in it.
fn waves(len: usize, width: usize, channels: usize) -> Vec<f32> {
    let level = |at: usize| {
        let (pixel, channel) = (at / channels, at % channels);
        let (y, x) = ((pixel / width) as f32, (pixel % width) as f32);
        127.5 + 127.5 * (0.37 * x + 0.23 * y * (1 + channel) as f32).sin()
    };
    (0..len).map(|at| to_unit(level(at))).collect()
}
