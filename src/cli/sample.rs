//! `mewgan sample`

use super::{Done, Normalise, has_extension, say};
use crate::Error;
use crate::device::Device;
use crate::models::Kind;
use crate::models::dcgan::sampling::{Each, Sampler, save_grid, save_numbers, save_single};
use crate::train::checkpoint::Checkpoint;
use clap::Args;
use std::fs;
use std::path::PathBuf;
use std::process::ExitCode;

#[derive(Args)]
pub struct Sample {
    /// The run's folder, or a checkpoint file.
    run: PathBuf,
    /// How many images.
    #[arg(long, default_value_t = 16, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    count: u32,
    /// A name ending in .png gets a grid; in .safetensors, noise and images in [-1, 1] in PyTorch's layout; anything else is
    /// a folder of single images.
    #[arg(long, value_name = "DIR|FILE.png|FILE.safetensors")]
    out: PathBuf,
    /// Seed of the noise [default: the run's seed].
    #[arg(long)]
    seed: Option<u64>,
    /// Interpolate: each row of the grid moves from one noise vector to the next.
    #[arg(long)]
    interpolate: bool,
    /// Statistics for batch norm: those of the images drawn together, as in training, or the running statistics.
    #[arg(long, default_value = "batch")]
    statistics: Normalise,
    /// Step of the checkpoint [default: the newest].
    #[arg(long, value_name = "STEP")]
    checkpoint: Option<u64>,
    /// Images per row of the grid.
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    columns: Option<u32>,
    /// Device to use.
    #[arg(long, default_value = "auto", value_name = "auto|gpu|cpu|N|NAME")]
    device: String,
}

impl Sample {
    pub fn run(self) -> Done {
        let checkpoint = Checkpoint::of_run(&self.run, self.checkpoint)?;
        match Kind::of_checkpoint(&checkpoint)? {
            Kind::Dcgan => {}
            kind @ (Kind::CycleGan | Kind::Pix2Pix) => {
                let to = if kind == Kind::CycleGan { " --to y" } else { "" };
                return Err(Error::Input(format!(
                    "{0}: a {1}, which translates images instead of drawing them: mewgan translate {0}{to} IMAGE|DIR --out DIR",
                    self.run.display(),
                    kind.title()
                )));
            }
        }
        let device = Device::open(&self.device)?;
        say(device.describe());
        let mut sampler = Sampler::new(&checkpoint, &device, self.statistics.into())?;
        let seed = self.seed.unwrap_or(sampler.config().common.seed);
        let count = self.count as usize;
        let square =
            if self.interpolate { 8 } else { count.isqrt() + usize::from(count.isqrt().pow(2) < count) };
        let columns = self.columns.map_or(square, |columns| columns as usize);
        let config = sampler.config().clone();
        let mut draw = |each: &mut Each<'_>| match self.interpolate {
            true => sampler.interpolated(seed, count, columns, each),
            false => sampler.images(seed, count, each),
        };
        let (grid, numbers) = (has_extension(&self.out, "png"), has_extension(&self.out, "safetensors"));
        if grid || numbers {
            let (mut noises, mut images) = (Vec::new(), Vec::new());
            draw(&mut |drawn| {
                noises.extend_from_slice(drawn.noise);
                images.extend_from_slice(drawn.image);
                Ok(())
            })?;
            match grid {
                true => save_grid(&images, &config, columns, &self.out)?,
                false => save_numbers(noises, &images, &config, &self.out)?,
            }
        } else {
            fs::create_dir_all(&self.out).map_err(Error::io(&self.out))?;
            // Names sort as images were drawn.
            let digits = (count - 1).to_string().len().max(4);
            let mut paths = (0..).map(|index| self.out.join(format!("{index:0digits$}.png")));
            draw(&mut |drawn| paths.next().map_or(Ok(()), |path| save_single(drawn.image, &config, &path)))?;
        }
        say(format_args!("{count} images of step {} in {}", checkpoint.step(), self.out.display()));
        Ok(ExitCode::SUCCESS)
    }
}
