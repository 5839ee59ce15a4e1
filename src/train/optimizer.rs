//! Networks that one optimizer trains: their banks, their tensors as nodes, and the updates of a step.

use crate::Result;
use crate::graph::{Bank, Graph, Slot, Update, Var, gradients};
use crate::nn::{Init, Network, Tensors};
use crate::optim::Adam;
use crate::random::stream;
use crate::ranks::Shard;
use crate::shape::Shape;

/// The five banks of one optimizer's networks, by index.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TrainedBanks {
    /// Trained tensors.
    pub parameters: usize,
    /// Running statistics.
    pub running: usize,
    /// Adam's first moments.
    pub first: usize,
    /// Adam's second moments.
    pub second: usize,
    /// Gradients of the last step.
    pub gradients: usize,
}

impl TrainedBanks {
    /// How many banks these are.
    pub const COUNT: usize = 5;

    /// Banks that stand one after another.
    pub const fn starting_at(first: usize) -> Self {
        Self {
            parameters: first,
            running: first + 1,
            first: first + 2,
            second: first + 3,
            gradients: first + 4,
        }
    }

    /// The banks of `networks`, in the order of the indices.
    pub fn banks(networks: &[&Network]) -> [Bank; Self::COUNT] {
        let (mut parameters, mut running) = (Bank::default(), Bank::default());
        for network in networks {
            network.parameters().iter().for_each(|tensor| network.push(&mut parameters, tensor));
            network.running().iter().for_each(|tensor| network.push(&mut running, tensor));
        }
        [parameters.clone(), running, parameters.clone(), parameters.clone(), parameters]
    }

    /// The numbers of the banks of parameters and of running statistics before training, drawn by `init`. Each network comes
    /// with the purpose of its draws (see [`stream`]).
    ///
    /// # Panics
    /// If a purpose is longer than 16 bytes.
    pub fn initial(networks: &[(&Network, impl AsRef<str>)], init: Init, seed: u64) -> [Vec<f32>; 2] {
        let [parameters, running, ..] =
            Self::banks(&networks.iter().map(|&(network, _)| network).collect::<Vec<_>>());
        [(parameters, true), (running, false)].map(|(bank, trained)| {
            let mut values = vec![0.0; bank.len];
            let mut next = 0..;
            for (network, purpose) in networks {
                let tensors = if trained { network.parameters() } else { network.running() };
                for (index, (tensor, at)) in tensors.iter().zip(&mut next).enumerate() {
                    let drawn = init.draw(tensor, &mut stream(seed, purpose.as_ref(), index as u64));
                    bank.view_mut(&mut values, at).copy_from_slice(&drawn);
                }
            }
            values
        })
    }

    /// The tensors of each of `networks` as nodes of `graph`; `banks` are all banks there are.
    pub fn tensors<'g>(self, graph: &'g Graph, networks: &[&Network], banks: &[Bank]) -> Vec<Tensors<'g>> {
        self.tensors_from(self.parameters, graph, networks, banks)
    }

    /// As [`TrainedBanks::tensors`], the trained tensors taken from another bank of the same layout, such as one of
    /// averages.
    pub fn tensors_from<'g>(
        self,
        parameters: usize,
        graph: &'g Graph,
        networks: &[&Network],
        banks: &[Bank],
    ) -> Vec<Tensors<'g>> {
        let nodes = |bank: usize| {
            let node = move |&(_, shape, offset): &(String, Shape, usize)| {
                let slot = Slot { bank, offset };
                (graph.state(slot, shape), slot)
            };
            banks[bank].tensors.iter().map(node)
        };
        let (mut trained, mut running) = (nodes(parameters), nodes(self.running));
        let mut take = |network: &&Network| Tensors {
            parameters: trained.by_ref().take(network.parameters().len()).map(|(var, _)| var).collect(),
            running: running.by_ref().take(network.running().len()).collect(),
        };
        networks.iter().map(&mut take).collect()
    }

    /// The updates of one optimizer step: every gradient of `loss` into its bank, which becomes the mean over ranks where there are
    /// others, then Adam over the whole bank. Adds the input `rates` (see [`Update::Adam`]) to the graph.
    ///
    /// # Errors
    /// If an operation between has no gradient.
    pub fn descend(
        self,
        loss: Var<'_>,
        shard: Shard,
        tensors: &[Tensors<'_>],
        banks: &[Bank],
        adam: &Adam,
    ) -> Result<Vec<Update>> {
        let rates = loss.graph().input("rates", Shape::vector(2));
        let parameters: Vec<Var<'_>> = tensors.iter().flat_map(|of| of.parameters.iter().copied()).collect();
        let store = |(gradient, &(_, _, offset)): (Var<'_>, &(String, Shape, usize))| Update::Store {
            slot: Slot { bank: self.gradients, offset },
            value: gradient.id(),
        };
        let gradients = gradients(loss, &parameters)?;
        let mut updates: Vec<Update> =
            gradients.into_iter().zip(&banks[self.parameters].tensors).map(store).collect();
        updates.extend(shard.share.map(|share| Update::Mean { bank: self.gradients, share }));
        updates.push(Update::Adam {
            parameters: self.parameters,
            gradients: self.gradients,
            first: self.first,
            second: self.second,
            rates: rates.id(),
            beta1: adam.beta1,
            beta2: adam.beta2,
            eps: adam.eps,
        });
        Ok(updates)
    }

    /// The average of the trained tensors in the bank `average`, to be updated after [`TrainedBanks::descend`]. Adds the
    /// input `decay` (see [`Update::Average`]) to `graph`.
    pub fn average(self, average: usize, graph: &Graph) -> Update {
        let decay = graph.input("decay", Shape::SCALAR).id();
        Update::Average { average, parameters: self.parameters, decay }
    }
}
