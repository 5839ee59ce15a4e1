//! What a run leaves for people, made of what it kept: loss curves, animations, and the page.

use super::config::{Change, LONGEST, Record, word};
use super::diagnostics::{Diagnostics, Finding};
use super::log::duration;
use super::model::Model;
use super::run_folder::RunFolder;
use super::starts::{self, Start};
use crate::file;
use crate::report::page::{self, Chart, Diagnostic, Evaluation, Page, Samples, Series};
use crate::report::{self, Row, metrics};
use crate::spelling::quoted;
use crate::{Error, Result};
use std::path::Path;

/// Frames of an animation.
const FRAMES: usize = 40;
/// Sample images of a run's own page take about this many bytes.
const OF_ONE: usize = 5 << 19;
/// Its animations are made smaller where they take more than this together.
const ANIMATED: usize = 1 << 20;
/// Sample images of several runs on a page together.
const OF_ALL: usize = 8 << 20;

/// The charts beside the losses': how a figure's name begins, what they are called, and whether their scale is logarithmic.
const CHARTS: [(&str, &str, bool); 6] = [
    ("accuracy_", "Share of images the discriminator is right about", false),
    ("diversity", "How much samples differ, beside training images", false),
    ("nearest", "How far samples are from training images, beside those themselves", false),
    ("gradient_", "Gradients, root mean square", true),
    ("steps_per_second", "Speed, steps a second", false),
    ("", "Other figures", false),
];

/// Makes losses, animations and page of the run in `folder` again and returns what could not be made.
pub fn redraw<M: Model>(folder: &RunFolder) -> Vec<Error> {
    let animations = M::SHEETS.iter().map(|sheet| save_animation(folder, sheet));
    let images = [save_curves::<M>(folder)].into_iter().chain(animations);
    let failed: Vec<Error> = images.filter_map(Result::err).collect();
    failed.into_iter().chain(save_page::<M>(folder).err()).collect()
}

/// Writes a page that shows `runs` side by side.
///
/// # Errors
/// If the page cannot be written.
pub fn side_by_side(title: &str, introduction: &str, runs: Vec<page::Run>, path: &Path) -> Result<()> {
    Page { title: title.to_owned(), introduction: introduction.to_owned(), runs }.save(path)
}

/// What a page that shows `count` runs has of the one in `folder`.
///
/// # Errors
/// If it cannot be read.
pub fn beside<M: Model>(name: &str, folder: &RunFolder, count: usize) -> Result<page::Run> {
    Ok(page::Run { name: name.to_owned(), ..run::<M>(folder, OF_ALL / count.max(1))? })
}

fn rows(folder: &RunFolder) -> Result<Vec<Row>> {
    match folder.metrics_path() {
        path if path.is_file() => metrics::read(path),
        _ => Ok(Vec::new()),
    }
}

fn save_curves<M: Model>(folder: &RunFolder) -> Result<()> {
    let rows = rows(folder)?;
    let drawn =
        |name: &str| rows.iter().any(|row| row.values.get(name).is_some_and(|value| value.is_finite()));
    let names: Vec<&str> = M::LOSSES.iter().map(|loss| loss.name).filter(|name| drawn(name)).collect();
    match names.is_empty() {
        true => Ok(()),
        false => report::losses_svg(&rows, &names, &format!("{} losses", M::NAME), folder.losses_path()),
    }
}

fn save_animation(folder: &RunFolder, sheet: &str) -> Result<()> {
    let frames: Vec<_> = folder.samples(sheet)?.into_iter().map(|(_, path)| path).collect();
    match frames.is_empty() {
        true => Ok(()),
        false => report::progress_gif(&frames, folder.progress_path(sheet), FRAMES),
    }
}

fn save_page<M: Model>(folder: &RunFolder) -> Result<()> {
    let mut run = run::<M>(folder, OF_ONE)?;
    for (sheet, shown) in M::SHEETS.iter().zip(&mut run.sheets) {
        let samples: Vec<_> = folder.samples(sheet)?.into_iter().map(|(_, path)| path).collect();
        shown.animation =
            page::animation(&folder.progress_path(sheet), &samples, ANIMATED / M::SHEETS.len())?;
    }
    let page = Page { title: run.name.clone(), introduction: String::new(), runs: vec![run] };
    page.save(&folder.report_path())
}

/// What a page shows of the run in `folder`, with about `budget` bytes of sample images and no animation.
fn run<M: Model>(folder: &RunFolder, budget: usize) -> Result<page::Run> {
    let rows = rows(folder)?;
    let starts = starts::read(folder)?;
    let mut settings = settings(folder)?;
    let changes = Record::read(&folder.config_path())?.changes;
    settings.retain(|name, _| !Record::NAMES.contains(&name));
    let named = |sheet: &&'static str| if sheet.is_empty() { "samples" } else { *sheet };
    let mut sheets = Vec::new();
    for sheet in M::SHEETS {
        let frames = page::frames(&folder.samples(sheet)?, budget / M::SHEETS.len())?;
        sheets.push(Samples { name: named(sheet).to_owned(), frames, animation: None });
    }
    let measured = rows.last().map_or(0, |row| row.step);
    let drawn = sheets.iter().flat_map(|sheet| &sheet.frames).map(|frame| frame.step);
    let kept = folder.checkpoints()?.last().map_or(0, |(step, _)| *step);
    let step = drawn.chain([measured, kept]).max().unwrap_or(0);
    let total = settings.get("steps").and_then(|steps| steps.as_integer()?.try_into().ok());
    Ok(page::Run {
        name: folder.path().display().to_string(),
        step,
        total,
        facts: facts::<M>(step, total, &rows, &starts, &changes),
        settings: settings.into_iter().map(|(name, value)| (name, word(&value))).collect(),
        resumed: starts
            .into_iter()
            .filter(|start| start.after > 0)
            .map(|start| (start.after, resumed(start, &changes)))
            .collect(),
        charts: charts(&rows, &M::LOSSES.iter().map(|loss| loss.name).collect::<Vec<_>>()),
        sheets,
        findings: Diagnostics::new(&rows).findings().iter().map(sign).collect(),
        evaluation: evaluation(&folder.evaluation_path())?,
        commands: commands::<M>(folder, step, total),
    })
}

fn settings(folder: &RunFolder) -> Result<toml::Table> {
    let path = folder.config_path();
    toml::from_str(&file::text(&path, LONGEST)?)
        .map_err(|error| Error::Input(format!("{}: {}", path.display(), quoted(error))))
}

/// On which device a run went on, and with which other settings than before.
fn resumed(start: Start, changes: &[Change]) -> String {
    match changes.iter().find(|change| change.step == start.after) {
        Some(change) => format!("{}, with {}", start.device, change.settings()),
        None => start.device,
    }
}

fn facts<M: Model>(
    step: u64,
    total: Option<u64>,
    rows: &[Row],
    starts: &[Start],
    changes: &[Change],
) -> Vec<(String, String)> {
    let mut facts = vec![("trained", M::NAME.to_owned())];
    facts.push(("steps", total.map_or(step.to_string(), |total| format!("{step} of {total}"))));
    let timed = rows.iter().rev().find_map(|row| Some((row.step, *row.values.get("seconds")?)));
    if let Some((step, seconds)) = timed.filter(|(_, seconds)| *seconds > 0.0) {
        facts.push(("time in training", duration(seconds)));
        facts.push(("speed", format!("{:.1} steps a second", step as f64 / seconds)));
    }
    if let Some(Start { version, device, images, networks, memory, .. }) = starts.last() {
        facts.push(("device", device.clone()));
        facts.push(("memory", format!("{memory} MiB planned")));
        facts.push(("networks", networks.clone()));
        facts.push(("images", images.join("; ")));
        facts.push(("made by", format!("mewgan {version}")));
    }
    if !changes.is_empty() {
        facts.push(("changed", changes.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")));
    }
    facts.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}

/// The losses first, then all else that was measured.
fn charts(rows: &[Row], losses: &[&str]) -> Vec<Chart> {
    let names = rows.iter().flat_map(|row| row.values.keys());
    let mut names: Vec<&str> = names.map(String::as_str).filter(|name| *name != "seconds").collect();
    // Losses in their own order, all else by name.
    names.sort_unstable_by_key(|name| (losses.iter().position(|loss| loss == name), *name));
    names.dedup();
    let mut chart = |title, log, belongs: &dyn Fn(&str) -> bool| {
        let own: Vec<&str> = names.extract_if(.., |name| belongs(name)).collect();
        let series = own.into_iter().map(|name| Series::new(rows, name));
        Chart { title, log, series: series.filter(|series| !series.steps.is_empty()).collect() }
    };
    let mut charts = vec![chart("Losses", false, &|name| losses.contains(&name))];
    charts.extend(CHARTS.map(|(prefix, title, log)| chart(title, log, &|name| name.starts_with(prefix))));
    charts.retain(|chart| !chart.series.is_empty());
    charts
}

fn sign(finding: &Finding) -> Diagnostic {
    Diagnostic {
        name: finding.name(),
        since: finding.since,
        until: finding.until,
        evidence: finding.evidence.clone(),
        advice: finding.sign.advice(),
    }
}

fn evaluation(path: &Path) -> Result<Option<Evaluation>> {
    if !path.is_file() {
        return Ok(None);
    }
    serde_json::from_str(&file::text(path, LONGEST)?).map(Some).map_err(|error| {
        Error::Input(format!(
            "{}: no figures of an evaluation ({}); remove it or evaluate again",
            path.display(),
            quoted(error)
        ))
    })
}

fn commands<M: Model>(folder: &RunFolder, step: u64, total: Option<u64>) -> Vec<(String, String)> {
    let run = folder.path().display();
    let on = match total {
        Some(total) if step >= total => format!("mewgan resume {run} --steps {}", total.saturating_mul(2)),
        _ => format!("mewgan resume {run}"),
    };
    let (next, command) = M::next(folder);
    let commands = [
        ("continue training", on),
        (next, command),
        ("judge it by figures", format!("mewgan evaluate {run}")),
        ("make this page again", format!("mewgan report {run}")),
        ("set it beside another", format!("mewgan compare {run} RUN")),
        ("take the figures elsewhere", format!("mewgan export csv {run} --out metrics.csv")),
    ];
    commands.into_iter().map(|(words, command)| (words.to_owned(), command)).collect()
}
