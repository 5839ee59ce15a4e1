//! `mewgan translate`

mod jobs;
mod planes;
mod work;

use super::{Done, INTERRUPTED, Normalise, Target, follow, has_extension, say, tell};
use crate::data::Depth;
use crate::device::Device;
use crate::models::cyclegan::Domain;
use crate::models::cyclegan::translation::{Bounds, Translator};
use crate::tensor_file::{self, Tensors};
use crate::train::checkpoint::Checkpoint;
use crate::{Error, Result};
use clap::Args;
use jobs::{Format, Job, jobs};
use planes::Alpha;
use std::path::PathBuf;
use std::process::ExitCode;
use work::{Ended, Failure, Kept, Work};

/// Images keep their size, their name and, in a folder, their subfolder. What cannot be translated is named at the end. An image that
/// does not fit the device or the memory is translated in tiles, without seams.
#[derive(Args)]
pub struct Translate {
    /// The run's folder, or a checkpoint file.
    run: PathBuf,
    /// Images, folders or .zip files of images, or bundled sets such as builtin:noto/faces.
    #[arg(required = true, value_name = "IMAGE|DIR|ZIP|builtin:SET")]
    inputs: Vec<String>,
    /// Translate images like those of the other set to images like those of this one.
    #[arg(long, value_enum)]
    to: Target,
    /// The folder of the translations; of one image, its file. Where it ends in .safetensors, numbers in [-1, 1] as PyTorch lays
    /// them out: image.NAME and translation.NAME of every image.
    #[arg(long, value_name = "DIR|FILE")]
    out: PathBuf,
    /// Replace files that are there already.
    #[arg(long)]
    force: bool,
    /// Leave out images whose translation is there already: what a stopped job goes on with.
    #[arg(long, conflicts_with = "force")]
    skip_existing: bool,
    /// Succeed without images that cannot be read; they are named all the same.
    #[arg(long)]
    skip_bad: bool,
    /// The format of the translations: that of the image for `same`, PNG where neither this nor the name of --out says. WebP is
    /// lossless.
    #[arg(long)]
    format: Option<Format>,
    /// The quality of JPEG.
    #[arg(long, default_value_t = 92, value_parser = clap::value_parser!(u8).range(1..=100))]
    quality: u8,
    /// Bits of a channel in PNG; as many as the image has where it is not given.
    #[arg(long, value_parser = ["8", "16"])]
    depth: Option<String>,
    /// Whether an image that has transparency keeps it, or is put over white. The network sees it over white either way.
    #[arg(long, default_value = "keep")]
    alpha: Alpha,
    /// What batch norms normalise by: the running statistics, or the images of one size translated together, as in
    /// training.
    #[arg(long, default_value = "running")]
    statistics: Normalise,
    /// Images of one size translated together; as many as make half a million pixels where it is not given.
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..=4096))]
    batch: Option<u32>,
    /// Memory for networks and images; images that need more are translated in tiles.
    #[arg(long, value_name = "MIB")]
    memory_limit: Option<u64>,
    /// Translate in tiles with this many pixels a side; as large as fit where it is not given.
    #[arg(long, value_name = "PIXELS", value_parser = clap::value_parser!(u32).range(1..))]
    tile: Option<u32>,
    /// The step of the checkpoint; the newest where it is not given.
    #[arg(long, value_name = "STEP")]
    checkpoint: Option<u64>,
    /// What to compute on.
    #[arg(long, default_value = "auto", value_name = "auto|gpu|cpu|N|NAME")]
    device: String,
}

impl Translate {
    pub fn run(self) -> Done {
        let to: Domain = self.to.into();
        let checkpoint = Checkpoint::of_run(&self.run, self.checkpoint)?;
        let as_numbers = has_extension(&self.out, "safetensors");
        self.check(as_numbers)?;
        let mut jobs = jobs(&self.inputs, &self.out, self.format)?;
        let before = jobs.len();
        if self.skip_existing {
            jobs.retain(|job| !job.target.exists());
        }
        let there = before - jobs.len();
        self.check_targets(&jobs, as_numbers)?;
        if there > 0 {
            say(format_args!("{there} of {before} translations are there already"));
        }
        let device = Device::open(&self.device)?;
        say(device.describe());
        let bounds = Bounds { memory: self.memory_limit, tile: self.tile.map(|side| side as usize) };
        let translator = Translator::new(&checkpoint, device, to, self.statistics.into(), bounds)?;
        let stop = &follow::asked()?.stop;
        let mut work = Work::new(translator, self.kept(as_numbers), jobs.len())?;
        let ended = work.translate(jobs, stop);
        let Work { failed, numbers, done, tiled, .. } = work;
        for Failure { path, reason, .. } in &failed {
            tell(format_args!("failed: {}: {reason}", path.display()));
        }
        if as_numbers && done > 0 {
            tensor_file::write(&self.out, &Tensors::F32(numbers))?;
        }
        let if_any = |count: usize, words: &str| match count {
            0 => String::new(),
            count => format!("; {count} {words}"),
        };
        let more = if_any(tiled, "of them in tiles") + &if_any(failed.len(), "failed");
        let (step, out) = (checkpoint.step(), self.out.display());
        say(format_args!("{done} images translated to {} by step {step}, in {out}{more}", to.name()));
        match ended? {
            Ended::Stopped => {
                say("stopped; go on with --skip-existing");
                Ok(ExitCode::from(INTERRUPTED))
            }
            Ended::All if failed.iter().all(|failure| self.skip_bad && failure.unreadable) => {
                Ok(ExitCode::SUCCESS)
            }
            Ended::All => Ok(ExitCode::FAILURE),
        }
    }

    /// Refuses flags that cannot be together.
    fn check(&self, as_numbers: bool) -> Result<()> {
        let problem = match self.format {
            _ if as_numbers && (self.skip_existing || self.format.is_some() || self.depth.is_some()) => {
                "--skip-existing, --format and --depth are for images, not for a .safetensors file; leave them out"
            }
            Some(Format::Jpeg | Format::Webp) if self.depth.as_deref() == Some("16") => {
                "only PNG has 16 bits a channel here; leave out --depth 16, or choose --format png"
            }
            _ => return Ok(()),
        };
        Err(Error::Input(problem.into()))
    }

    /// Refuses to replace what is there, unless that is wanted.
    fn check_targets(&self, jobs: &[Job], as_numbers: bool) -> Result<()> {
        let mut targets = jobs.iter().map(|job| &*job.target).chain(as_numbers.then_some(&*self.out));
        match targets.find(|path| path.exists()) {
            Some(taken) if !self.force => Err(Error::Input(format!(
                "{}: there already; choose another --out, pass --force to replace it, or --skip-existing to go on with the others",
                taken.display()
            ))),
            _ => Ok(()),
        }
    }

    fn kept(&self, as_numbers: bool) -> Kept {
        let depth =
            self.depth.as_deref().map(|bits| if bits == "16" { Depth::Sixteen } else { Depth::Eight });
        Kept {
            numbers: as_numbers.then(|| self.out.clone()),
            depth,
            quality: self.quality,
            alpha: self.alpha,
            batch: self.batch.map(|batch| batch as usize),
        }
    }
}
