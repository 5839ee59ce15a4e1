//! `mewgan explain`

use super::{Done, say};
use crate::explain::{Explanation, Subject, explain, text, trace};
use crate::models::Kind;
use crate::real::Precision;
use crate::train::config::Preset;
use crate::{Error, Result, file};
use clap::Args;
use serde::Serialize;
use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;

#[derive(Args)]
pub struct Explain {
    /// A run's folder; or dcgan, cyclegan or pix2pix, with a preset.
    #[arg(value_name = "RUN|dcgan|cyclegan|pix2pix")]
    what: PathBuf,
    /// The preset, unless RUN is a run.
    #[arg(value_enum)]
    preset: Option<Preset>,
    /// Device to use [default: that of the run's settings].
    #[arg(long, value_name = "auto|gpu|cpu|N|NAME")]
    device: Option<String>,
    /// Precision of a preset [default: f32]. A run has its own.
    #[arg(long, value_enum)]
    precision: Option<Precision>,
    /// Print JSON.
    #[arg(long)]
    json: bool,
    /// Write a trace for chrome://tracing and ui.perfetto.dev.
    #[arg(long, value_name = "FILE")]
    trace: Option<PathBuf>,
}

impl Explain {
    pub fn run(self) -> Done {
        let named = self.what.to_str().and_then(|what| Kind::named(what).ok());
        let precision = self.precision.unwrap_or_default();
        let subject = match (self.preset, named) {
            (None, Some(kind)) if !self.what.exists() => Subject::Preset(kind, Preset::default(), precision),
            (Some(preset), Some(kind)) => Subject::Preset(kind, preset, precision),
            (None, _) if self.precision.is_none() => Subject::Run(self.what),
            _ => {
                return Err(Error::Input(format!(
                    "{}: a run has its own settings; leave out the preset and --precision, or put dcgan, cyclegan or pix2pix before it",
                    self.what.display()
                )));
            }
        };
        let explanation = explain(&subject, self.device.as_deref(), &mut |line| {
            let _ = writeln!(std::io::stderr(), "{line}");
        })?;
        match self.json {
            true => say(pretty(&explanation)?),
            false => say(text(&explanation).trim_end()),
        }
        if let Some(path) = self.trace {
            keep(&explanation, &path)?;
        }
        Ok(ExitCode::SUCCESS)
    }
}

fn keep(explanation: &Explanation, path: &std::path::Path) -> Result<()> {
    file::write_atomic(path, (pretty(&trace(explanation))? + "\n").as_bytes())?;
    let _ = writeln!(std::io::stderr(), "written: {}; open it in ui.perfetto.dev", path.display());
    Ok(())
}

fn pretty(value: &impl Serialize) -> Result<String> {
    serde_json::to_string_pretty(value).map_err(|error| Error::Input(format!("the explanation: {error}")))
}
