//! Networks that one optimizer trains: their state buffers, their tensors as nodes, and the updates of a step.

use super::Optimizer;
use crate::graph::{Graph, Slot, StateBuffer, Update, UpdateRule, Var, gradients};
use crate::nn::{Init, Network, Parameter, Tensors};
use crate::random::stream;
use crate::shape::Shape;
use crate::{Error, Result};

/// The state buffers of one optimizer's networks, by index.
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
    /// That of a loss scale ([`StateBuffer::loss_scale`]), where there is one.
    pub scale: Option<usize>,
}

impl OptimizerState {
    /// How many state buffers Adam has.
    pub const COUNT: usize = 5;

    /// Adam's state buffers, one after another.
    pub const fn starting_at(first: usize) -> Self {
        Self::of(first, &UpdateRule::Adam { beta1: 0.0, beta2: 0.0, eps: 0.0 })
    }

    /// The state buffers of an optimizer with this rule, one after another.
    pub const fn of(first: usize, rule: &UpdateRule) -> Self {
        let names = rule.state();
        Self { parameters: first, running: first + 1, gradients: first + 2 + names.len(), names, scale: None }
    }

    /// The same with the loss scale whose state buffer is `scale`.
    pub const fn scaled(self, scale: Option<usize>) -> Self {
        Self { scale, ..self }
    }

    /// How many state buffers these are, without that of a loss scale.
    pub const fn count(self) -> usize {
        3 + self.names.len()
    }

    /// The optimizer's state buffers: name and state buffer of each, in the order of [`UpdateRule::state`].
    pub fn state(self) -> impl Iterator<Item = (&'static str, usize)> {
        self.names.iter().copied().zip(self.running + 1..)
    }

    /// Every tensor of `networks`, which are all that have their state buffers here, in order: whose it is, what it is, its state buffer, and its index
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

    /// The state buffer that shows how large gradients are: their moving average where the optimizer keeps one, else those of the last step.
    pub fn gradient_average(self) -> usize {
        self.state().find(|(name, _)| *name == "first").map_or(self.gradients, |(_, buffer)| buffer)
    }

    /// Adam's state buffers of `networks`, in the order of the indices.
    pub fn buffers(networks: &[&Network]) -> [StateBuffer; Self::COUNT] {
        let [parameters, running] = Self::layouts(networks);
        [parameters.clone(), running, parameters.clone(), parameters.clone(), parameters]
    }

    /// The state buffers of parameters and of running statistics of `networks`.
    pub(super) fn layouts(networks: &[&Network]) -> [StateBuffer; 2] {
        let (mut parameters, mut running) = (StateBuffer::default(), StateBuffer::default());
        for network in networks {
            network.parameters().iter().for_each(|tensor| network.push(&mut parameters, tensor));
            network.running().iter().for_each(|tensor| network.push(&mut running, tensor));
        }
        [parameters, running]
    }

    /// The numbers of the state buffers of parameters and of running statistics before training, drawn by `init`. Each network comes
    /// with the purpose of its draws (see [`stream`]).
    ///
    /// # Panics
    /// If a purpose is longer than 16 bytes.
    pub fn initial(networks: &[(&Network, impl AsRef<str>)], init: Init, seed: u64) -> [Vec<f32>; 2] {
        let [parameters, running] =
            Self::layouts(&networks.iter().map(|&(network, _)| network).collect::<Vec<_>>());
        [(parameters, true), (running, false)].map(|(buffer, trained)| {
            let mut values = vec![0.0; buffer.len];
            let mut next = 0..;
            for (network, purpose) in networks {
                let tensors = if trained { network.parameters() } else { network.running() };
                for (index, (tensor, at)) in tensors.iter().zip(&mut next).enumerate() {
                    let drawn = init.draw(tensor, &mut stream(seed, purpose.as_ref(), index as u64));
                    buffer.view_mut(&mut values, at).copy_from_slice(&drawn);
                }
            }
            values
        })
    }

    /// The tensors of each of `networks` as nodes of `graph`; `buffers` are all state buffers there are.
    pub fn tensors<'g>(
        self,
        graph: &'g Graph,
        networks: &[&Network],
        buffers: &[StateBuffer],
    ) -> Vec<Tensors<'g>> {
        self.tensors_from(self.parameters, graph, networks, buffers)
    }

    /// As [`OptimizerState::tensors`], the trained tensors taken from another state buffer of the same layout, such as one of
    /// averages.
    pub fn tensors_from<'g>(
        self,
        parameters: usize,
        graph: &'g Graph,
        networks: &[&Network],
        buffers: &[StateBuffer],
    ) -> Vec<Tensors<'g>> {
        let nodes = |buffer: usize| {
            let node = move |&(_, shape, offset): &(String, Shape, usize)| {
                let slot = Slot { buffer, offset };
                (graph.state(slot, shape), slot)
            };
            buffers[buffer].tensors.iter().map(node)
        };
        let (mut trained, mut running) = (nodes(parameters), nodes(self.running));
        let mut take = |network: &&Network| Tensors {
            parameters: trained.by_ref().take(network.parameters().len()).map(|(var, _)| var).collect(),
            running: running.by_ref().take(network.running().len()).collect(),
        };
        networks.iter().map(&mut take).collect()
    }

    /// The updates of one optimizer step: every gradient of `loss`, times the loss scale where there is one, into its state buffer, which becomes the mean over ranks where this one
    /// computes a `share` of the batch, then the optimizer's over the whole state buffer. `parameters` are all tensors of their state buffer, in order.
    /// Adds the input `rates`, see [`Optimizer::rates`], to the graph.
    ///
    /// # Errors
    /// If an operation between has no gradient, a setting of the optimizer cannot be, or these are not its state buffers.
    pub fn minimize(
        self,
        loss: Var<'_>,
        share: Option<f64>,
        parameters: &[Var<'_>],
        buffers: &[StateBuffer],
        optimizer: impl Into<Optimizer>,
    ) -> Result<Vec<Update>> {
        let optimizer = optimizer.into();
        optimizer.check()?;
        let rule = optimizer.rule();
        if rule.state() != self.names {
            return Err(Error::Input(format!(
                "{} keeps {:?} beside its parameters, but these state buffers hold {:?}; make them by OptimizerState::of",
                optimizer.name(),
                rule.state(),
                self.names
            )));
        }
        let rates = loss.graph().input("rates", Shape::vector(rule.rates())).id();
        let store = |(gradient, &(_, _, offset)): (Var<'_>, &(String, Shape, usize))| Update::Store {
            slot: Slot { buffer: self.gradients, offset },
            value: gradient.id(),
        };
        let loss = match self.scale {
            Some(buffer) => loss.mul(loss.graph().state(Slot { buffer, offset: 0 }, Shape::SCALAR))?,
            None => loss,
        };
        let gradients = gradients(loss, parameters)?;
        let mut updates: Vec<Update> =
            gradients.into_iter().zip(&buffers[self.parameters].tensors).map(store).collect();
        updates.extend(share.map(|share| Update::Mean { buffer: self.gradients, share }));
        let state = self.state().map(|(_, buffer)| buffer).collect();
        let Self { parameters, gradients, scale, .. } = self;
        updates.extend(scale.map(|scale| Update::Unscale { gradients, scale }));
        updates.push(Update::Optimize { rule, parameters, gradients, state, rates, scale });
        Ok(updates)
    }

    /// The average of the trained tensors in the state buffer `average`, to be updated after [`OptimizerState::minimize`]. Adds the
    /// input `decay` (see [`Update::Average`]) to `graph`.
    pub fn average(self, average: usize, graph: &Graph) -> Update {
        let decay = graph.input("decay", Shape::SCALAR).id();
        Update::Average { average, parameters: self.parameters, decay }
    }
}
