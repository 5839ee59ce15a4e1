//! Sample sheets: the same sources all along, beside their translations.

use super::{CycleGan, CycleGanConfig, Domain};
use crate::Result;
use crate::data::{Images, with_channels};
use crate::nn::{Norm, NormMode};
use crate::report::{self, Layout, sheet};
use crate::train::evaluation;
use crate::train::model::SheetSpec;
use crate::train::run_folder::RunFolder;
use crate::train::split::Members;

/// Images of each set on a sheet.
const COUNT: usize = 16;
/// Sources in a row.
const SOURCES: usize = 4;

/// The images of a set on its sheet: the first of the held-out ones where there are enough, else of those trained on.
fn names(set: &Members) -> &[String] {
    let names = if set.held_out.len() >= COUNT { &set.held_out } else { &set.trained };
    &names[..names.len().min(COUNT)]
}

/// What translates the sheet's images of `from`, there and back: all together where norms are over the batch, else as many at once
/// as in training.
///
/// # Errors
/// If the networks do not fit the size.
pub fn spec(config: &CycleGanConfig, model: &CycleGan, from: Domain, set: &Members) -> Result<SheetSpec> {
    let (count, common) = (names(set).len(), &config.common);
    let batch = if common.norm == Norm::Batch { count } else { count.min(common.batch) };
    let step = model.translator(from.other(), batch, common.size.extents(), NormMode::Batch)?;
    Ok(SheetSpec { step, input: "images", constants: Vec::new(), like: from.other() as usize })
}

/// The sheet's images of `from`.
///
/// # Errors
/// If they cannot be read again at the size of training.
pub fn input(config: &CycleGanConfig, from: Domain, set: &Members) -> Result<Vec<f32>> {
    let options = config.common.plain_options(config.channels(from));
    let images = Images::load_named(config.source(from), names(set), &options)?;
    Ok(evaluation::set(&images).values)
}

/// Writes the sheet of translations, and that of the way there and back.
///
/// # Errors
/// If a file cannot be written.
pub fn save(
    config: &CycleGanConfig,
    from: Domain,
    images: [&[f32]; 3],
    folder: &RunFolder,
    step: u64,
) -> Result<()> {
    let names = match from {
        Domain::X => ["XtoY", "XtoYtoX"],
        Domain::Y => ["YtoX", "YtoXtoY"],
    };
    let size = config.common.size;
    let [own, other] = [from, from.other()].map(|domain| config.channels(domain));
    // Images of one sheet have the same channels.
    let most = own.max(other);
    let images: Vec<Vec<f32>> = images
        .into_iter()
        .zip([own, other, own])
        .map(|(of, channels)| with_channels(of, channels, most))
        .collect();
    let [source, translated, back] =
        [0, 1, 2].map(|index| report::Images { values: &images[index], size, channels: most });
    let layout = |images: usize| Layout::new(images * SOURCES, size);
    let [translation, circle] = names.map(|name| folder.sample_path(step, name));
    sheet::pairs(source, translated, layout(2))?.save_png(translation)?;
    sheet::side_by_side(&[source, translated, back], layout(3))?.save_png(circle)
}
