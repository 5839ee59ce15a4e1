//! `mewgan evaluate`

use super::follow::{Preparing, View};
use super::{Done, say};
use crate::device::Device;
use crate::evaluate::{Comparison, Figure};
use crate::size::Size;
use crate::train::checkpoint::Checkpoint;
use crate::train::evaluation::Judging;
use crate::train::run_folder::RunFolder;
use crate::{Error, Result};
use crate::{file, models};
use clap::Args;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

#[derive(Args)]
pub struct Evaluate {
    /// The run's folder, or a checkpoint file; with REAL a folder of images, .zip file or bundled set.
    #[arg(value_name = "RUN|IMAGES")]
    run: PathBuf,
    /// Compare IMAGES with these real ones; no run is needed.
    #[arg(conflicts_with_all = ["checkpoint", "paired", "no_dropout", "device"])]
    real: Option<String>,
    /// Size at which IMAGES and REAL are compared.
    #[arg(long, requires = "real", default_value = "64", value_name = "SIDE|WIDTHxHEIGHT")]
    size: Size,
    /// Also compute FID, KID, precision and recall with this feature network; NET.toml beside it describes its input.
    #[arg(long, value_name = "NET.onnx")]
    features: Option<PathBuf>,
    /// Step of the checkpoint [default: the newest].
    #[arg(long, value_name = "STEP")]
    checkpoint: Option<u64>,
    /// DCGAN: how many images to draw [default: as many as there are real ones]. With REAL: at most this many images of each
    /// [default: 1024].
    #[arg(long, value_parser = clap::value_parser!(u32).range(16..=100_000))]
    count: Option<u32>,
    /// CycleGAN: also compute the error against the image of the same name in the other dataset, and SSIM.
    #[arg(long)]
    paired: bool,
    /// pix2pix: translate without dropout.
    #[arg(long)]
    no_dropout: bool,
    /// Print JSON.
    #[arg(long)]
    json: bool,
    /// Device to use.
    #[arg(long, default_value = "auto", value_name = "auto|gpu|cpu|N|NAME")]
    device: String,
}

impl Evaluate {
    pub fn run(self) -> Done {
        let comparison = self.features.as_deref().map(comparison).transpose()?;
        let count = self.count.map(|count| count as usize);
        let judging = Judging { count, paired: self.paired, no_dropout: self.no_dropout, comparison };
        if let Some(real) = &self.real {
            let watch = Preparing::new(View::with_json(self.json))?;
            let figures = judging.sources([&self.run.to_string_lossy(), real], self.size, &watch)?;
            drop(watch);
            if self.json {
                say(pretty(&serde_json::json!({ "figures": figures }))?);
            } else {
                figures.iter().for_each(say);
            }
            return Ok(ExitCode::SUCCESS);
        }
        let checkpoint = Checkpoint::of_run(&self.run, self.checkpoint)?;
        let device = Device::open(&self.device)?;
        let watch = Preparing::new(View::with_json(self.json))?;
        let figures = models::evaluate(&checkpoint, &device, &judging, &watch)?;
        drop(watch);
        let json = json(checkpoint.step(), &figures)?;
        if self.json {
            say(&json);
        } else {
            say(device.describe());
            say(format_args!("step {}", checkpoint.step()));
            figures.iter().for_each(say);
        }
        if self.run.is_dir() {
            file::write_atomic(&RunFolder::open(&self.run)?.evaluation_path(), json.as_bytes())?;
        }
        Ok(ExitCode::SUCCESS)
    }
}

/// The figures of a step as JSON.
pub fn json(step: u64, figures: &[Figure]) -> Result<String> {
    pretty(&serde_json::json!({ "step": step, "figures": figures }))
}

fn pretty(value: &serde_json::Value) -> Result<String> {
    serde_json::to_string_pretty(value).map_err(|error| Error::Input(format!("figures: {error}")))
}

/// By the features of the network at `path`.
#[cfg(feature = "fid")]
fn comparison(path: &Path) -> Result<Arc<dyn Comparison>> {
    Ok(Arc::new(crate::features::FeatureNetwork::open(path)?))
}

#[cfg(not(feature = "fid"))]
fn comparison(path: &Path) -> Result<Arc<dyn Comparison>> {
    Err(Error::Input(format!(
        "{}: this build runs no feature networks; build mewgan with the cargo feature `fid`: cargo build --release --features fid",
        path.display()
    )))
}
