//! Parameters by name, their optimizers and their initial values.

use super::{Modules, Optimizer, OptimizerState};
use crate::graph::{Graph, StateBuffer};
use crate::nn::{Init, Network, Parameter};
use crate::shape::Shape;
use crate::{Error, Result};

/// The parameters of some networks, or loose tensors, each group with the optimizer that trains it; their state buffers, and
/// their values before training.
#[derive(Clone, Debug)]
pub struct Params {
    seed: u64,
    pub(super) groups: Vec<GroupEntry>,
    pub(super) buffers: Vec<StateBuffer>,
    initial: Vec<Vec<f32>>,
}

/// Parameters that one optimizer trains.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Group(pub(super) usize);

impl Group {
    /// Its number, from 0 in the order of [`Params::add`].
    pub const fn index(self) -> usize {
        self.0
    }
}

/// What a group is made of.
#[derive(Clone, Debug)]
pub(crate) struct GroupEntry {
    pub optimizer: Optimizer,
    pub buffers: OptimizerState,
    /// Their tensors come first in the state buffers, those that belong to no network after them.
    pub networks: Vec<Network>,
}

/// Where the numbers of a name are: one tensor, of a network unless it is loose.
pub(crate) struct Place {
    pub buffer: usize,
    pub index: usize,
    pub parameter: Option<Parameter>,
}

impl Params {
    /// None yet. What is drawn follows from `seed`.
    pub const fn new(seed: u64) -> Self {
        Self { seed, groups: vec![], buffers: vec![], initial: vec![] }
    }

    /// Adds the parameters of `networks`, drawn by `init`, which `optimizer` trains.
    ///
    /// # Errors
    /// If a network's name is taken, or a setting of the optimizer cannot be.
    pub fn add(
        &mut self,
        networks: &[&Network],
        init: Init,
        optimizer: impl Into<Optimizer>,
    ) -> Result<Group> {
        let optimizer = optimizer.into();
        optimizer.check()?;
        let known = self.groups.iter().flat_map(|group| &group.networks);
        let mut known: Vec<&str> = known.map(|network| network.name.as_str()).collect();
        for network in networks {
            if known.contains(&network.name.as_str()) {
                let problem = format!("two networks are named {}; give each its own name", network.name);
                return Err(Error::Input(problem));
            }
            known.push(&network.name);
        }
        let first = known.len() - networks.len();
        let drawn: Vec<(&Network, String)> =
            (first..).zip(networks).map(|(at, network)| (*network, format!("init.{at}"))).collect();
        let buffers = OptimizerState::of(self.buffers.len(), &optimizer.rule());
        let [parameters, running] = OptimizerState::layouts(networks);
        let mut layouts = vec![parameters; buffers.count()];
        layouts[buffers.running - buffers.parameters] = running;
        let mut initial: Vec<Vec<f32>> = layouts.iter().map(|buffer| vec![0.0; buffer.len]).collect();
        let [parameters, running] = OptimizerState::initial(&drawn, init, self.seed);
        initial[0] = parameters;
        initial[buffers.running - buffers.parameters] = running;
        self.buffers.extend(layouts);
        self.initial.extend(initial);
        let networks = networks.iter().map(|&network| network.clone()).collect();
        self.groups.push(GroupEntry { optimizer, buffers, networks });
        Ok(Group(self.groups.len() - 1))
    }

    /// Adds a tensor that is part of no network to a group, with its values before training. A group without networks comes of
    /// [`Params::add`] without any.
    ///
    /// # Errors
    /// If the group is of other parameters, the name is taken, or the values are not as many as the shape has.
    pub fn add_tensor(&mut self, group: Group, name: &str, shape: Shape, values: &[f32]) -> Result<()> {
        if self.place(name).is_some() {
            return Err(Error::Input(format!("two tensors are named {name}; give each its own name")));
        }
        if values.len() != shape.len() || values.is_empty() {
            let problem = format!("{name} is {shape}, {} numbers, not {}", shape.len(), values.len());
            return Err(Error::Input(problem));
        }
        let of = self.group(group)?.buffers;
        let state = of.state().map(|(_, buffer)| buffer);
        for buffer in [of.parameters, of.gradients].into_iter().chain(state) {
            let index = self.buffers[buffer].push(name, shape);
            self.initial[buffer].resize(self.buffers[buffer].len, 0.0);
            if buffer == of.parameters {
                self.buffers[buffer].view_mut(&mut self.initial[buffer], index).copy_from_slice(values);
            }
        }
        Ok(())
    }

    /// All of them as nodes of `graph`, to be taken once a graph.
    pub fn modules<'g>(&self, graph: &'g Graph) -> Modules<'_, 'g> {
        Modules::new(self, graph)
    }

    /// All state buffers, for an executor.
    pub fn buffers(&self) -> &[StateBuffer] {
        &self.buffers
    }

    /// The numbers of all state buffers before training.
    pub fn initial(&self) -> &[Vec<f32>] {
        &self.initial
    }

    /// The optimizer of every group.
    pub(crate) fn optimizers(&self) -> Vec<Optimizer> {
        self.groups.iter().map(|group| group.optimizer).collect()
    }

    pub(crate) fn group(&self, group: Group) -> Result<&GroupEntry> {
        self.groups.get(group.0).ok_or_else(|| {
            Error::Input(format!("there is no group {}; there are {}", group.0, self.groups.len()))
        })
    }

    /// Where a tensor is: a loose one by its name, one of a network by the network's and PyTorch's, such as
    /// `generator.main.0.weight`.
    pub(crate) fn place(&self, name: &str) -> Option<Place> {
        self.groups.iter().find_map(|GroupEntry { buffers, networks, .. }| {
            let entries = buffers.entries(networks);
            let own = |network: &Network, parameter: &Parameter| {
                let rest = name.strip_prefix(&network.name).and_then(|rest| rest.strip_prefix('.'));
                let entries = parameter.torch_entries();
                rest.is_some_and(|rest| entries.iter().any(|(entry, _)| entry == rest))
            };
            if let Some((_, parameter, buffer, index)) =
                entries.iter().find(|(of, tensor, ..)| own(of, tensor))
            {
                return Some(Place { buffer: *buffer, index: *index, parameter: Some(parameter.clone()) });
            }
            let trained = entries.iter().filter(|(_, _, buffer, _)| *buffer == buffers.parameters).count();
            let tensors = &self.buffers[buffers.parameters].tensors;
            let loose = (trained..tensors.len()).find(|&index| tensors[index].0 == name)?;
            Some(Place { buffer: buffers.parameters, index: loose, parameter: None })
        })
    }
}
