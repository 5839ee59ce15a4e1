//! Figures of a CycleGAN's checkpoint, on the images it was and was not trained on.

use super::{AVERAGES, CycleGan, CycleGanConfig, Domain, GENERATORS};
use crate::data::Images;
use crate::device::Device;
use crate::evaluate::{Direction, Figure, Set, translated};
use crate::executor::in_batches;
use crate::nn::NormMode;
use crate::train::checkpoint::Checkpoint;
use crate::train::dataset::Known;
use crate::train::evaluation::{Judging, REAL, set, some};
use crate::train::model::Model;
use crate::train::preparation::Preparation;
use crate::train::split::stem;
use crate::{Error, Result};
use std::collections::HashMap;

/// Translations made at once.
const BATCH: usize = 16;

/// Judges a checkpoint.
///
/// # Errors
/// If the checkpoint, its images or the device cannot be used, or the judging is that of images drawn from noise.
pub fn evaluate(
    checkpoint: &Checkpoint,
    device: &Device,
    judging: &Judging,
    watch: &dyn Preparation,
) -> Result<Vec<Figure>> {
    if judging.count.is_some() {
        return Err(Error::Input("`count` is for DCGAN; all images of both sets are translated".into()));
    }
    judging.check_noiseless()?;
    let config: CycleGanConfig = checkpoint.config()?;
    let model = config.cyclegan()?;
    let values = checkpoint.buffers(&model)?;
    let sets = Known::all(checkpoint, &CycleGan::datasets(&config), &config.common, watch)?;
    let images = judged(&config, &sets, REAL, watch)?;
    let [x, y] = images.each_ref().map(set);
    let mut figures = Vec::new();
    for (from, name, sources, targets) in [(Domain::X, "X to Y", &x, &y), (Domain::Y, "Y to X", &y, &x)] {
        let partners = match judging.paired {
            true => Some(partners(&config, from, &sets, images[from as usize].names(), watch)?),
            false => None,
        };
        let (translations, back) = translate(&model, &values, device, from.other(), sources)?;
        figures.extend(translated(&Direction {
            name,
            sources,
            translations: &translations,
            back: Some(&back),
            targets,
            partners: partners.as_ref(),
        })?);
        figures.extend(judging.compare(&format!("{name}: "), &translations, targets, watch)?);
    }
    Ok(figures)
}

/// The images of the sets X and Y at the size of training that a checkpoint is judged by, at most so many: those held out, or trained
/// on where none are.
///
/// # Errors
/// If they cannot be read.
pub fn judged(
    config: &CycleGanConfig,
    sets: &[Known<'_>],
    most: usize,
    watch: &dyn Preparation,
) -> Result<[Images; 2]> {
    let common = &config.common;
    let load = |domain: Domain| {
        let known = &sets[domain as usize];
        let names = some(known.members.judged(), domain.name(), most, common.seed, watch);
        known.load(&names, &common.plain_options(config.channels(domain)), watch)
    };
    Ok([load(Domain::X)?, load(Domain::Y)?])
}

/// The partners of the images of `from` that are called `names`, in their order: the images of the other set that have the same
/// name but for its extension.
fn partners(
    config: &CycleGanConfig,
    from: Domain,
    sets: &[Known<'_>],
    names: &[String],
    watch: &dyn Preparation,
) -> Result<Set> {
    let (source, to) = (config.source(from.other()), from.other().name());
    let there = &sets[from.other() as usize];
    let by_stem: HashMap<&str, &str> = there.names().map(|name| (stem(name), name)).collect();
    let partner = |name: &String| match by_stem.get(stem(name)) {
        Some(partner) => Ok((*partner).to_owned()),
        None => Err(Error::Input(format!(
            "{to} ({source}) has no partner named {} for {}'s image {name}; with `paired`, both sets need the same file \
             names, but for their extensions",
            stem(name),
            from.name()
        ))),
    };
    let partners = names.iter().map(partner).collect::<Result<Vec<_>>>()?;
    let options = config.common.plain_options(config.channels(from.other()));
    let loaded = there.load(&partners, &options, watch)?;
    let places: HashMap<&String, usize> =
        loaded.names().iter().enumerate().map(|(index, name)| (name, index)).collect();
    let in_order: Option<Vec<usize>> = partners.iter().map(|name| places.get(name).copied()).collect();
    let in_order =
        in_order.ok_or_else(|| Error::Input(format!("{to} ({source}): a partner cannot be read")))?;
    Ok(set(&loaded.select(&in_order)))
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
    let Set { size, channels, .. } = *sources;
    let step = model.translator(to, BATCH, size.extents(), NormMode::Batch)?;
    let mut executor = device.executor(&model.buffers(), vec![step])?;
    for buffer in [GENERATORS.parameters, GENERATORS.running, AVERAGES] {
        executor.write_state(buffer, &values[buffer])?;
    }
    let values = (&sources.values[..], BATCH * size.area() * channels);
    let mut drawn = in_batches(&mut *executor, 0, "images", values, &["translation", "back"])?.into_iter();
    let mut next = |channels| Set { values: drawn.next().unwrap_or_default(), size, channels };
    Ok((next(model.channels[to as usize]), next(channels)))
}
