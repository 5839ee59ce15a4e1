//! `mewgpu demo`

use super::{Done, follow, say};
use crate::Error;
use crate::data::AugmentKind;
use crate::train::config::{DcganConfig, DcganSettings, DiffAugmentPart, DiffAugmentParts, Preset};
use crate::train::dcgan::Plan;
use clap::Args;
use std::path::PathBuf;
use std::process::ExitCode;

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

/// The paper's networks at half its picture size and width, in small batches at a higher learning rate, shifted at random
/// in front of the discriminator so that it does not learn the few pictures by heart: faces with eyes and mouths after a
/// few minutes on two CPU cores.
fn settings() -> DcganSettings {
    DcganSettings {
        preset: Some(Preset::Paper),
        data: Some("builtin:noto/faces".into()),
        size: Some(32),
        g_width: Some(32),
        d_width: Some(32),
        augment: Some(AugmentKind::Deluxe),
        diffaugment: Some(DiffAugmentParts(vec![DiffAugmentPart::Translation])),
        batch: Some(16),
        lr: Some(5e-4),
        steps: Some(6000),
        sample_every: Some(250),
        checkpoint_every: Some(500),
        ..Default::default()
    }
}

impl Demo {
    pub fn run(self) -> Done {
        let flags = DcganSettings { steps: self.steps, device: self.device, ..Default::default() };
        let config = DcganConfig::new(settings(), flags)?;
        let plan = if self.out.join("config.toml").is_file() {
            if !self.force {
                return Err(Error::Input(format!(
                    "{0}: a demo has run there already; look at its samples, go on with it (mewgpu resume {0}), or \
                     pass --force to replace it",
                    self.out.display()
                )));
            }
            Plan::replace(config, &self.out)?
        } else {
            Plan::start(config, Some(&self.out))?
        };
        let code = follow::train(plan)?;
        if code == ExitCode::SUCCESS {
            say(format_args!(
                "how it learned: {}; now with pictures of your own: mewgpu train dcgan --data DIR",
                self.out.join("progress.gif").display()
            ));
        }
        Ok(code)
    }
}
