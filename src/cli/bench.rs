//! `mewgan bench`

use super::{Done, say};
use crate::bench::{Options, report::Report, run, table};
use crate::device::Device;
use crate::file;
use crate::measure::Effort;
use crate::real::Precision;
use crate::{Error, Result};
use indicatif::{ProgressBar, ProgressStyle};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

#[derive(clap::Args)]
pub struct Bench {
    /// What to measure.
    #[arg(long, default_value = "auto", value_name = "auto|gpu|cpu|N|NAME")]
    device: String,
    /// Precision of contractions.
    #[arg(long, value_enum, default_value = "f32")]
    precision: Precision,
    /// Only rows whose group, name or presets contain this; separate several by commas: contractions,steps/dcgan course.
    #[arg(long, value_delimiter = ',', value_name = "PART,..")]
    filter: Vec<String>,
    /// A fifth of the time per row, and unless --longest is given no iterations over 2 seconds.
    #[arg(long)]
    quick: bool,
    /// Seconds per row; at least three runs, or one if a kernel takes four times as long.
    #[arg(long, default_value_t = 0.5)]
    seconds: f64,
    /// Skip iterations that would take longer than this many seconds [default: 30].
    #[arg(long, value_name = "SECONDS")]
    longest: Option<f64>,
    /// Write the results as JSON, to a file or to a folder (named after the device).
    #[arg(long, value_name = "FILE|DIR")]
    json: Option<PathBuf>,
}

impl Bench {
    pub fn run(self) -> Done {
        let (budget, longest) = if self.quick { (self.seconds / 5.0, 2.0) } else { (self.seconds, 30.0) };
        let longest = self.longest.unwrap_or(longest);
        let effort = Effort { budget, sample: budget / 50.0, least: 3, most: 25, patience: 4.0 * budget };
        if !(self.seconds > 0.0 && self.seconds.is_finite()) {
            return Err(Error::Input(format!("--seconds {}: must be more than 0", self.seconds)));
        }
        let device = Device::open(&self.device)?.with_precision(self.precision)?;
        let bar = bar()?;
        let progress = |done: usize, total: usize, name: &str| {
            bar.set_length(total as u64);
            bar.set_position(done as u64);
            bar.set_message(name.to_owned());
        };
        let report = run(&device, &Options { filter: self.filter, effort, longest }, &progress)?;
        bar.finish_and_clear();
        say(table::text(&report).trim_end());
        if let Some(path) = self.json {
            let path = if path.is_dir() { path.join(file_name(&device)) } else { path };
            write(&report, &path)?;
            say(format_args!("written: {}", path.display()));
        }
        Ok(ExitCode::SUCCESS)
    }
}

/// Shows on a terminal only.
fn bar() -> Result<ProgressBar> {
    let style = ProgressStyle::with_template("{bar:24} {pos}/{len}  {wide_msg}")
        .map_err(|error| Error::Device(format!("progress bar: {error}")))?;
    Ok(ProgressBar::new(0).with_style(style))
}

fn write(report: &Report, path: &Path) -> Result<()> {
    let text = serde_json::to_string_pretty(report)
        .map_err(|error| Error::Input(format!("{}: {error}", path.display())))?;
    file::write_atomic(path, (text + "\n").as_bytes())
}

/// Letters and digits of the device's name, joined by dashes, and `mixed` in mixed precision.
fn file_name(device: &Device) -> String {
    let name = match device {
        Device::Cpu { .. } => "cpu".to_owned(),
        Device::Gpu(gpu) => gpu.summary().name.to_lowercase(),
    };
    let mut words: Vec<&str> =
        name.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty()).collect();
    words.extend((!device.precision().is_single()).then_some("mixed"));
    format!("{}.json", words.join("-"))
}
