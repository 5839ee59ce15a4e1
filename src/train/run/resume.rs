//! A run that goes on from its newest checkpoint, with the settings it had or with others.

use super::networks;
use super::plan::{Place, Plan};
use crate::ranks::Ranks;
use crate::report::metrics;
use crate::train::checkpoint::{Checkpoint, ImageNames};
use crate::train::config::{Record, RunConfig, fixed};
use crate::train::model::Model;
use crate::train::preparation::Preparation;
use crate::train::run_folder::{RunFolder, unreadable};
use crate::{Error, Result};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

impl<M: Model> Plan<M> {
    /// The run in `folder` from its newest whole checkpoint on, with its settings replaced by `flags`; from its beginning if
    /// it ended before its first checkpoint. Folders of images that are not found from here are looked for where they were when the run
    /// was last started.
    ///
    /// # Errors
    /// If it is no run of this kind, its checkpoints cannot be used or are gone, or it is finished already; if `flags` change what
    /// has to stay ([`fixed`]), or name folders of other images.
    pub fn resume(folder: &Path, flags: <M::Config as RunConfig>::Settings) -> Result<Self> {
        Self::resume_distributed(&Ranks::default(), folder, flags, &())
    }

    /// As [`Plan::resume`], among `ranks` that all do the same; there may be more or fewer of them than before. `watch`
    /// hears how it goes.
    ///
    /// # Errors
    /// As [`Plan::resume`], or if the ranks do not agree.
    pub fn resume_distributed(
        ranks: &Ranks,
        folder: &Path,
        flags: <M::Config as RunConfig>::Settings,
        watch: &dyn Preparation,
    ) -> Result<Self> {
        let folder = RunFolder::open(folder)?;
        let path = folder.config_path();
        let mut before = M::Config::from_file(&path, Default::default())?;
        let mut record = Record::read(&path)?;
        record.find(&mut before);
        let config = before.clone().replaced(flags)?.checked()?;
        let Some((checkpoint, damaged)) = newest_whole(&folder)? else {
            check_had_none(&folder, &before)?;
            fixed::check(&before, &config, 0, &path)?;
            let place = Place::Resumed { folder, damaged: Vec::new() };
            let mut plan = Self::new(ranks, config, place, None, watch)?;
            plan.notes.push("it ended before its first checkpoint: begins again".into());
            return Ok(plan);
        };
        checkpoint.expect_kind(M::Config::KIND)?;
        let step = checkpoint.step();
        fixed::check(&before, &config, step, &path)?;
        let values = values::<M>(&checkpoint, &config, ranks)?;
        let mut notes: Vec<String> = damaged
            .iter()
            .map(|(path, error)| {
                format!("left out a damaged checkpoint, now {}: {error}", unreadable(path).display())
            })
            .collect();
        let place = Place::Resumed { folder, damaged: damaged.into_keys().collect() };
        let mut plan = Self::new(ranks, config, place, Some((step, values)), watch)?;
        let (config, names) = (&plan.setup.config, &plan.setup.names);
        check_moved::<M>(&checkpoint, &before, config, names)?;
        record.note(step, &before.table()?, &config.table()?);
        let changed = different(&checkpoint, names).map(|(name, before, now)| changed(name, before, now));
        notes.append(&mut plan.notes);
        notes.extend(changed);
        notes.push(format!("continues after step {step}"));
        notes.extend(record.changes.iter().map(ToString::to_string));
        let record = Record { changes: record.changes, ..plan.record };
        Ok(Self { notes, record, ..plan })
    }
}

/// The numbers of all state buffers that a run of `config` begins with after a checkpoint. An average that is new begins at the weights;
/// one that is kept no longer is left out.
fn values<M: Model>(checkpoint: &Checkpoint, config: &M::Config, ranks: &Ranks) -> Result<Vec<Vec<f32>>> {
    let model = networks::<M>(config, ranks)?;
    let had = checkpoint.has_averages();
    if had == config.common().keeps_average() {
        return checkpoint.buffers(&model);
    }
    let mut as_written = config.clone();
    // With any decay there is an average, with 0 there is none.
    as_written.common_mut().average = if had { 0.5 } else { 0.0 };
    let written = networks::<M>(&as_written, ranks)?;
    let mut values = checkpoint.buffers(&written)?;
    for of in written.trained().into_iter().chain(model.trained()) {
        if let Some(average) = of.average {
            values[average] = if had { Vec::new() } else { values[of.buffers.parameters].clone() };
        }
    }
    Ok(values)
}

/// The sets of `data` that are not those of `checkpoint`: the name, what there was, and what there is.
fn different<'a>(
    checkpoint: &'a Checkpoint,
    names: &'a BTreeMap<String, ImageNames>,
) -> impl Iterator<Item = (&'a str, &'a ImageNames, &'a ImageNames)> {
    names.iter().filter_map(|(name, now)| {
        let before = checkpoint.sets().get(name).filter(|before| *before != now)?;
        Some((name.as_str(), before, now))
    })
}

/// How a set differs from what it was.
fn difference(before: &ImageNames, now: &ImageNames) -> String {
    match before.count == now.count {
        true => format!("{} images of other names", now.count),
        false => format!("{} images, {} before", now.count, before.count),
    }
}

/// What a run is told whose set of images is another than before.
fn changed(name: &str, before: &ImageNames, now: &ImageNames) -> String {
    format!(
        "warning: the set {name} has changed ({}); images come in another order than in an uninterrupted run",
        difference(before, now)
    )
}

/// Refuses a folder that is said to be where a set is now, and holds other images.
fn check_moved<M: Model>(
    checkpoint: &Checkpoint,
    before: &M::Config,
    config: &M::Config,
    names: &BTreeMap<String, ImageNames>,
) -> Result<()> {
    let (old, new) = (M::datasets(before), M::datasets(config));
    for (then, now) in old.iter().zip(&new).filter(|(then, now)| then.source != now.source) {
        if let Some((name, before, after)) = different(checkpoint, names).find(|(name, ..)| *name == now.name)
        {
            return Err(Error::Input(format!(
                "{}: not the images that the set {name} had in {} ({}); pass the folder that has them now, or begin another run on \
                 these, with `init` and a checkpoint of this one",
                now.source,
                then.source,
                difference(before, after)
            )));
        }
    }
    Ok(())
}

/// The newest checkpoint that can be read, and what is wrong with newer ones; none where there is no checkpoint.
fn newest_whole(folder: &RunFolder) -> Result<Option<(Checkpoint, BTreeMap<PathBuf, Error>)>> {
    let mut damaged = BTreeMap::new();
    for (_, path) in folder.checkpoints()?.into_iter().rev() {
        match Checkpoint::open(&path) {
            Ok(checkpoint) => return Ok(Some((checkpoint, damaged))),
            Err(error) => drop(damaged.insert(path, error)),
        }
    }
    damaged.into_values().next_back().map_or(Ok(None), Err)
}

/// Refuses to begin a run again that came further than its first checkpoint: somebody removed them, and its metrics would go.
fn check_had_none<C: RunConfig>(folder: &RunFolder, config: &C) -> Result<()> {
    let metrics = folder.metrics_path();
    let rows = if metrics.is_file() { metrics::read(metrics)? } else { Vec::new() };
    match rows.last() {
        Some(row) if row.step > config.common().intervals().checkpoint => Err(Error::Input(format!(
            "{}: it reached step {} and has no checkpoint to continue from; start it again: `train {}` with `config` {}",
            folder.path().display(),
            row.step,
            C::KIND,
            folder.config_path().display()
        ))),
        _ => Ok(()),
    }
}
