//! What ranks do together: agree on what they train, see the same losses, and hold the same state.

use super::Trainer;
use crate::file;
use crate::nn::ParameterKind;
use crate::ranks::Ranks;
use crate::train::config::RunConfig;
use crate::train::dataset::Dataset;
use crate::train::log::Loss;
use crate::train::model::{Model, Trained};
use crate::{Error, Result};

/// Checks that all ranks train the same from the same step on.
///
/// # Errors
/// If one differs; the text names it and in what.
pub(super) fn agree(ranks: &Ranks, config: &impl RunConfig, sets: &[Dataset], step: u64) -> Result<()> {
    if ranks.size() == 1 {
        return Ok(());
    }
    let remedy = |what: &str| {
        let what = what.to_owned();
        move |error: Error| Error::Ranks(format!("{error}: {what}"))
    };
    let version = file::fnv1a(env!("CARGO_PKG_VERSION").bytes());
    ranks.agree(version, "the version of mewgan").map_err(remedy("start the same program everywhere"))?;
    let settings = file::fnv1a(config.to_toml()?.bytes());
    ranks
        .agree(settings, "the settings")
        .map_err(remedy("give all the same settings, in the same `config` file or without one"))?;
    ranks
        .agree(step, "the step to go on after")
        .map_err(remedy("all need to see the run's folder with the same checkpoints"))?;
    let sets = sets.iter().map(|set| &set.images);
    let names = sets.clone().flat_map(|set| set.names().iter().flat_map(|name| name.bytes().chain([0])));
    let bytes = sets.flat_map(|set| (0..set.len()).flat_map(|index| set.image(index).iter().copied()));
    ranks
        .agree(file::fnv1a(names.chain(bytes)), "the images")
        .map_err(remedy("all need the same files under the same names"))
}

impl<M: Model> Trainer<M> {
    /// The losses of the whole batch, of those of this rank's part of it.
    pub(super) fn of_all(&self, mut losses: Vec<Loss>) -> Vec<Loss> {
        let Some(share) = self.training.shard.share else { return losses };
        let mut values: Vec<f64> =
            losses.iter().filter_map(|loss| loss.value).map(|value| share * value).collect();
        self.ranks.sum(&mut values);
        let known = losses.iter_mut().filter_map(|loss| loss.value.as_mut());
        known.zip(values).for_each(|(value, mean)| *value = mean);
        losses
    }

    /// Whether the state of any rank has a number that is not finite; where, if it is this one's.
    pub(super) fn find_non_finite(&mut self) -> Result<Option<String>> {
        let found = self.training.executor.non_finite()?;
        let named = found.map(|at| format!("{} is not finite", self.tensor(at)));
        let elsewhere = || "a number of another rank is not finite".to_owned();
        Ok(self.ranks.any(named.is_some()).then(|| named.unwrap_or_else(elsewhere)))
    }

    /// Has all ranks remember the mean of the running statistics, which each takes of its own images where batch norm does. They
    /// are means over steps already, so it is the same whether they are averaged every step or now.
    pub(super) fn average_running(&mut self) -> Result<()> {
        if self.ranks.size() == 1 || self.training.common().sync_batch_norm {
            return Ok(());
        }
        let buffers = self.training.model.buffers();
        let kept = |Trained { networks, buffers: of, .. }: Trained<'_>| {
            let tensors = networks.iter().flat_map(|(network, _)| network.running());
            let norms = tensors.enumerate().filter(|(_, tensor)| tensor.kind == ParameterKind::NormRunning);
            (of.running, norms.map(|(index, _)| index).collect::<Vec<_>>())
        };
        let kept: Vec<_> = self.training.model.trained().into_iter().map(kept).collect();
        for (buffer, tensors) in kept.into_iter().filter(|(_, tensors)| !tensors.is_empty()) {
            let mut values = self.training.executor.read_state(buffer)?;
            let share = 1.0 / self.ranks.size() as f64;
            for tensor in tensors {
                let own = buffers[buffer].view_mut(&mut values, tensor);
                let mut sums: Vec<f64> = own.iter().map(|&value| share * f64::from(value)).collect();
                self.ranks.sum(&mut sums);
                own.iter_mut().zip(sums).for_each(|(value, mean)| *value = mean as f32);
            }
            self.training.executor.write_state(buffer, &values)?;
        }
        Ok(())
    }

    /// Checks that the last whole state is the same on all ranks.
    ///
    /// # Errors
    /// If it is not; the text names the rank.
    pub(super) fn check_is_same(&self) -> Result<()> {
        if self.ranks.size() == 1 {
            return Ok(());
        }
        let state = self.training.model.state().into_iter().flat_map(|buffer| &self.snapshot.buffers[buffer]);
        // FNV-1a, a number at a time.
        let mix = |hash: u64, value: &f32| (hash ^ u64::from(value.to_bits())).wrapping_mul(0x0100_0000_01b3);
        let what = format!("the state after step {}", self.step);
        self.ranks.agree(state.fold(0xcbf2_9ce4_8422_2325, mix), &what).map_err(|error| {
            Error::Ranks(format!(
                "{error}, though all make the same updates: its device, driver or memory may be faulty"
            ))
        })
    }
}
