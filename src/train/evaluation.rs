//! Figures of a run's checkpoint, on the pictures it was and was not trained on.

use super::checkpoint::Checkpoint;
use super::config::{CycleGanConfig, DcganConfig, RunConfig};
use super::cyclegan_steps::{AVERAGES, CycleGan, Domain, GENERATORS};
use super::sampling::Sampler;
use crate::data::{LoadOptions, Pictures, find, to_unit};
use crate::device::Device;
use crate::evaluate::{Direction, Figure, Set, generated, translated};
use crate::nn::Statistics;
use crate::{Error, Result};

/// Translations made at once.
const BATCH: usize = 16;

/// What a checkpoint is judged by.
#[derive(Clone, Copy, Debug, Default)]
pub struct Judging {
    /// Pictures a generator draws; as many as there are real ones, from 64 to 1,024, where it is not given.
    pub count: Option<usize>,
    /// Whether translations are compared with the other set's pictures of the same name.
    pub paired: bool,
}

/// Judges a checkpoint of either kind.
///
/// # Errors
/// If the checkpoint, its pictures or the device cannot be used, or the judging asks for what the kind does not have.
pub fn judge(checkpoint: &Checkpoint, device: &Device, judging: Judging) -> Result<Vec<Figure>> {
    if checkpoint.kind() == CycleGanConfig::KIND {
        if judging.count.is_some() {
            return Err(Error::Input(
                "`count` is for DCGAN; all pictures of both sets are translated".into(),
            ));
        }
        return cyclegan(checkpoint, device, judging.paired);
    }
    if judging.paired {
        return Err(Error::Input("`paired` is for CycleGAN; a DCGAN's pictures have no partners".into()));
    }
    dcgan(checkpoint, device, judging.count)
}

fn set(pictures: &Pictures) -> Set {
    let bytes = (0..pictures.len()).flat_map(|index| pictures.picture(index));
    Set {
        values: bytes.map(|&byte| to_unit(byte)).collect(),
        side: pictures.side(),
        channels: pictures.channels(),
    }
}

fn dcgan(checkpoint: &Checkpoint, device: &Device, count: Option<usize>) -> Result<Vec<Figure>> {
    let config: DcganConfig = checkpoint.config()?;
    let options = LoadOptions { side: config.size, ..config.load_options() };
    let loaded = Pictures::load(&config.data, &options)?;
    let (training, held_out) = loaded.pictures.split(config.holdout, config.seed)?;
    let real = if held_out.is_empty() { training.len() } else { held_out.len() };
    let count = count.unwrap_or(real.clamp(64, 1024));
    let mut pictures = Set { values: Vec::new(), side: config.size, channels: config.channels };
    Sampler::new(checkpoint, device, Statistics::Batch)?.pictures(config.seed, count, &mut |drawn| {
        pictures.values.extend_from_slice(drawn.picture);
        Ok(())
    })?;
    generated(&pictures, &set(&training), &set(&held_out))
}

fn cyclegan(checkpoint: &Checkpoint, device: &Device, paired: bool) -> Result<Vec<Figure>> {
    let config: CycleGanConfig = checkpoint.config()?;
    let model = config.cyclegan()?;
    let values = checkpoint.banks(&model)?;
    let options = config.plain_options();
    let mut figures = Vec::new();
    for (from, name) in [(Domain::X, "X to Y"), (Domain::Y, "Y to X")] {
        let names = judged(&config, from)?;
        let sources = set(&Pictures::load_named(config.source(from), &names, &options)?);
        let to = from.other();
        let targets = set(&Pictures::load_named(config.source(to), &judged(&config, to)?, &options)?);
        let partners = match paired {
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
    Ok(set(&Pictures::load_named(source, names, &config.plain_options())?))
}

/// Names of the pictures of a set to judge by: those held out, or all where none are.
fn judged(config: &CycleGanConfig, domain: Domain) -> Result<Vec<String>> {
    let loaded = Pictures::load(config.source(domain), &config.plain_options())?;
    let (training, held_out) = loaded.pictures.split(config.holdout, config.seed)?;
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
    let step = model.translator(to, BATCH, [side; 2], Statistics::Batch)?;
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
