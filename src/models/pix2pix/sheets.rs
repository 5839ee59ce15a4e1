//! Sample sheets: the same pairs all along, between source and target what is drawn of the source.

use super::{Pix2Pix, Pix2PixConfig};
use crate::Result;
use crate::data::{Images, LoadOptions, with_channels};
use crate::nn::NormMode;
use crate::report::{self, Layout, sheet};
use crate::train::evaluation;
use crate::train::model::SheetSpec;
use crate::train::run_folder::RunFolder;
use crate::train::split::Members;

/// Pairs on a sheet.
const COUNT: usize = 16;
/// Pairs in a row.
const PAIRS: usize = 2;

/// The images of a set on the sheet: the first of the held-out ones where there are enough, else of those trained on.
fn names(set: &Members) -> &[String] {
    let names = if set.held_out.len() >= COUNT { &set.held_out } else { &set.trained };
    &names[..names.len().min(COUNT)]
}

/// What translates the sheet's sources, as many at once as in training.
///
/// # Errors
/// If the networks do not fit the size.
pub fn spec(config: &Pix2PixConfig, model: &Pix2Pix, sets: &[&Members]) -> Result<SheetSpec> {
    let [source, target] = config.sets();
    let batch = names(sets[source as usize]).len().clamp(1, config.common.batch);
    let step = model.sheet(batch, NormMode::Batch)?;
    let constants = model.dropouts(&step, config.common.seed);
    Ok(SheetSpec { step, input: "pairs", constants, like: target as usize })
}

/// The sheet's pairs: pixel by pixel the channels of the source, then those of the target.
///
/// # Errors
/// If they cannot be read again at the size of training.
pub fn input(config: &Pix2PixConfig, sets: &[&Members]) -> Result<Vec<f32>> {
    let [source, target] = config.sets().map(|domain| {
        let plain = config.common.plain_options(config.channels(domain));
        let options = LoadOptions { half: config.half(domain), ..plain };
        Images::load_named(config.source(domain), names(sets[domain as usize]), &options)
    });
    // Both in the order of their files' names, which that of their stems need not be.
    let (source, target) = (source?, target?);
    let place = |images: &Images, name: &String| images.names().iter().position(|of| of == name);
    let [own, other] = config.sets().map(|domain| names(sets[domain as usize]));
    let in_order = |images: &Images, of: &[String]| {
        let order: Vec<usize> = of.iter().filter_map(|name| place(images, name)).collect();
        evaluation::set(&images.select(&order))
    };
    let (source, target) = (in_order(&source, own), in_order(&target, other));
    let pixels = source.values.chunks(source.channels).zip(target.values.chunks(target.channels));
    Ok(pixels.flat_map(|(source, target)| source.iter().chain(target)).copied().collect())
}

/// Writes the sheet of `pairs` and the translations of their sources.
///
/// # Errors
/// If a file cannot be written.
pub fn save(
    config: &Pix2PixConfig,
    pairs: &[f32],
    translations: &[f32],
    folder: &RunFolder,
    step: u64,
) -> Result<()> {
    let [reads, writes] = config.sets().map(|domain| config.channels(domain));
    // Images of one sheet have the same channels.
    let most = reads.max(writes);
    let part = |from: usize, channels: usize| {
        let values: Vec<f32> =
            pairs.chunks(reads + writes).flat_map(|pixel| &pixel[from..from + channels]).copied().collect();
        with_channels(&values, channels, most)
    };
    let images = [part(0, reads), with_channels(translations, writes, most), part(reads, writes)];
    let size = config.common.size;
    let sets = images.each_ref().map(|values| report::Images { values, size, channels: most });
    let layout = Layout::new(sets.len() * PAIRS, size);
    sheet::side_by_side(&sets, layout)?.save_png(folder.sample_path(step, ""))
}
