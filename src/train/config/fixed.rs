//! What a run that is resumed has to keep.

use super::{MODEL, RunConfig};
use crate::train::config::record::word;
use crate::{Error, Result};
use std::path::Path;

/// Why networks stay as they are.
pub const NETWORKS: &str = "the weights of its checkpoints belong to the networks that it makes";
/// Why the order of updates stays.
pub const UPDATES: &str = "Adam and averages count their updates by it, from the first step on";

const COMMON: &[(&str, &str)] = &[
    ("preset", "its values are settings of the run, to be changed one by one"),
    ("size", NETWORKS),
    ("channels", NETWORKS),
    ("g_width", NETWORKS),
    ("d_width", NETWORKS),
    ("blocks", NETWORKS),
    ("upsample", NETWORKS),
    ("norm", NETWORKS),
    ("d_norm", NETWORKS),
    ("d_first_norm", NETWORKS),
    ("slope", NETWORKS),
    ("loss", "it decides what the scores of the trained discriminators mean"),
    ("init", "the weights are those of its checkpoint"),
    ("holdout", "images that were trained on would be held out, or the other way round"),
    ("precision", "the loss scales of mixed precision are part of its checkpoints"),
    ("seed", "it decides which images are held out"),
];

/// The settings that a resumed run of `C` has to keep, and why.
pub fn fixed<C: RunConfig>() -> impl Iterator<Item = (&'static str, &'static str)> {
    COMMON.iter().chain(C::FIXED).copied()
}

/// Refuses to go on with the settings `now` after `step` steps of a run that had `before`; `origin` is its `config.toml`.
///
/// # Errors
/// Names the first setting that has to stay, why, and what to do instead.
pub fn check<C: RunConfig>(before: &C, now: &C, step: u64, origin: &Path) -> Result<()> {
    let (old, new) = (before.table()?, now.table()?);
    if let Some((name, why)) = fixed::<C>().find(|(name, _)| old.get(*name) != new.get(*name)) {
        let value = |table: &toml::Table| table.get(name).map_or_else(|| "not set".into(), word);
        let kind = new.get(MODEL).and_then(toml::Value::as_str).unwrap_or_default();
        return Err(Error::Setting {
            name,
            problem: format!(
                "{name} is {} in this run and cannot become {}: {why}; leave it out, or start another run: `train {kind}` with `config` \
                 {} and, if its networks are the same, `init` with a checkpoint of this one",
                value(&old),
                value(&new),
                origin.display()
            ),
        });
    }
    now.check_change(before, step)
}
