//! Figures of a DCGAN's checkpoint, on the images it was and was not trained on.

use super::sampling::Sampler;
use super::{Dcgan, DcganConfig};
use crate::device::Device;
use crate::evaluate::{Figure, Set, generated};
use crate::nn::NormMode;
use crate::train::checkpoint::Checkpoint;
use crate::train::dataset::Known;
use crate::train::evaluation::{Judging, REAL, SEARCHED, set, some};
use crate::train::model::Model;
use crate::train::preparation::Preparation;
use crate::{Error, Result};

/// Judges a checkpoint.
///
/// # Errors
/// If the checkpoint, its images or the device cannot be used, or the judging is that of translations.
pub fn evaluate(
    checkpoint: &Checkpoint,
    device: &Device,
    judging: &Judging,
    watch: &dyn Preparation,
) -> Result<Vec<Figure>> {
    if judging.paired {
        return Err(Error::Input("`paired` is for CycleGAN; a DCGAN's images have no partners".into()));
    }
    judging.check_noiseless()?;
    let config: DcganConfig = checkpoint.config()?;
    let common = &config.common;
    let known = Known::all(checkpoint, &Dcgan::datasets(&config), common, watch)?.remove(0);
    let options = common.plain_options(common.channels);
    let load = |names: &[String], what: &str, most: usize| {
        known.load(&some(names, what, most, common.seed, watch), &options, watch)
    };
    let training = load(&known.members.trained, "training", SEARCHED)?;
    let held_out = load(&known.members.held_out, "held-out", REAL)?;
    let real = if held_out.is_empty() { training.len() } else { held_out.len() };
    let count = judging.count.unwrap_or(real.clamp(64, REAL));
    let mut images = Set { values: Vec::new(), size: common.size, channels: common.channels };
    watch.ready(0, count);
    Sampler::new(checkpoint, device, NormMode::Batch)?.images(common.seed, count, &mut |drawn| {
        images.values.extend_from_slice(drawn.image);
        watch.ready(images.len(), count);
        Ok(())
    })?;
    let (training, held_out) = (set(&training), set(&held_out));
    let mut figures = generated(&images, &training, &held_out)?;
    let real = if held_out.is_empty() { &training } else { &held_out };
    figures.extend(judging.compare("", &images, real, watch)?);
    Ok(figures)
}
