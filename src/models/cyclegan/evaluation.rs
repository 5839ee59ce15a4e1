//! Figures of a CycleGAN's checkpoint, on the pictures it was and was not trained on.

use super::{AVERAGES, CycleGan, CycleGanConfig, Domain, GENERATORS};
use crate::data::{Pictures, find};
use crate::device::Device;
use crate::evaluate::{Direction, Figure, Set, translated};
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
/// If the checkpoint, its pictures or the device cannot be used, or the judging is that of pictures drawn from noise.
pub fn evaluate(checkpoint: &Checkpoint, device: &Device, judging: Judging) -> Result<Vec<Figure>> {
    if judging.count.is_some() {
        return Err(Error::Input("`count` is for DCGAN; all pictures of both sets are translated".into()));
    }
    let config: CycleGanConfig = checkpoint.config()?;
    let model = config.cyclegan()?;
    let values = checkpoint.banks(&model)?;
    let options = config.common.plain_options();
    let mut figures = Vec::new();
    for (from, name) in [(Domain::X, "X to Y"), (Domain::Y, "Y to X")] {
        let names = judged(&config, from)?;
        let sources = set(&Pictures::load_named(config.source(from), &names, &options)?);
        let to = from.other();
        let targets = set(&Pictures::load_named(config.source(to), &judged(&config, to)?, &options)?);
        let partners = match judging.paired {
            true => Some(partners(&config, from, &names)?),
            false => None,
        };
        let (translations, back) = translate(&model, &values, device, to, &sources)?;
        figures.extend(translated(&Direction {
            name,
            sources: &sources,
            translations: &translations,
            back: &back,
            targets: &targets,
            partners: partners.as_ref(),
        })?);
    }
    Ok(figures)
}

/// The pictures of the set other than `from` that are called `names`, in their order.
fn partners(config: &CycleGanConfig, from: Domain, names: &[String]) -> Result<Set> {
    let (source, to) = (config.source(from.other()), from.other().name());
    let there = find(source)?;
    if let Some(missing) = names.iter().find(|name| there.iter().all(|file| file.name != **name)) {
        return Err(Error::Input(format!(
            "{to} ({source}) has no partner named {missing} for {0}'s picture; with `paired`, both sets need the same \
             file names",
            from.name()
        )));
    }
    Ok(set(&Pictures::load_named(source, names, &config.common.plain_options())?))
}

/// Names of the pictures of a set to judge by: those held out, or all where none are.
fn judged(config: &CycleGanConfig, domain: Domain) -> Result<Vec<String>> {
    let loaded = Pictures::load(config.source(domain), &config.common.plain_options())?;
    let (training, held_out) = loaded.pictures.split(config.common.holdout, config.common.seed)?;
    Ok(if held_out.is_empty() { training.names().to_vec() } else { held_out.names().to_vec() })
}

/// Translations of `sources` and those translated back, in batches as in training; the last is filled up with the first
/// pictures.
fn translate(
    model: &CycleGan,
    values: &[Vec<f32>],
    device: &Device,
    to: Domain,
    sources: &Set,
) -> Result<(Set, Set)> {
    let Set { side, channels, .. } = *sources;
    let step = model.translator(to, BATCH, [side; 2], NormMode::Batch)?;
    let mut executor = device.executor(&model.banks(), vec![step])?;
    for bank in [GENERATORS.parameters, GENERATORS.running, AVERAGES] {
        executor.write_bank(bank, &values[bank])?;
    }
    let empty = Set { values: Vec::new(), side, channels };
    let (mut translations, mut back) = (empty.clone(), empty);
    let batch = BATCH * side * side * channels;
    for pictures in sources.values.chunks(batch) {
        let filled: Vec<f32> =
            pictures.iter().chain(sources.values.iter().cycle()).copied().take(batch).collect();
        executor.write_input(0, "pictures", &filled)?;
        executor.run(&[0])?;
        for (output, set) in [("translation", &mut translations), ("back", &mut back)] {
            set.values.extend_from_slice(&executor.read_output(0, output)?[..pictures.len()]);
        }
    }
    Ok((translations, back))
}
