//! `mewgan demo`

use super::follow::{self, View};
use super::{Done, say};
use crate::Error;
use crate::models::dcgan::{DcganConfig, DcganSettings, Plan};
use crate::ranks::Ranks;
use crate::train::config::{CommonSettings, RunConfig};
use clap::Args;
use std::path::PathBuf;
use std::process::ExitCode;

#[derive(Args)]
pub struct Demo {
    /// The run's folder.
    #[arg(long, value_name = "DIR", default_value = "runs/demo")]
    out: PathBuf,
    /// Replace the run of an earlier demo.
    #[arg(long)]
    force: bool,
    /// Total number of steps.
    #[arg(long)]
    steps: Option<u64>,
    /// Device to use.
    #[arg(long, value_name = "auto|gpu|cpu|N|NAME")]
    device: Option<String>,
    /// Show the newest samples in the terminal.
    #[arg(long)]
    preview: bool,
}

/// The default recipe on small images: faces with eyes and mouths after a few minutes on two CPU cores.
fn settings() -> DcganSettings {
    DcganSettings {
        data: Some("builtin:noto/faces".into()),
        common: CommonSettings {
            size: Some(32.into()),
            sample_every: Some(250),
            checkpoint_every: Some(500),
            ..Default::default()
        },
        ..Default::default()
    }
}

impl Demo {
    pub fn run(self) -> Done {
        let common = CommonSettings { steps: self.steps, device: self.device, ..Default::default() };
        let flags = DcganSettings { common, ..Default::default() };
        let config = DcganConfig::new(settings(), flags)?;
        let there = self.out.join("config.toml").is_file();
        if there && !self.force {
            return Err(Error::Input(format!(
                "{0}: already contains a demo; look at its samples, continue it (mewgan resume {0}), or \
                 pass --force to replace it",
                self.out.display()
            )));
        }
        let ranks = Ranks::default();
        let code = follow::train(&ranks, View::with_preview(self.preview), |watch| match there {
            true => Plan::replace(config, &self.out, watch),
            false => Plan::start_distributed(&ranks, config, Some(&self.out), watch),
        })?;
        if code == ExitCode::SUCCESS {
            say(format_args!(
                "how it learned: {}; now with images of your own: mewgan train dcgan --data DIR",
                self.out.join("progress.gif").display()
            ));
        }
        Ok(code)
    }
}
