//! Figures of a DCGAN's checkpoint, on the pictures it was and was not trained on.

use super::DcganConfig;
use super::sampling::Sampler;
use crate::data::Pictures;
use crate::device::Device;
use crate::evaluate::{Figure, Set, generated};
use crate::nn::NormMode;
use crate::train::checkpoint::Checkpoint;
use crate::train::evaluation::{Judging, set};
use crate::{Error, Result};

/// Judges a checkpoint.
///
/// # Errors
/// If the checkpoint, its pictures or the device cannot be used, or the judging is that of translations.
pub fn evaluate(checkpoint: &Checkpoint, device: &Device, judging: Judging) -> Result<Vec<Figure>> {
    if judging.paired {
        return Err(Error::Input("`paired` is for CycleGAN; a DCGAN's pictures have no partners".into()));
    }
    let config: DcganConfig = checkpoint.config()?;
    let common = &config.common;
    let loaded = Pictures::load(&config.data, &common.plain_options())?;
    let (training, held_out) = loaded.pictures.split(common.holdout, common.seed)?;
    let real = if held_out.is_empty() { training.len() } else { held_out.len() };
    let count = judging.count.unwrap_or(real.clamp(64, 1024));
    let mut pictures = Set { values: Vec::new(), side: common.size, channels: common.channels };
    Sampler::new(checkpoint, device, NormMode::Batch)?.pictures(common.seed, count, &mut |drawn| {
        pictures.values.extend_from_slice(drawn.picture);
        Ok(())
    })?;
    generated(&pictures, &set(&training), &set(&held_out))
}
