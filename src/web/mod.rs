//! A static site that runs a trained model in a browser, by WebGPU: the same programs that a GPU runs here, written down
//! as data, and a replayer of them in plain JavaScript (`assets/web/`).
//!
//! | file | what it is |
//! |---|---|
//! | `model.json` | what was trained, and what of it the other files hold |
//! | `programs/hardware/STEP.json` | a step's [`Program`](crate::gpu::program::Program), with the kernels meant for GPUs |
//! | `programs/software/STEP.json` | the same with those meant for software drivers, which compile no large kernel |
//! | `state/PART.safetensors` | the state buffers that the steps of a part work on |
//! | `check.safetensors` | inputs of steps, and what the reference makes of them |
//! | `images/*.png` | images of the run's sets, side by side |
//! | `index.html`, `*.css`, `*.js` | the page |

mod check;
mod cyclegan;
mod dcgan;
mod directions;
mod files;
mod phases;

use crate::models::Kind;
use crate::train::checkpoint::Checkpoint;
use crate::train::preparation::Preparation;
use crate::{Error, Result};
use std::path::Path;

/// What the site is to be, beside what the checkpoint says.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// The page's title; what was trained, where it is not given.
    pub title: Option<String>,
    /// Images of each of the run's sets that become part of the site: for DCGAN 64 to go on training with where it is not
    /// given, for CycleGAN 12 as examples.
    pub images: Option<usize>,
}

/// What was written.
#[derive(Clone, Copy, Debug)]
pub struct Exported {
    /// Bytes of all files.
    pub bytes: u64,
    /// Images of the run's sets among them.
    pub images: usize,
    /// Whether the page can go on with the training.
    pub trains: bool,
}

/// Writes the site of a checkpoint into the folder `out`, which must be empty or not there; `watch` hears how images are made
/// ready.
///
/// # Errors
/// If the checkpoint or its images cannot be used, the model is larger than what WebGPU guarantees, or a file cannot be
/// written.
pub fn export(
    checkpoint: &Checkpoint,
    options: &Options,
    out: &Path,
    watch: &dyn Preparation,
) -> Result<Exported> {
    match Kind::of_checkpoint(checkpoint)? {
        Kind::Dcgan => dcgan::export(checkpoint, options, out, watch),
        Kind::CycleGan => cyclegan::export(checkpoint, options, out, watch),
        kind @ Kind::Pix2Pix => Err(Error::Input(format!(
            "{0}: there is no page for {1} yet; export its generator for other programs, browsers among them: `export onnx {0}`",
            checkpoint.path().display(),
            kind.title()
        ))),
    }
}
