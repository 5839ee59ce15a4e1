//! Memory: a plan over the limit is refused with what it needs and what would fit.

use super::steps;
use crate::device::Device;
use crate::train::config::CycleGanConfig;
use crate::{Error, Result};

/// Refuses `bytes` where they are over the limit of `config`; `sheets` are the pictures on each sample sheet.
///
/// # Errors
/// If they are; the text says which batch or size would fit.
pub fn check(config: &CycleGanConfig, device: &Device, bytes: usize, sheets: [usize; 2]) -> Result<()> {
    let Some(limit) = config.memory_limit else { return Ok(()) };
    let needed = mebibytes(bytes);
    if needed <= limit {
        return Ok(());
    }
    let advice = match fitting(config, device, sheets, limit) {
        Some((smaller, needed)) if smaller.size == config.size => {
            format!("--batch {} would fit, with {needed} MiB", smaller.batch)
        }
        Some((smaller, needed)) => {
            format!("--batch {} --size {} would fit, with {needed} MiB", smaller.batch, smaller.size)
        }
        None => "no smaller --batch or --size alone would fit; use a smaller --g-width or --d-width".into(),
    };
    Err(Error::Input(format!(
        "this run needs {needed} MiB of memory, over the limit of {limit} (--memory-limit); {advice}"
    )))
}

/// Bytes in whole MiB, rounded up.
pub fn mebibytes(bytes: usize) -> u64 {
    bytes.div_ceil(1 << 20) as u64
}

/// The first of ever smaller runs that fits: halved batches, then halved sizes; and what it needs.
fn fitting(
    config: &CycleGanConfig,
    device: &Device,
    sheets: [usize; 2],
    limit: u64,
) -> Option<(CycleGanConfig, u64)> {
    let mut smaller = config.clone();
    loop {
        if smaller.batch > 1 {
            smaller.batch /= 2;
        } else {
            smaller.size /= 2;
        }
        smaller.check().ok()?;
        let model = smaller.cyclegan().ok()?;
        let steps = steps(&smaller, &model, sheets).ok()?;
        let needed = mebibytes(device.planned_bytes(&model.banks(), &steps).ok()?);
        if needed <= limit {
            return Some((smaller, needed));
        }
    }
}
