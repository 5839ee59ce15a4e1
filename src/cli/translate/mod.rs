//! `mewgan translate`

mod jobs;
mod planes;
mod work;

use super::{Done, INTERRUPTED, Normalise, Target, follow, has_extension, say, tell};
use crate::data::Depth;
use crate::device::Device;
use crate::models::translation::{Bounds, Translator, Wanted};
use crate::tensor_file::{self, Tensors};
use crate::train::checkpoint::Checkpoint;
use crate::{Error, Result};
use clap::Args;
use jobs::{Format, Job, jobs};
use planes::Alpha;
use std::path::PathBuf;
use std::process::ExitCode;
use work::{Ended, Failure, Kept, Work};

#[derive(Args)]
pub struct Translate {
    /// The run's folder, or a checkpoint file.
    run: PathBuf,
    /// Images, folders or .zip files of images, or bundled sets such as builtin:noto/faces.
    #[arg(required = true, value_name = "IMAGE|DIR|ZIP|builtin:SET")]
    inputs: Vec<String>,
    /// CycleGAN: the dataset to translate to.
    #[arg(long, value_enum)]
    to: Option<Target>,
    /// Folder for the translations, or a file for a single image. A name ending in .safetensors gets numbers in [-1, 1] in
    /// PyTorch's layout: image.NAME and translation.NAME for every image.
    #[arg(long, value_name = "DIR|FILE")]
    out: PathBuf,
    /// Overwrite existing files.
    #[arg(long)]
    force: bool,
    /// Skip images that are already translated, to continue a stopped job.
    #[arg(long, conflicts_with = "force")]
    skip_existing: bool,
    /// Exit successfully even if some images cannot be read; they are still listed.
    #[arg(long)]
    skip_bad: bool,
    /// Format of the translations; same keeps each image's own [default: by the name of --out, else PNG]. WebP is lossless.
    #[arg(long)]
    format: Option<Format>,
    /// JPEG quality.
    #[arg(long, default_value_t = 92, value_parser = clap::value_parser!(u8).range(1..=100))]
    quality: u8,
    /// Bits per channel in PNG [default: as the image].
    #[arg(long, value_parser = ["8", "16"])]
    depth: Option<String>,
    /// Keep an image's transparency, or put it over white. The network sees it over white either way.
    #[arg(long, default_value = "keep")]
    alpha: Alpha,
    /// Statistics for batch norm: the running statistics, or those of the images translated together, as in training
    /// [default: running; pix2pix trained with --batch 1: batch, of one image each].
    #[arg(long)]
    statistics: Option<Normalise>,
    /// pix2pix: translate without dropout, which otherwise drops as in training.
    #[arg(long)]
    no_dropout: bool,
    /// pix2pix: seed of dropout [default: the run's seed].
    #[arg(long, conflicts_with = "no_dropout")]
    seed: Option<u64>,
    /// Images of one size translated at once [default: as many as have half a million pixels].
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..=4096))]
    batch: Option<u32>,
    /// Memory for networks and images; images that need more are translated in tiles.
    #[arg(long, value_name = "MIB")]
    memory_limit: Option<u64>,
    /// Translate in tiles of this side [default: as large as fits].
    #[arg(long, value_name = "PIXELS", value_parser = clap::value_parser!(u32).range(1..))]
    tile: Option<u32>,
    /// Step of the checkpoint [default: the newest].
    #[arg(long, value_name = "STEP")]
    checkpoint: Option<u64>,
    /// Device to use.
    #[arg(long, default_value = "auto", value_name = "auto|gpu|cpu|N|NAME")]
    device: String,
}

impl Translate {
    pub fn run(self) -> Done {
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
            say(format_args!("{there} of {before} translations already exist"));
        }
        let device = Device::open(&self.device)?;
        say(device.describe());
        let bounds = Bounds { memory: self.memory_limit, tile: self.tile.map(|side| side as usize) };
        let wanted = Wanted {
            to: self.to.map(Into::into),
            statistics: self.statistics.map(Into::into),
            seed: self.seed,
            no_dropout: self.no_dropout,
        };
        let translator = Translator::of(&checkpoint, &wanted, device, bounds)?;
        let to = translator.to();
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
                say("stopped; continue with --skip-existing");
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
                "{}: already exists; choose another --out, pass --force to overwrite it, or --skip-existing to translate only the others",
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
