//! `mewgpu train`

use super::Done;
use super::follow::{self, View};
use crate::train::config::{CycleGanConfig, CycleGanSettings, DcganConfig, DcganSettings, RunConfig};
use crate::train::{cyclegan, dcgan};
use clap::{Args, Subcommand};
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
    #[command(flatten)]
    view: View,
    #[command(flatten)]
    settings: S,
}

impl Train {
    pub fn run(self) -> Done {
        match self {
            Self::Dcgan(run) => {
                let config = match run.config {
                    Some(path) => DcganConfig::from_file(&path, run.settings)?,
                    None => DcganConfig::new(DcganSettings::default(), run.settings)?,
                };
                follow::train(dcgan::Plan::start(config, run.out.as_deref())?, run.view)
            }
            Self::Cyclegan(run) => {
                let config = match run.config {
                    Some(path) => CycleGanConfig::from_file(&path, run.settings)?,
                    None => CycleGanConfig::new(CycleGanSettings::default(), run.settings)?,
                };
                follow::train(cyclegan::Plan::start(config, run.out.as_deref())?, run.view)
            }
        }
    }
}
