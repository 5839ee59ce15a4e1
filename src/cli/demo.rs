//! `mewgpu demo`

use super::{Done, follow};
use crate::data::AugmentKind;
use crate::train::config::{DcganConfig, DcganSettings, Preset};
use crate::train::dcgan::Trainer;
use crate::{Error, Result};
use clap::Args;
use std::path::{Path, PathBuf};

#[derive(Args)]
pub struct Demo {
    /// Where the run is kept.
    #[arg(long, value_name = "DIR", default_value = "runs/demo")]
    out: PathBuf,
    /// Replace the run of an earlier demo.
    #[arg(long)]
    force: bool,
    /// Steps in all.
    #[arg(long)]
    steps: Option<u64>,
    /// What to compute on.
    #[arg(long, value_name = "auto|gpu|cpu|NAME")]
    device: Option<String>,
}

/// Settings under which the faces are recognisable after a few minutes on two CPU cores.
fn settings() -> DcganSettings {
    DcganSettings {
        preset: Some(Preset::Course),
        data: Some("builtin:noto/faces".into()),
        size: Some(32),
        steps: Some(2000),
        augment: Some(AugmentKind::Deluxe),
        ..Default::default()
    }
}

impl Demo {
    pub fn run(self) -> Done {
        let flags = DcganSettings { steps: self.steps, device: self.device, ..Default::default() };
        let config = DcganConfig::new(settings(), flags)?;
        if self.force {
            remove_run(&self.out)?;
        } else if self.out.join("config.toml").is_file() {
            return Err(Error::Input(format!(
                "{0}: a demo has run there already; look at its samples, go on with it (mewgpu resume {0}), or pass \
                 --force to replace it",
                self.out.display()
            )));
        }
        follow::train(Trainer::start(config, Some(&self.out))?)
    }
}

/// Removes a run's folder; anything else is left alone.
fn remove_run(path: &Path) -> Result<()> {
    if !path.join("config.toml").is_file() {
        return Ok(());
    }
    std::fs::remove_dir_all(path).map_err(Error::io(path))
}
