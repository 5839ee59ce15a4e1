//! `mewgan gradcheck`

use super::{Done, say};
use crate::device::Device;
use crate::gradcheck::{Case, Report, all, check, exact, names};
use crate::real::Precision;
use crate::{Error, Result};
use clap::builder::PossibleValuesParser;
use indicatif::{ProgressBar, ProgressStyle};
use std::process::ExitCode;

#[derive(clap::Args)]
pub struct Gradcheck {
    /// Operations to check [default: all].
    #[arg(value_name = "OP", value_parser = PossibleValuesParser::new(names()))]
    ops: Vec<String>,
    /// Device to check.
    #[arg(long, default_value = "auto", value_name = "auto|gpu|cpu|N|NAME")]
    device: String,
    /// Precision of contractions. With mixed, only they are checked.
    #[arg(long, value_enum, default_value = "f32")]
    precision: Precision,
    /// Largest f32 error allowed, instead of each operation's own.
    #[arg(long, value_name = "SHARE")]
    tolerance: Option<f64>,
    /// Print JSON instead of the table.
    #[arg(long)]
    json: bool,
}

impl Gradcheck {
    pub fn run(self) -> Done {
        let device = Device::open(&self.device)?.with_precision(self.precision)?;
        let wanted = |case: &Case| self.ops.is_empty() || self.ops.iter().any(|op| op == case.op);
        let tolerance = |case: Case| match self.tolerance {
            Some(tolerance) => case.tolerance(tolerance),
            None => case,
        };
        let known = match self.precision {
            Precision::F32 => all(),
            Precision::Mixed => exact(),
        };
        let cases: Vec<Case> = known.into_iter().filter(wanted).map(tolerance).collect();
        let bar = bar()?;
        let report = check(&device, &cases, &|done, total, op| {
            bar.set_length(total as u64);
            bar.set_position(done as u64);
            bar.set_message(op.to_owned());
        })?;
        bar.finish_and_clear();
        if self.json {
            say(json(&report)?)
        } else {
            say(&report)
        }
        Ok(exit_code(&report))
    }
}

fn exit_code(report: &Report) -> ExitCode {
    if report.passed() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn json(report: &Report) -> Result<String> {
    serde_json::to_string_pretty(report).map_err(|error| Error::Input(format!("the report: {error}")))
}

/// Shows on a terminal only, on standard error.
fn bar() -> Result<ProgressBar> {
    let style = ProgressStyle::with_template("{bar:24} {pos}/{len}  {wide_msg}")
        .map_err(|error| Error::Device(format!("progress bar: {error}")))?;
    Ok(ProgressBar::new(0).with_style(style))
}

#[cfg(test)]
mod tests {
    use super::{Case, Device, ExitCode, check, exit_code, json};

    #[test]
    fn a_wrong_gradient_fails() {
        // Of this sum a part is a constant to differentiation, which no derivative is.
        let wrong = Case::new("wrong", &[[1, 1, 1, 3]], |v| v[0].square().add(v[0].scale(0.001).detach()));
        let report = check(&Device::open("cpu").unwrap(), &[wrong], &|_, _, _| ()).unwrap();
        assert_eq!(exit_code(&report), ExitCode::FAILURE);
        let (text, json) = (report.to_string(), json(&report).unwrap());
        assert!(text.contains("1 of 1 rows FAILED") && text.contains("gradient 0["), "{text}");
        assert!(json.contains("\"passed\": false") && json.contains("\"result\": \"gradient 0\""), "{json}");
    }
}
