//! `mewgan export web`

use crate::cli::follow::{Preparing, View};
use crate::cli::{Done, say};
use crate::train::checkpoint::Checkpoint;
use crate::web::{Options, export};
use clap::Args;
use std::path::PathBuf;
use std::process::ExitCode;

#[derive(Args)]
pub struct Web {
    /// The run's folder, or a checkpoint file.
    run: PathBuf,
    /// The site's folder.
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// How many images of each dataset the site contains. DCGAN: training images for the page [default: 64]. CycleGAN:
    /// examples, held-out ones if there are any [default: 12]. With 0 there are no images, and the page does not train.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(0..=4096))]
    images: Option<u32>,
    /// The page's title.
    #[arg(long)]
    title: Option<String>,
    /// Step of the checkpoint [default: the newest].
    #[arg(long, value_name = "STEP")]
    checkpoint: Option<u64>,
}

impl Web {
    pub fn run(self) -> Done {
        let checkpoint = Checkpoint::of_run(&self.run, self.checkpoint)?;
        let watch = Preparing::new(View::default())?;
        let images = self.images.map(|count| count as usize);
        let written = export(&checkpoint, &Options { title: self.title, images }, &self.out, &watch)?;
        let (step, out) = (checkpoint.step(), self.out.display());
        let size = written.bytes.div_ceil(1 << 20);
        say(format_args!("step {step} of a {} as a site of {size} MiB in {out}", checkpoint.kind()));
        match (written.images, written.trains) {
            (0, _) => say("it contains none of the run's images"),
            (count, true) => say(format_args!(
                "it contains {count} of the images the run trains on, for anybody who visits it to see; --images 0 leaves \
                 them and the training out"
            )),
            (count, false) => say(format_args!(
                "it contains {count} of the run's images as examples, for anybody who visits it to see; --images 0 \
                 leaves them out"
            )),
        }
        say(format_args!("look at it with: python3 -m http.server --directory {out}"));
        Ok(ExitCode::SUCCESS)
    }
}
