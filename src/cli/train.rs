//! `mewgan train`

use super::Done;
use super::among::among;
use super::follow::{self, View};
use crate::Result;
use crate::ranks::Ranks;
use crate::train::config::{CycleGanConfig, CycleGanSettings, DcganConfig, DcganSettings, RunConfig};
use crate::train::{cyclegan, dcgan};
use clap::{Args, Subcommand, ValueEnum};
use std::path::PathBuf;

#[derive(Subcommand)]
pub enum Train {
    /// Train a DCGAN on a folder of pictures.
    ///
    /// Settings come from the preset, replaced by those of the --config file, replaced by flags.
    Dcgan(Box<Run<DcganSettings>>),
    /// Train a CycleGAN to translate between two sets of pictures, both ways.
    ///
    /// The pictures of the two sets need not be partners. Settings come from the preset, replaced by those of the --config
    /// file, replaced by flags.
    Cyclegan(Box<Run<CycleGanSettings>>),
}

#[derive(Args)]
pub struct Run<S: Args> {
    /// Where the run is kept; the next free one under runs where it is not given.
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// A TOML file of settings, such as the config.toml of another run.
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Pictures a step by all ranks together, where mpirun has started several; --batch is for each of them.
    #[arg(long, value_name = "N", conflicts_with = "batch")]
    global_batch: Option<usize>,
    /// Raise all learning rates as the batch of all ranks together is larger than --batch: by its ratio, or by the root of that.
    #[arg(long)]
    scale_lr: Option<Scaling>,
    #[command(flatten)]
    view: View,
    #[command(flatten)]
    settings: S,
}

/// How learning rates follow the size of a batch.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum Scaling {
    Linear,
    Sqrt,
}

impl Scaling {
    fn factor(self, ratio: f64) -> f64 {
        match self {
            Self::Linear => ratio,
            Self::Sqrt => ratio.sqrt(),
        }
    }
}

impl Train {
    pub fn run(self) -> Done {
        among(|ranks| match self {
            Self::Dcgan(run) => {
                let view = run.view;
                let (config, out) = run.config::<DcganConfig>(DcganConfig::new, ranks)?;
                follow::train(dcgan::Plan::start_among(ranks, config, out.as_deref())?, view)
            }
            Self::Cyclegan(run) => {
                let view = run.view;
                let (config, out) = run.config::<CycleGanConfig>(CycleGanConfig::new, ranks)?;
                follow::train(cyclegan::Plan::start_among(ranks, config, out.as_deref())?, view)
            }
        })
    }
}

impl<S: Args + Default> Run<S> {
    /// The settings, with the batch of all ranks together, and where the run is to be kept.
    fn config<C: RunConfig<Settings = S>>(
        self,
        new: fn(S, S) -> Result<C>,
        ranks: &Ranks,
    ) -> Result<(C, Option<PathBuf>)> {
        let config = match self.config {
            Some(path) => C::from_file(&path, self.settings)?,
            None => new(S::default(), self.settings)?,
        };
        let own = config.batch_and_size().0;
        let batch = self.global_batch.unwrap_or(own * ranks.size());
        let factor = self.scale_lr.map_or(1.0, |scaling| scaling.factor(batch as f64 / own as f64));
        if self.scale_lr.is_some() && ranks.leads() {
            let line = format!("learning rates times {factor:.3}, for a batch of {batch} instead of {own}");
            self.view.say(&line);
        }
        Ok((config.scaled(batch, factor)?, self.out))
    }
}
