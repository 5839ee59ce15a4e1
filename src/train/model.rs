//! What every model that can be trained says of itself: its banks, and what lies where in them.

use super::optimizer::TrainedBanks;
use crate::graph::Bank;
use crate::nn::{Init, Network, Parameter};

/// Networks trained by one optimizer.
pub struct Trained<'m> {
    /// The networks, each with the purpose of its initial draws.
    pub networks: Vec<(&'m Network, String)>,
    /// Their banks.
    pub banks: TrainedBanks,
    /// The bank of averages of their parameters, where they are kept.
    pub average: Option<usize>,
}

impl Trained<'_> {
    /// Every tensor of every network: whose it is, what it is, its bank, and its index there.
    pub fn tensors(&self) -> Vec<(&Network, Parameter, usize, usize)> {
        let (mut all, mut parameter, mut running) = (Vec::new(), 0.., 0..);
        for &(network, _) in &self.networks {
            let trained = network.parameters().into_iter().zip(parameter.by_ref());
            all.extend(trained.map(|(tensor, index)| (network, tensor, self.banks.parameters, index)));
            let kept = network.running().into_iter().zip(running.by_ref());
            all.extend(kept.map(|(tensor, index)| (network, tensor, self.banks.running, index)));
        }
        all
    }
}

/// Networks over one set of banks.
pub trait Model {
    /// All banks, in the order of their indices.
    fn banks(&self) -> Vec<Bank>;

    /// Every network, by optimizer.
    fn trained(&self) -> Vec<Trained<'_>>;

    /// Pictures that are part of the state: name in a checkpoint, bank, and index within it.
    fn pictures(&self) -> Vec<(String, usize, usize)> {
        Vec::new()
    }

    /// The banks that are part of a run's state: what a step leaves for those after it.
    fn state(&self) -> Vec<usize> {
        let mut state: Vec<usize> = self.pictures().iter().map(|&(_, bank, _)| bank).collect();
        for Trained { banks: of, average, .. } in self.trained() {
            state.extend([of.parameters, of.running]);
            state.extend(of.state().map(|(_, bank)| bank));
            state.extend(average);
        }
        state.sort_unstable();
        state.dedup();
        state
    }

    /// The numbers of all banks before training: parameters drawn by `init`, running statistics and averages to match,
    /// everything else 0.
    fn initial(&self, init: Init, seed: u64) -> Vec<Vec<f32>> {
        let mut values: Vec<Vec<f32>> = self.banks().iter().map(|bank| vec![0.0; bank.len]).collect();
        for Trained { networks, banks: of, average } in self.trained() {
            let [parameters, running] = TrainedBanks::initial(&networks, init, seed);
            values[of.parameters] = parameters;
            values[of.running] = running;
            if let Some(average) = average {
                values[average] = values[of.parameters].clone();
            }
        }
        values
    }
}
