//! Sample sheets: the same sources all along, beside their translations.

use crate::Result;
use crate::data::{Pictures, to_unit};
use crate::executor::Executor;
use crate::graph::Step;
use crate::nn::Statistics;
use crate::nn::dcgan::Norm;
use crate::report::{self, Layout, sheet};
use crate::train::config::CycleGanConfig;
use crate::train::cyclegan_steps::{CycleGan, Domain};
use crate::train::run_folder::RunFolder;
use crate::train::source::Source;

/// Pictures of each set on a sheet.
const COUNT: usize = 16;
/// Sources in a row.
const SOURCES: usize = 4;

/// Pictures of one set and the step that translates them there and back.
pub struct Sheet {
    /// The sheets' names: the translation's, and that of the way there and back.
    names: [&'static str; 2],
    /// `[count, size, size, channels]`.
    sources: Vec<f32>,
    /// Pictures that are translated at once.
    batch: usize,
    side: usize,
    channels: usize,
}

/// Pictures of a sheet of `count` that are translated at once: all together where norms are over the batch, as in
/// training.
fn batch(config: &CycleGanConfig, count: usize) -> usize {
    match config.norm {
        Norm::Batch => count,
        _ => count.min(config.batch),
    }
}

/// The pictures of `source` on its sheet: the first of the held-out ones where there are enough, else of those trained on.
fn names(source: &Source) -> &[String] {
    let held_out = source.held_out.names();
    let names = if held_out.len() >= COUNT { held_out } else { source.pictures.names() };
    &names[..names.len().min(COUNT)]
}

/// The step that translates the sheet of `source`, pictures of `from`.
///
/// # Errors
/// If the networks do not fit the size.
pub fn step(config: &CycleGanConfig, model: &CycleGan, from: Domain, source: &Source) -> Result<Step> {
    let batch = batch(config, names(source).len());
    model.translator(from.other(), batch, [config.size; 2], Statistics::Batch)
}

impl Sheet {
    /// The sheet of `source`, pictures of `from`.
    ///
    /// # Errors
    /// If they cannot be read again at the size of training.
    pub fn new(config: &CycleGanConfig, from: Domain, source: &Source) -> Result<Self> {
        let pictures = Pictures::load_named(config.source(from), names(source), &config.plain_options())?;
        let bytes = (0..pictures.len()).flat_map(|index| pictures.picture(index));
        Ok(Self {
            names: match from {
                Domain::X => ["XtoY", "XtoYtoX"],
                Domain::Y => ["YtoX", "YtoXtoY"],
            },
            sources: bytes.map(|&byte| to_unit(byte)).collect(),
            batch: batch(config, pictures.len()),
            side: config.size,
            channels: config.channels,
        })
    }

    /// Translates the sources by step `index` of `executor` and writes both sheets; returns the translations.
    ///
    /// # Errors
    /// If the device fails or a file cannot be written.
    pub fn save(
        &self,
        executor: &mut dyn Executor,
        index: usize,
        folder: &RunFolder,
        step: u64,
    ) -> Result<Vec<f32>> {
        let len = self.side * self.side * self.channels;
        let (mut there, mut back) = (Vec::new(), Vec::new());
        for sources in self.sources.chunks(self.batch * len) {
            let mut batch = sources.to_vec();
            // A short last batch is filled up; only norms over each picture have one.
            batch.extend_from_slice(&self.sources[..self.batch * len - sources.len()]);
            executor.write_input(index, "pictures", &batch)?;
            executor.run(&[index])?;
            there.extend_from_slice(&executor.read_output(index, "translation")?[..sources.len()]);
            back.extend_from_slice(&executor.read_output(index, "back")?[..sources.len()]);
        }
        let [source, translated, back] = [&self.sources, &there, &back].map(|values| report::Pictures {
            values,
            side: self.side,
            channels: self.channels,
        });
        let layout = |pictures: usize| Layout::new(pictures * SOURCES, self.side);
        let [translation, circle] = self.names.map(|name| folder.sample_path(step, name));
        sheet::pairs(source, translated, layout(2))?.save_png(translation)?;
        sheet::side_by_side(&[source, translated, back], layout(3))?.save_png(circle)?;
        Ok(there)
    }
}
