//! `mewgan evaluate`

use super::follow::{Preparing, View};
use super::{Done, say};
use crate::device::Device;
use crate::evaluate::Figure;
use crate::train::checkpoint::Checkpoint;
use crate::train::evaluation::Judging;
use crate::train::run_folder::RunFolder;
use crate::{Error, Result};
use crate::{file, models};
use clap::Args;
use std::path::PathBuf;
use std::process::ExitCode;

/// Images held out by --holdout in training are judged by; without any, those trained on. Each figure stands beside its
/// yardstick: what real, or untranslated, images score.
#[derive(Args)]
pub struct Evaluate {
    /// The run's folder, or a checkpoint file.
    run: PathBuf,
    /// The step of the checkpoint; the newest where it is not given.
    #[arg(long, value_name = "STEP")]
    checkpoint: Option<u64>,
    /// DCGAN: how many images are drawn; as many as there are real ones where it is not given.
    #[arg(long, value_parser = clap::value_parser!(u32).range(16..=100_000))]
    count: Option<u32>,
    /// CycleGAN: the error against the other set's images of the same name as well.
    #[arg(long)]
    paired: bool,
    /// Print the figures as JSON.
    #[arg(long)]
    json: bool,
    /// What to compute on.
    #[arg(long, default_value = "auto", value_name = "auto|gpu|cpu|N|NAME")]
    device: String,
}

impl Evaluate {
    pub fn run(self) -> Done {
        let checkpoint = Checkpoint::of_run(&self.run, self.checkpoint)?;
        let device = Device::open(&self.device)?;
        let judging = Judging { count: self.count.map(|count| count as usize), paired: self.paired };
        let watch = Preparing::new(View::with_json(self.json))?;
        let figures = models::evaluate(&checkpoint, &device, judging, &watch)?;
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
    let value = serde_json::json!({ "step": step, "figures": figures });
    serde_json::to_string_pretty(&value).map_err(|error| Error::Input(format!("figures: {error}")))
}
