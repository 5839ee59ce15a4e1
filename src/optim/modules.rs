//! Parameters as nodes of a graph, and the steps that train them.

use super::params::{Group, GroupEntry, Params, Place};
use crate::graph::{Graph, NodeId, Slot, Step, Update, Var};
use crate::nn::{Network, NormMode, Tensors};
use crate::{Error, Result};
use std::cell::RefCell;
use std::collections::BTreeMap;

/// The networks and tensors of [`Params`] as nodes of one graph.
pub struct Modules<'p, 'g> {
    params: &'p Params,
    graph: &'g Graph,
    /// Of each group: its networks' tensors, and all its parameters.
    tensors: Vec<(Vec<Tensors<'g>>, Vec<Var<'g>>)>,
    /// Networks that were passed through, by name: the weights they compute with, and what updates these bring.
    normalized: RefCell<BTreeMap<String, (Tensors<'g>, Vec<Update>)>>,
    passes: RefCell<Vec<Pass>>,
}

/// One way through a network in training.
struct Pass {
    network: String,
    result: NodeId,
    updates: Vec<Update>,
}

/// A step that a [`Session`](crate::session::Session) runs, and the group that it trains, if any.
#[derive(Clone, Debug)]
pub struct TrainStep {
    /// The step.
    pub step: Step,
    /// What it trains.
    pub group: Option<Group>,
}

impl From<Step> for TrainStep {
    /// A step that trains nothing.
    fn from(step: Step) -> Self {
        Self { step, group: None }
    }
}

impl<'p, 'g> Modules<'p, 'g> {
    pub(super) fn new(params: &'p Params, graph: &'g Graph) -> Self {
        let of_group = |GroupEntry { buffers, networks, .. }: &GroupEntry| {
            let networks: Vec<&Network> = networks.iter().collect();
            let tensors = buffers.tensors(graph, &networks, &params.buffers);
            let mut parameters = Tensors::parameters(&tensors);
            for &(_, shape, offset) in &params.buffers[buffers.parameters].tensors[parameters.len()..] {
                parameters.push(graph.state(Slot { buffer: buffers.parameters, offset }, shape));
            }
            (tensors, parameters)
        };
        let tensors = params.groups.iter().map(of_group).collect();
        Self { params, graph, tensors, normalized: RefCell::default(), passes: RefCell::default() }
    }

    /// What the network `name` makes of `x` in training: batch norms go by the batch, and a step that needs the result updates their
    /// running statistics.
    ///
    /// # Errors
    /// If there is no such network, or `x` does not fit it.
    pub fn forward(&self, name: &str, x: Var<'g>) -> Result<Var<'g>> {
        let (network, tensors) = self.network(name)?;
        let (y, updates) = network.forward(x, &tensors, NormMode::Batch)?;
        self.passes.borrow_mut().push(Pass { network: name.to_owned(), result: y.id(), updates });
        Ok(y)
    }

    /// What it makes of `x` in use: batch norms go by their running statistics, and nothing changes.
    ///
    /// # Errors
    /// As [`Modules::forward`].
    pub fn evaluate(&self, name: &str, x: Var<'g>) -> Result<Var<'g>> {
        let (network, tensors) = self.network(name)?;
        Ok(network.forward(x, &tensors, NormMode::Running)?.0)
    }

    /// A tensor that is part of no network.
    ///
    /// # Errors
    /// If there is none of this name.
    pub fn tensor(&self, name: &str) -> Result<Var<'g>> {
        let place = self.params.place(name).filter(|place| place.parameter.is_none());
        let node = |place: Place| {
            let mut groups = self.params.groups.iter().zip(&self.tensors);
            let of = groups.find(|(group, _)| group.buffers.parameters == place.buffer);
            of.map(|(_, (_, parameters))| parameters[place.index])
        };
        place.and_then(node).ok_or_else(|| Error::Input(format!("no loose tensor named {name}")))
    }

    /// A step that gives the `outputs` and minimises `loss` over the parameters of `group`.
    ///
    /// # Errors
    /// If the loss depends on no parameter of the group, an operation between has no gradient, or the step cannot be: see
    /// [`Step::new`].
    pub fn minimize(
        &self,
        name: &str,
        loss: Var<'g>,
        group: Group,
        outputs: &[(&str, Var<'g>)],
    ) -> Result<TrainStep> {
        let GroupEntry { buffers, optimizer, .. } = self.params.group(group)?;
        let parameters = &self.tensors[group.0].1;
        let trained = self.needed(&[loss])?;
        if !parameters.iter().any(|parameter| trained[parameter.id()]) {
            let problem = "its loss depends on no parameter of the group; compute it by these modules";
            return Err(Error::Input(format!("step {name}: {problem}")));
        }
        let roots: Vec<Var<'g>> = outputs.iter().map(|(_, var)| *var).chain([loss]).collect();
        let mut updates = self.passed(&self.needed(&roots)?);
        updates.extend(buffers.minimize(loss, None, parameters, &self.params.buffers, *optimizer)?);
        let step = Step::new(name, self.graph, outputs, updates)?;
        Ok(TrainStep { step, group: Some(group) })
    }

    /// A network, and the tensors it computes with.
    fn network(&self, name: &str) -> Result<(&'p Network, Tensors<'g>)> {
        let groups = self.params.groups.iter().zip(&self.tensors);
        let mut all = groups.flat_map(|(group, (tensors, _))| group.networks.iter().zip(tensors));
        let Some((network, tensors)) = all.find(|(network, _)| network.name == name) else {
            let known = self.params.groups.iter().flat_map(|group| &group.networks);
            let known: Vec<&str> = known.map(|network| network.name.as_str()).collect();
            return Err(Error::Input(format!("no network named {name}; there are: {}", known.join(", "))));
        };
        let mut normalized = self.normalized.borrow_mut();
        if !normalized.contains_key(name) {
            normalized.insert(name.to_owned(), network.normalized(tensors)?);
        }
        Ok((network, normalized[name].0.clone()))
    }

    /// For each node, whether one of `roots` is computed from it.
    fn needed(&self, roots: &[Var<'g>]) -> Result<Vec<bool>> {
        if roots.iter().any(|root| !self.graph.owns(*root)) {
            return Err(Error::Input("the loss or an output is of another graph than its modules".into()));
        }
        Ok(self.graph.needed(roots.iter().map(|root| root.id())))
    }

    /// The updates of running statistics and singular vectors by the passes whose results are `needed`.
    fn passed(&self, needed: &[bool]) -> Vec<Update> {
        let (passes, normalized) = (self.passes.borrow(), self.normalized.borrow());
        let mut updates = Vec::new();
        let mut networks: Vec<&str> = Vec::new();
        for pass in passes.iter().filter(|pass| needed[pass.result]) {
            if !networks.contains(&pass.network.as_str()) {
                networks.push(&pass.network);
                updates.extend(normalized[&pass.network].1.iter().cloned());
            }
            updates.extend(pass.updates.iter().cloned());
        }
        updates
    }
}
