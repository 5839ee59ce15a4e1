//! `mewgpu train`

use super::{Done, follow};
use crate::train::config::{DcganConfig, DcganSettings};
use crate::train::dcgan::Trainer;
use clap::{Args, Subcommand};
use std::path::PathBuf;

#[derive(Subcommand)]
pub enum Train {
    /// Train a DCGAN on a folder of pictures.
    ///
    /// Settings come from the preset, replaced by those of the --config file, replaced by flags.
    Dcgan(Box<Dcgan>),
}

#[derive(Args)]
pub struct Dcgan {
    /// Where the run is kept; the next free runs/dcgan-N where it is not given.
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// A TOML file of settings, such as the config.toml of another run.
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    #[command(flatten)]
    settings: DcganSettings,
}

impl Train {
    pub fn run(self) -> Done {
        let Self::Dcgan(command) = self;
        let file = match &command.config {
            Some(path) => DcganSettings::read(path)?,
            None => DcganSettings::default(),
        };
        let config = DcganConfig::new(file, command.settings)?;
        follow::train(Trainer::start(config, command.out.as_deref())?)
    }
}
