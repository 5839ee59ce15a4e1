//! Figures of a pix2pix's checkpoint, on the pairs it was and was not trained on.

use super::{OneWay, Pix2Pix, Pix2PixConfig};
use crate::device::Device;
use crate::evaluate::{Direction, Figure, Set, translated};
use crate::executor::in_batches;
use crate::models::translation::{Translating, Wanted};
use crate::train::checkpoint::Checkpoint;
use crate::train::dataset::Known;
use crate::train::evaluation::{Judging, REAL, set, some};
use crate::train::model::Model;
use crate::train::pairs;
use crate::train::preparation::Preparation;
use crate::{Error, Result};

/// Translations made at once.
const BATCH: usize = 16;

/// Judges a checkpoint by its translations, made as `translate` makes them.
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
        return Err(Error::Input("`count` is for DCGAN; all pairs are translated".into()));
    }
    let wanted = Wanted { no_dropout: judging.no_dropout, ..Wanted::default() };
    let mut generator = OneWay::new(checkpoint, &wanted)?;
    let [sources, targets] = judged(checkpoint, &generator.config, watch)?;
    let translations = translate(&mut generator, device, &sources)?;
    let to = generator.to();
    let name = format!("{} to {}", to.other().name(), to.name());
    let mut figures = translated(&Direction {
        name: &name,
        sources: &sources,
        translations: &translations,
        back: None,
        targets: &targets,
        partners: Some(&targets),
    })?;
    figures.extend(judging.compare(&format!("{name}: "), &translations, &targets, watch)?);
    Ok(figures)
}

/// The sources and the targets that a checkpoint is judged by, in one order.
fn judged(checkpoint: &Checkpoint, config: &Pix2PixConfig, watch: &dyn Preparation) -> Result<[Set; 2]> {
    let common = &config.common;
    let known = Known::all(checkpoint, &Pix2Pix::datasets(config), common, watch)?;
    let mut sets = Vec::new();
    for (index, domain) in config.sets().into_iter().enumerate() {
        let of = &known[domain as usize];
        let members = of.members.judged();
        // As many of both, so that the same are chosen of both; that is told once.
        let names = match index {
            0 => some(members, "paired", REAL, common.seed, watch),
            _ => some(members, "paired", REAL, common.seed, &()),
        };
        sets.push(of.load(&names, &common.plain_options(config.channels(domain)), watch)?);
    }
    pairs::partners(&mut sets);
    if sets[0].is_empty() {
        return Err(Error::Input("no pair can be read of which both images are there".into()));
    }
    Ok([set(&sets[0]), set(&sets[1])])
}

/// Translations of `sources`; the last batch is filled up with the first images.
fn translate(generator: &mut OneWay, device: &Device, sources: &Set) -> Result<Set> {
    let Set { size, channels, .. } = *sources;
    let batch = BATCH.min(generator.at_once());
    let step = generator.whole(batch, size.extents())?;
    let inputs = generator.inputs(&step);
    let mut executor = device.executor(&generator.buffers(), vec![step])?;
    for (buffer, values) in generator.state() {
        executor.write_state(buffer, &values)?;
    }
    inputs.iter().try_for_each(|(name, values)| executor.write_input(0, name, values))?;
    let values = (&sources.values[..], batch * size.area() * channels);
    let mut drawn = in_batches(&mut *executor, 0, "images", values, &["translation"])?;
    Ok(Set { values: drawn.swap_remove(0), size, channels: generator.channels()[1] })
}
