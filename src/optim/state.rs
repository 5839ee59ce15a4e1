//! Networks that one optimizer trains: their banks, their tensors as nodes, and the updates of a step.

use super::Optimizer;
use crate::graph::{Bank, Graph, Slot, Update, UpdateRule, Var, gradients};
use crate::nn::{Init, Network, Parameter, Tensors};
use crate::random::stream;
use crate::shape::Shape;
use crate::{Error, Result};

/// The banks of one optimizer's networks, by index.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OptimizerState {
    /// Trained tensors.
    pub parameters: usize,
    /// Running statistics.
    pub running: usize,
    /// Gradients of the last step.
    pub gradients: usize,
    /// The optimizer's state buffers, by name, which stand between these two.
    names: &'static [&'static str],
}

impl OptimizerState {
    /// How many banks Adam has.
    pub const COUNT: usize = 5;

    /// Adam's banks, one after another.
    pub const fn starting_at(first: usize) -> Self {
        Self::of(first, &UpdateRule::Adam { beta1: 0.0, beta2: 0.0, eps: 0.0 })
    }

    /// The banks of an optimizer with this rule, one after another.
    pub const fn of(first: usize, rule: &UpdateRule) -> Self {
        let names = rule.state();
        Self { parameters: first, running: first + 1, gradients: first + 2 + names.len(), names }
    }

    /// How many banks these are.
    pub const fn count(self) -> usize {
        3 + self.names.len()
    }

    /// The optimizer's state buffers: name and bank of each, in the order of [`UpdateRule::state`].
    pub fn state(self) -> impl Iterator<Item = (&'static str, usize)> {
        self.names.iter().copied().zip(self.running + 1..)
    }

    /// Every tensor of `networks`, which are all that have their banks here, in order: whose it is, what it is, its bank, and its index
    /// there.
    pub fn entries<'n>(
        self,
        networks: impl IntoIterator<Item = &'n Network>,
    ) -> Vec<(&'n Network, Parameter, usize, usize)> {
        let (mut all, mut trained, mut running) = (Vec::new(), 0.., 0..);
        for network in networks {
            let own = network.parameters().into_iter().zip(trained.by_ref());
            all.extend(own.map(|(tensor, index)| (network, tensor, self.parameters, index)));
            let kept = network.running().into_iter().zip(running.by_ref());
            all.extend(kept.map(|(tensor, index)| (network, tensor, self.running, index)));
        }
        all
    }

    /// The bank that shows how large gradients are: their moving average where the optimizer keeps one, else those of the last step.
    pub fn gradient_average(self) -> usize {
        self.state().find(|(name, _)| *name == "first").map_or(self.gradients, |(_, bank)| bank)
    }

    /// Adam's banks of `networks`, in the order of the indices.
    pub fn banks(networks: &[&Network]) -> [Bank; Self::COUNT] {
        let [parameters, running] = Self::layouts(networks);
        [parameters.clone(), running, parameters.clone(), parameters.clone(), parameters]
    }

    /// The banks of parameters and of running statistics of `networks`.
    pub(super) fn layouts(networks: &[&Network]) -> [Bank; 2] {
        let (mut parameters, mut running) = (Bank::default(), Bank::default());
        for network in networks {
            network.parameters().iter().for_each(|tensor| network.push(&mut parameters, tensor));
            network.running().iter().for_each(|tensor| network.push(&mut running, tensor));
        }
        [parameters, running]
    }

    /// The numbers of the banks of parameters and of running statistics before training, drawn by `init`. Each network comes
    /// with the purpose of its draws (see [`stream`]).
    ///
    /// # Panics
    /// If a purpose is longer than 16 bytes.
    pub fn initial(networks: &[(&Network, impl AsRef<str>)], init: Init, seed: u64) -> [Vec<f32>; 2] {
        let [parameters, running] =
            Self::layouts(&networks.iter().map(|&(network, _)| network).collect::<Vec<_>>());
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

    /// As [`OptimizerState::tensors`], the trained tensors taken from another bank of the same layout, such as one of
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

    /// The updates of one optimizer step: every gradient of `loss` into its bank, which becomes the mean over ranks where this one
    /// computes a `share` of the batch, then the optimizer's over the whole bank. `parameters` are all tensors of their bank, in order.
    /// Adds the input `rates`, see [`Optimizer::rates`], to the graph.
    ///
    /// # Errors
    /// If an operation between has no gradient, a setting of the optimizer cannot be, or these are not its banks.
    pub fn minimize(
        self,
        loss: Var<'_>,
        share: Option<f64>,
        parameters: &[Var<'_>],
        banks: &[Bank],
        optimizer: impl Into<Optimizer>,
    ) -> Result<Vec<Update>> {
        let optimizer = optimizer.into();
        optimizer.check()?;
        let rule = optimizer.rule();
        if rule.state() != self.names {
            return Err(Error::Input(format!(
                "{} keeps {:?} beside its parameters, but these banks hold {:?}; make them by OptimizerState::of",
                optimizer.name(),
                rule.state(),
                self.names
            )));
        }
        let rates = loss.graph().input("rates", Shape::vector(rule.rates())).id();
        let store = |(gradient, &(_, _, offset)): (Var<'_>, &(String, Shape, usize))| Update::Store {
            slot: Slot { bank: self.gradients, offset },
            value: gradient.id(),
        };
        let gradients = gradients(loss, parameters)?;
        let mut updates: Vec<Update> =
            gradients.into_iter().zip(&banks[self.parameters].tensors).map(store).collect();
        updates.extend(share.map(|share| Update::Mean { bank: self.gradients, share }));
        let state = self.state().map(|(_, bank)| bank).collect();
        let (parameters, gradients) = (self.parameters, self.gradients);
        updates.push(Update::Optimize { rule, parameters, gradients, state, rates });
        Ok(updates)
    }

    /// The average of the trained tensors in the bank `average`, to be updated after [`OptimizerState::minimize`]. Adds the
    /// input `decay` (see [`Update::Average`]) to `graph`.
    pub fn average(self, average: usize, graph: &Graph) -> Update {
        let decay = graph.input("decay", Shape::SCALAR).id();
        Update::Average { average, parameters: self.parameters, decay }
    }
}
