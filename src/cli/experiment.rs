//! `mewgan experiment`

use super::follow::{self, Preparing, View};
use super::{Done, INTERRUPTED, evaluate, say};
use crate::data::AugmentKind;
use crate::device::Device;
use crate::models::cyclegan::{CycleGan, CycleGanConfig, CycleGanSettings, CycleLoss};
use crate::models::dcgan::{Dcgan, DcganConfig, DcganSettings};
use crate::ranks::Ranks;
use crate::train::checkpoint::Checkpoint;
use crate::train::config::{CommonSettings, DiffAugmentPart, DiffAugmentParts, ELSEWHERE, RunConfig};
use crate::train::evaluation::Judging;
use crate::train::model::Model;
use crate::train::run::Plan;
use crate::train::run_folder::RunFolder;
use crate::{Error, Result};
use crate::{file, models};
use clap::{Args, Subcommand};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

#[derive(Subcommand)]
pub enum Experiment {
    /// DCGAN without augmentation, with crops and mirroring, and with DiffAugment.
    Augmentation(Box<Runs<DcganSettings>>),
    /// CycleGAN with and without the cycle loss.
    Cycle(Box<Runs<CycleGanSettings>>),
}

/// All runs have the same seed and number of steps. If interrupted, the same command continues.
#[derive(Args)]
pub struct Runs<S: Args> {
    /// Folder for the runs and the page, index.html.
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    #[command(flatten)]
    settings: S,
}

impl Experiment {
    pub fn run(self) -> Done {
        match self {
            Self::Augmentation(runs) => {
                let Runs { out, settings } = *runs;
                if settings.common.augment.is_some() || settings.common.diffaugment.is_some() {
                    return Err(Error::Input(
                        "augment and diffaugment are what this experiment varies; leave them out".into(),
                    ));
                }
                let all = [DiffAugmentPart::Color, DiffAugmentPart::Translation, DiffAugmentPart::Cutout];
                let variant = |name, what, augment, parts: &[DiffAugmentPart]| {
                    let diffaugment = Some(DiffAugmentParts(parts.to_vec()));
                    let augment = Some(augment);
                    let common = CommonSettings { augment, diffaugment, ..settings.common.clone() };
                    let settings = DcganSettings { common, ..settings.clone() };
                    Ok(Variant { name, what, config: DcganConfig::new(DcganSettings::default(), settings)? })
                };
                let variants = [
                    variant("basic", "Images as they are", AugmentKind::Basic, &[]),
                    variant("deluxe", "Cropped and mirrored", AugmentKind::Deluxe, &[]),
                    variant("diffaugment", "DiffAugment", AugmentKind::Basic, &all),
                ];
                let variants = variants.into_iter().collect::<Result<Vec<_>>>()?;
                conduct::<Dcgan>("Data augmentation", &out, &variants)
            }
            Self::Cycle(runs) => {
                let Runs { out, settings } = *runs;
                if settings.cycle_loss == Some(CycleLoss::None) || settings.lambda_cycle == Some(0.0) {
                    return Err(Error::Input(
                        "no cycle loss (cycle_loss none, lambda_cycle 0) is what this experiment compares with; choose \
                         mse or l1 and a weight above 0, or leave them out"
                            .into(),
                    ));
                }
                let without = CycleGanSettings { cycle_loss: Some(CycleLoss::None), ..settings.clone() };
                let variant = |name, what, settings| {
                    let config = CycleGanConfig::new(CycleGanSettings::default(), settings)?;
                    Ok(Variant { name, what, config })
                };
                let variants = [
                    variant("with", "With the cycle loss", settings),
                    variant("without", "Without it", without),
                ];
                let variants = variants.into_iter().collect::<Result<Vec<_>>>()?;
                conduct::<CycleGan>("Cycle consistency", &out, &variants)
            }
        }
    }
}

/// One of the runs that are compared.
struct Variant<C> {
    /// Its folder.
    name: &'static str,
    /// What sets it apart.
    what: &'static str,
    config: C,
}

/// Trains every variant, as far as that is not done yet, and writes the page.
fn conduct<M: Model>(title: &str, out: &Path, variants: &[Variant<M::Config>]) -> Done {
    for Variant { name, config, .. } in variants {
        check_is_same(&out.join(name), config)?;
    }
    let mut runs = Vec::new();
    for Variant { name, what, config } in variants {
        let path = out.join(name);
        say(format_args!("{name}: {what}"));
        if !is_finished::<M::Config>(&path)? {
            let ranks = Ranks::default();
            let code =
                follow::train(&ranks, View::default(), |watch| match path.join("config.toml").is_file() {
                    true => Plan::<M>::resume_distributed(&ranks, &path, Default::default(), watch),
                    false => Plan::<M>::start_distributed(&ranks, config.clone(), Some(&path), watch),
                })?;
            if code == ExitCode::from(INTERRUPTED) {
                say(format_args!("the same command continues the experiment: --out {}", out.display()));
                return Ok(code);
            }
        }
        runs.push(((*what).to_owned(), judged::<M>(&path)?));
    }
    let page = out.join("index.html");
    let introduction =
        "The same images, networks, seed and number of steps; only what the titles say differs.";
    models::side_by_side(title, introduction, &runs, &page)?;
    say(format_args!("side by side: {}", page.display()));
    Ok(ExitCode::SUCCESS)
}

/// Refuses a run in `path` that has other settings than `config`.
fn check_is_same<C: RunConfig>(path: &Path, config: &C) -> Result<()> {
    if !path.join("config.toml").is_file() {
        return Ok(());
    }
    let there = C::from_file(&RunFolder::open(path)?.config_path(), C::Settings::default())?;
    let mut wanted = config.clone();
    // A run writes its passes over the images down as steps.
    if let (None, Some(total)) = (wanted.common().steps, there.common().steps) {
        wanted.settle(total);
    }
    let (there, wanted) = (there.table()?, wanted.table()?);
    let names: BTreeSet<&String> = there.keys().chain(wanted.keys()).collect();
    let differ =
        |name: &&&String| there.get(**name) != wanted.get(**name) && !ELSEWHERE.contains(&name.as_str());
    let word = |value: Option<&toml::Value>| value.map_or_else(|| "not set".to_owned(), ToString::to_string);
    let differences: Vec<_> = names
        .iter()
        .filter(differ)
        .map(|name| format!("{name} is {}, not {}", word(there.get(*name)), word(wanted.get(*name))))
        .collect();
    match differences.is_empty() {
        true => Ok(()),
        false => Err(Error::Input(format!(
            "{}: there is a run with other settings in it ({}); choose another --out, or give the same settings",
            path.display(),
            differences.join("; ")
        ))),
    }
}

/// Whether the run in `path` has reached its last step.
fn is_finished<C: RunConfig>(path: &Path) -> Result<bool> {
    if !path.join("config.toml").is_file() {
        return Ok(false);
    }
    let folder = RunFolder::open(path)?;
    let config = C::from_file(&folder.config_path(), C::Settings::default())?;
    Ok(folder.checkpoints()?.last().is_some_and(|(step, _)| Some(*step) == config.common().steps))
}

/// Judges the newest checkpoint of the run in `path` and keeps its figures there.
fn judged<M: Model>(path: &Path) -> Result<RunFolder> {
    let folder = RunFolder::open(path)?;
    let checkpoint = Checkpoint::of_run(path, None)?;
    let config: M::Config = checkpoint.config()?;
    let watch = Preparing::new(View::default())?;
    let device = Device::open(&config.common().device)?;
    let figures = M::evaluate(&checkpoint, &device, &Judging::default(), &watch)?;
    file::write_atomic(&folder.evaluation_path(), evaluate::json(checkpoint.step(), &figures)?.as_bytes())?;
    Ok(folder)
}
