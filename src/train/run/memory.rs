//! Memory: a plan over the limit is refused with what it needs and what would fit.

use super::{Programs, networks};
use crate::device::Device;
use crate::graph::{StateBuffer, Step};
use crate::machine;
use crate::ranks::Ranks;
use crate::size::Size;
use crate::train::config::{Common, RunConfig};
use crate::train::dataset::{Dataset, DatasetSpec};
use crate::train::model::Model;
use crate::train::split::Split;
use crate::{Error, Result};

/// How much a run may take, in MiB, and what says so.
struct Limit {
    mebibytes: u64,
    words: String,
}

/// Refuses networks that are over the limit by themselves, before any image is loaded.
///
/// # Errors
/// If they are.
pub fn check_networks<M: Model>(config: &M::Config, device: &Device, ranks: &Ranks) -> Result<()> {
    let needed = mebibytes(least(&networks::<M>(config, ranks)?.buffers(), &[]));
    match limit(config, device, ranks) {
        Some(Limit { mebibytes, words }) if needed > mebibytes => Err(Error::Memory(format!(
            "these networks alone need {needed} MiB of memory, over {words}; use a smaller `g_width` or `d_width`"
        ))),
        _ => Ok(()),
    }
}

/// The memory that a run's `steps` take without its images, in MiB; where that is clearly over the limit, only so much as is clear.
///
/// # Errors
/// If a tensor is larger than the device can bind.
pub fn of_programs<M: Model>(
    config: &M::Config,
    device: &Device,
    steps: &[Step],
    ranks: &Ranks,
) -> Result<u64> {
    let most = limit(config, device, ranks).map_or(u64::MAX, |limit| limit.mebibytes);
    needed(device, &networks::<M>(config, ranks)?.buffers(), steps, most)
}

/// The memory that a run takes on the images of `split`, in MiB, before it is taken: `programs` is [`of_programs`]. Of images that are
/// loaded, `sets`, what they do take counts.
///
/// # Errors
/// If it is over the limit of `config`, or more than the machine has; the text says which batch or size would fit.
pub fn check<M: Model>(
    config: &M::Config,
    (split, sets): (&Split, &[Dataset]),
    device: &Device,
    programs: u64,
    ranks: &Ranks,
) -> Result<u64> {
    let limit = limit(config, device, ranks);
    let most = limit.as_ref().map_or(u64::MAX, |limit| limit.mebibytes);
    let images = images::<M>(config, split, sets);
    let needed = images + programs;
    let Some(Limit { words, .. }) = limit.filter(|_| needed > most) else { return Ok(needed) };
    let size = config.common().size;
    let name = if ranks.size() > 1 { "global_batch" } else { "batch" };
    let advice = match fitting::<M>(config, (split, sets), device, ranks, most) {
        Some(((batch, same), needed)) if same == size => {
            format!("`{name}` {batch} would fit, with {needed} MiB")
        }
        Some(((batch, smaller), needed)) => {
            format!("`{name}` {batch} and `size` {smaller} would fit, with {needed} MiB")
        }
        None => "no smaller `batch` or `size` alone would fit; use a smaller `g_width` or `d_width`, or fewer images".into(),
    };
    Err(Error::Memory(format!(
        "this run needs {needed} MiB of memory ({images} of them for its images), over {words}; {advice}"
    )))
}

/// The memory that a run's images take, in MiB.
fn images<M: Model>(config: &M::Config, split: &Split, sets: &[Dataset]) -> u64 {
    // Whole images take the same, whatever the crops of them.
    if sets.iter().any(|set| set.images.varied()) {
        return mebibytes(sets.iter().map(|set| set.images.bytes()).sum());
    }
    let bytes =
        |set: &DatasetSpec<'_>| config.common().load_options(set.channels).bytes(split.of(set.name).len());
    mebibytes(M::datasets(config).iter().map(bytes).sum())
}

/// Refuses programs over `buffers` that need more memory than the machine has, where its CPU computes them.
///
/// # Errors
/// If they do; the text says what `what` needs.
pub fn check_program(what: &str, device: &Device, buffers: &[StateBuffer], steps: &[Step]) -> Result<()> {
    let (Device::Cpu { .. }, Some(most)) = (device, machine::memory()) else { return Ok(()) };
    match needed(device, buffers, steps, most)? {
        needed if needed > most => Err(Error::Memory(format!(
            "{what} need {needed} MiB of memory, over the {most} MiB of this machine; use fewer at once, or smaller ones"
        ))),
        _ => Ok(()),
    }
}

/// That of the settings, and on the CPU that of the machine, shared by the ranks on it.
fn limit(config: &impl RunConfig, device: &Device, ranks: &Ranks) -> Option<Limit> {
    let own = config
        .common()
        .memory_limit
        .map(|mebibytes| Limit { mebibytes, words: format!("the limit of {mebibytes} (`memory_limit`)") });
    let machine = match device {
        Device::Cpu { .. } => machine::memory().map(|mebibytes| match ranks.local().1 {
            1 => Limit { mebibytes, words: format!("the {mebibytes} MiB of this machine") },
            sharing => Limit {
                mebibytes: mebibytes / sharing as u64,
                words: format!("the {mebibytes} MiB of this machine, shared by {sharing} ranks"),
            },
        }),
        Device::Gpu(_) => None,
    };
    own.into_iter().chain(machine).min_by_key(|limit| limit.mebibytes)
}

/// The memory that `steps` over `buffers` take, in MiB; where that is clearly over `most`, only so much as is clear.
///
/// # Errors
/// If a tensor is larger than the device can bind.
pub fn needed(device: &Device, buffers: &[StateBuffer], steps: &[Step], most: u64) -> Result<u64> {
    let least = mebibytes(least(buffers, steps));
    // No device is asked to plan what no machine has.
    if least > most {
        return Ok(least);
    }
    let planned = device.planned_bytes(buffers, steps)?;
    Ok(mebibytes(u64::try_from(planned).unwrap_or(u64::MAX)))
}

/// Bytes that are needed whatever the plan: all state buffers, and the largest tensor of any step.
fn least(buffers: &[StateBuffer], steps: &[Step]) -> u64 {
    let bytes = |numbers: usize| (numbers as u64).saturating_mul(size_of::<f32>() as u64);
    let kept = buffers.iter().fold(0_u64, |sum, buffer| sum.saturating_add(bytes(buffer.len)));
    let nodes = steps.iter().flat_map(|step| &step.nodes);
    let largest = nodes.map(|node| bytes(node.shape.len())).max().unwrap_or(0);
    kept.saturating_add(largest)
}

/// Bytes in whole MiB, rounded up.
fn mebibytes(bytes: u64) -> u64 {
    bytes.div_ceil(1 << 20)
}

/// Batch and size of the first of ever smaller runs that fits, and what it needs.
fn fitting<M: Model>(
    config: &M::Config,
    (split, sets): (&Split, &[Dataset]),
    device: &Device,
    ranks: &Ranks,
    most: u64,
) -> Option<((usize, Size), u64)> {
    let mut smaller = config.smaller()?;
    loop {
        let buffers = networks::<M>(&smaller, ranks).ok()?.buffers();
        let steps = Programs::new::<M>(&smaller, split, ranks).ok()?.steps();
        let images = images::<M>(&smaller, split, sets);
        let needed = images + needed(device, &buffers, &steps, most.saturating_sub(images)).ok()?;
        if needed <= most {
            let Common { batch, size, .. } = *smaller.common();
            return Some(((batch, size), needed));
        }
        smaller = smaller.smaller()?;
    }
}
