//! Figures of a CycleGAN's checkpoint, on the images it was and was not trained on.

use super::{AVERAGES, CycleGan, CycleGanConfig, Domain, GENERATORS};
use crate::data::{Images, find};
use crate::device::Device;
use crate::evaluate::{Direction, Figure, Set, translated};
use crate::executor::in_batches;
use crate::nn::NormMode;
use crate::train::checkpoint::Checkpoint;
use crate::train::evaluation::{Judging, set};
use crate::train::model::Model;
use crate::{Error, Result};

/// Translations made at once.
const BATCH: usize = 16;

/// Judges a checkpoint.
///
/// # Errors
/// If the checkpoint, its images or the device cannot be used, or the judging is that of images drawn from noise.
pub fn evaluate(checkpoint: &Checkpoint, device: &Device, judging: Judging) -> Result<Vec<Figure>> {
    if judging.count.is_some() {
        return Err(Error::Input("`count` is for DCGAN; all images of both sets are translated".into()));
    }
    let config: CycleGanConfig = checkpoint.config()?;
    let model = config.cyclegan()?;
    let values = checkpoint.buffers(&model)?;
    let images = [config.evaluation_images(Domain::X)?, config.evaluation_images(Domain::Y)?];
    let [x, y] = images.each_ref().map(set);
    let mut figures = Vec::new();
    for (from, name, sources, targets) in [(Domain::X, "X to Y", &x, &y), (Domain::Y, "Y to X", &y, &x)] {
        let partners = match judging.paired {
            true => Some(partners(&config, from, images[from as usize].names())?),
            false => None,
        };
        let (translations, back) = translate(&model, &values, device, from.other(), sources)?;
        figures.extend(translated(&Direction {
            name,
            sources,
            translations: &translations,
            back: &back,
            targets,
            partners: partners.as_ref(),
        })?);
    }
    Ok(figures)
}

/// The images of the set other than `from` that are called `names`, in their order.
fn partners(config: &CycleGanConfig, from: Domain, names: &[String]) -> Result<Set> {
    let (source, to) = (config.source(from.other()), from.other().name());
    let there = find(source)?;
    if let Some(missing) = names.iter().find(|name| there.iter().all(|file| file.name != **name)) {
        return Err(Error::Input(format!(
            "{to} ({source}) has no partner named {missing} for {0}'s image; with `paired`, both sets need the same \
             file names",
            from.name()
        )));
    }
    Ok(set(&Images::load_named(source, names, &config.common.plain_options())?))
}

/// Translations of `sources` and those translated back, in batches as in training; the last is filled up with the first
/// images.
fn translate(
    model: &CycleGan,
    values: &[Vec<f32>],
    device: &Device,
    to: Domain,
    sources: &Set,
) -> Result<(Set, Set)> {
    let Set { side, channels, .. } = *sources;
    let step = model.translator(to, BATCH, [side; 2], NormMode::Batch)?;
    let mut executor = device.executor(&model.buffers(), vec![step])?;
    for buffer in [GENERATORS.parameters, GENERATORS.running, AVERAGES] {
        executor.write_state(buffer, &values[buffer])?;
    }
    let values = (&sources.values[..], BATCH * side * side * channels);
    let mut drawn = in_batches(&mut *executor, 0, "images", values, &["translation", "back"])?.into_iter();
    let mut next = || Set { values: drawn.next().unwrap_or_default(), side, channels };
    Ok((next(), next()))
}
