//! A graph made ready to run: what to read from it and what to update after it.

use super::names::names;
use super::{Graph, Node, NodeId, Op, UpdateRule, Var};
use crate::shape::Shape;
use crate::{Error, Result};

/// Numbers between neighbouring tensors of a state buffer start at multiples of this, so that every tensor can be bound by
/// itself (256 bytes, the largest storage offset alignment WebGPU allows, in f32).
pub(super) const ALIGN: usize = 64;

/// Tensors that live on the device between runs, one after another in one buffer: all parameters of an optimizer,
/// their gradients, their moments.
#[derive(Clone, Debug, Default)]
pub struct StateBuffer {
    /// Name, shape and offset of each tensor.
    pub tensors: Vec<(String, Shape, usize)>,
    /// Numbers in the whole state buffer, gaps included.
    pub len: usize,
}

impl StateBuffer {
    /// Appends a tensor and returns its index.
    pub fn push(&mut self, name: impl Into<String>, shape: Shape) -> usize {
        self.tensors.push((name.into(), shape, self.len));
        self.len = self.len.saturating_add(shape.len().div_ceil(ALIGN).saturating_mul(ALIGN));
        self.tensors.len() - 1
    }

    /// The numbers of tensor `index` within the whole state buffer's `values`.
    pub fn view<'a, T>(&self, values: &'a [T], index: usize) -> &'a [T] {
        let (_, shape, offset) = &self.tensors[index];
        &values[*offset..*offset + shape.len()]
    }

    /// As [`StateBuffer::view`], to be written.
    pub fn view_mut<'a, T>(&self, values: &'a mut [T], index: usize) -> &'a mut [T] {
        let (_, shape, offset) = &self.tensors[index];
        &mut values[*offset..*offset + shape.len()]
    }
}

/// Where a state tensor lies: which state buffer, and the offset of its first number.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Slot {
    /// Index of the state buffer.
    pub buffer: usize,
    /// First number within the state buffer.
    pub offset: usize,
}

/// A change of state, made in the order given after the whole graph is computed: a node's value is what it was before any
/// change.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Update {
    /// The tensor becomes the node's value.
    Store {
        /// The tensor.
        slot: Slot,
        /// Its new value.
        value: NodeId,
    },
    /// `running = (1 - momentum) * running + momentum * moments`, with the variance made unbiased by
    /// `count / (count - 1)`, as PyTorch does.
    RunningMoments {
        /// Running mean and variance, `[1, 1, 2, channels]`.
        slot: Slot,
        /// The batch's mean and biased variance.
        moments: NodeId,
        /// Share of the new statistics.
        momentum: f64,
        /// Elements the statistics were taken over.
        count: usize,
    },
    /// Rows of a tensor replaced by rows of a value: row `rows[b]`, rounded down, becomes `value[b]`. Where `rows[b]` is negative, NaN or
    /// beyond the last row nothing is replaced; of equal rows the last counts.
    ScatterRows {
        /// The tensor, rows along its first axis.
        slot: Slot,
        /// Numbers in the whole tensor.
        len: usize,
        /// New rows.
        value: NodeId,
        /// Which row each replaces, `[n, 1, 1, 1]`.
        rows: NodeId,
    },
    /// A whole state buffer becomes the mean over ranks, processes that train together: `sum over ranks of share * buffer`.
    Mean {
        /// The state buffer.
        buffer: usize,
        /// This rank's share of the batch.
        share: f64,
    },
    /// Takes a loss scale off a whole state buffer of gradients, and changes it, as [`super::loss_scale`] tells.
    Unscale {
        /// State buffer of gradients of a scaled loss; 0 where one was not finite.
        gradients: usize,
        /// That of the scale: [`StateBuffer::loss_scale`].
        scale: usize,
    },
    /// `average = decay * average + (1 - decay) * parameters` over whole state buffers; `decay` is an input of one number.
    Average {
        /// State buffer of averages.
        average: usize,
        /// State buffer of parameters.
        parameters: usize,
        /// Share of the old average.
        decay: NodeId,
    },
    /// One update of an optimizer over all parameters of a state buffer.
    Optimize {
        /// How they change.
        rule: UpdateRule,
        /// State buffer of parameters.
        parameters: usize,
        /// State buffer of gradients.
        gradients: usize,
        /// The rule's state buffers, in the order of [`UpdateRule::state`].
        state: Vec<usize>,
        /// What the rule reads at every update, so many numbers as [`UpdateRule::rates`].
        rates: NodeId,
        /// State buffer of the loss scale, where there is one: nothing is changed where [`Update::Unscale`] found that the update is to
        /// be left out.
        scale: Option<usize>,
    },
}

names! { Update:
    Self::Store { .. } => "store",
    Self::RunningMoments { .. } => "running_moments",
    Self::ScatterRows { .. } => "scatter_rows",
    Self::Mean { .. } => "all_reduce_buffer",
    Self::Unscale { .. } => "unscale",
    Self::Average { .. } => "average",
    Self::Optimize { rule: UpdateRule::Adam { .. }, .. } => "adam",
    Self::Optimize { rule: UpdateRule::AdamW { .. }, .. } => "adamw",
    Self::Optimize { rule: UpdateRule::RmsProp { .. }, .. } => "rmsprop",
    Self::Optimize { rule: UpdateRule::Sgd { .. }, .. } => "sgd",
}

impl Update {
    /// The nodes whose values this change needs.
    pub fn nodes(&self) -> impl Iterator<Item = NodeId> {
        let nodes = match *self {
            Self::Mean { .. } | Self::Unscale { .. } => [None, None],
            Self::Store { value, .. } => [Some(value), None],
            Self::RunningMoments { moments, .. } => [Some(moments), None],
            Self::ScatterRows { value, rows, .. } => [Some(value), Some(rows)],
            Self::Average { decay, .. } => [Some(decay), None],
            Self::Optimize { rates, .. } => [Some(rates), None],
        };
        nodes.into_iter().flatten()
    }

    /// The state buffers it changes.
    pub fn written(&self) -> Vec<usize> {
        match *self {
            Self::Store { slot, .. } | Self::RunningMoments { slot, .. } | Self::ScatterRows { slot, .. } => {
                vec![slot.buffer]
            }
            Self::Mean { buffer, .. } => vec![buffer],
            Self::Unscale { gradients, scale } => vec![gradients, scale],
            Self::Average { average, .. } => vec![average],
            Self::Optimize { parameters, ref state, .. } => [&[parameters], &state[..]].concat(),
        }
    }

    /// The state buffers it reads or changes.
    pub fn buffers(&self) -> Vec<usize> {
        let read = match *self {
            Self::Average { parameters, .. } => [Some(parameters), None],
            Self::Optimize { gradients, scale, .. } => [Some(gradients), scale],
            Self::Store { .. }
            | Self::RunningMoments { .. }
            | Self::ScatterRows { .. }
            | Self::Unscale { .. }
            | Self::Mean { .. } => [None, None],
        };
        self.written().into_iter().chain(read.into_iter().flatten()).collect()
    }

    fn nodes_mut(&mut self) -> impl Iterator<Item = &mut NodeId> {
        let nodes = match self {
            Self::Store { value: id, .. }
            | Self::RunningMoments { moments: id, .. }
            | Self::Average { decay: id, .. }
            | Self::Optimize { rates: id, .. } => [Some(id), None],
            Self::ScatterRows { value, rows, .. } => [Some(value), Some(rows)],
            Self::Mean { .. } | Self::Unscale { .. } => [None, None],
        };
        nodes.into_iter().flatten()
    }
}

/// A graph with its results and its changes of state: what an executor makes ready once and runs many times.
/// Holds only nodes that a result or a change needs.
#[derive(Clone, Debug)]
pub struct Step {
    /// A name for listings, such as `discriminator_step`.
    pub name: String,
    pub(crate) nodes: Vec<Node>,
    /// Results the host may read, by name.
    pub outputs: Vec<(String, NodeId)>,
    /// Changes of state, in order.
    pub updates: Vec<Update>,
}

impl Step {
    /// Takes from `graph` what the outputs and updates need.
    ///
    /// # Errors
    /// If the graph has a tensor that is empty or too large or a factor that is not finite, an output is of another graph, two
    /// outputs or two inputs have one name, or an update's node is not in the graph or has a wrong shape.
    pub fn new(
        name: &str,
        graph: &Graph,
        outputs: &[(&str, Var<'_>)],
        mut updates: Vec<Update>,
    ) -> Result<Self> {
        graph.check()?;
        if let Some((output, _)) = outputs.iter().find(|(_, var)| !graph.owns(*var)) {
            let problem = format!("step {name}: {output} is of another graph; build all of a step in one");
            return Err(Error::Graph { op: "output", problem });
        }
        let nodes = graph.nodes.borrow();
        let updated = updates.iter().flat_map(Update::nodes).filter(|&id| id < nodes.len());
        let needed = graph.needed(outputs.iter().map(|(_, var)| var.id()).chain(updated));
        let mut place = vec![usize::MAX; nodes.len()];
        let mut kept: Vec<Node> = Vec::new();
        for (id, node) in nodes.iter().enumerate().filter(|(id, _)| needed[*id]) {
            place[id] = kept.len();
            let operands = node.operands.iter().map(|&operand| place[operand]).collect();
            kept.push(Node { operands, ..node.clone() });
        }
        // An id beyond the graph stays: the check names it.
        let renumber = |id: &mut NodeId| *id = place.get(*id).copied().unwrap_or(*id);
        updates.iter_mut().flat_map(Update::nodes_mut).for_each(renumber);
        let mut step = Self {
            name: name.to_owned(),
            nodes: kept,
            outputs: outputs.iter().map(|(name, var)| ((*name).to_owned(), place[var.id()])).collect(),
            updates,
        };
        step.check_alone()?;
        step.keep_given();
        Ok(step)
    }

    /// Nodes in an order in which they can be computed.
    pub fn nodes(&self) -> &[Node] {
        &self.nodes
    }

    /// Has nodes of their own keep what an output or an update shows but the host or an update may change meanwhile: inputs and
    /// state.
    fn keep_given(&mut self) {
        let written: Vec<usize> = self.updates.iter().flat_map(Update::written).collect();
        let mut copies: Vec<(NodeId, NodeId)> = Vec::new();
        let mut keep = |nodes: &mut Vec<Node>, id: NodeId| {
            let known = copies.iter().find(|(of, _)| *of == id).map(|&(_, copy)| copy);
            known.unwrap_or_else(|| {
                nodes.push(Node { op: Op::Broadcast, operands: vec![id], shape: nodes[id].shape });
                copies.push((id, nodes.len() - 1));
                nodes.len() - 1
            })
        };
        for (_, id) in &mut self.outputs {
            if matches!(self.nodes[source(&self.nodes, *id)].op, Op::Input(_) | Op::State(_)) {
                *id = keep(&mut self.nodes, *id);
            }
        }
        for id in self.updates.iter_mut().flat_map(Update::nodes_mut) {
            if matches!(self.nodes[source(&self.nodes, *id)].op, Op::State(slot) if written.contains(&slot.buffer))
            {
                *id = keep(&mut self.nodes, *id);
            }
        }
    }

    /// Whether node `id` is not computed: an input, a state tensor or a constant.
    pub fn is_given(&self, id: NodeId) -> bool {
        matches!(self.nodes[id].op, Op::Input(_) | Op::State(_) | Op::Full(_))
    }

    /// The node whose numbers node `id` shows: itself, or what it reshapes or detaches.
    pub fn source(&self, id: NodeId) -> NodeId {
        source(&self.nodes, id)
    }

    /// The shapes of a node's operands.
    pub fn operand_shapes(&self, id: NodeId) -> Vec<Shape> {
        self.nodes[id].operands.iter().map(|&operand| self.nodes[operand].shape).collect()
    }

    /// The nodes that are computed, in order: all but what is given, and what only shows another's numbers.
    pub fn computed(&self) -> impl Iterator<Item = NodeId> {
        (0..self.nodes.len()).filter(|&id| self.source(id) == id && !self.is_given(id))
    }

    /// Floating-point operations of a node that is a contraction, a multiply-add being two; taps that fall on the border count
    /// too. 0 for every other: memory is what they wait for.
    pub fn flops(&self, id: NodeId) -> u64 {
        let node = &self.nodes[id];
        let (g, weight) = match node.op {
            Op::Conv2d(g) | Op::ConvTranspose2d(g) => (g, self.nodes[node.operands[1]].shape),
            Op::Conv2dWeightGrad(g) => (g, node.shape),
            _ => return 0,
        };
        let batch = self.nodes[node.operands[0]].shape.0[0];
        2 * (batch * g.small[0] * g.small[1] * weight.len()) as u64
    }

    /// Bytes of a node's operands and its result, in f32: the least that computing it moves.
    pub fn bytes(&self, id: NodeId) -> u64 {
        let operands = self.operand_shapes(id).into_iter();
        operands.chain([self.nodes[id].shape]).map(|shape| shape.len() as u64 * 4).sum()
    }

    /// Names and shapes of the inputs the host writes before every run.
    pub fn inputs(&self) -> impl Iterator<Item = (NodeId, &str, Shape)> {
        self.nodes.iter().enumerate().filter_map(|(id, node)| match &node.op {
            Op::Input(name) => Some((id, name.as_str(), node.shape)),
            _ => None,
        })
    }
}

fn source(nodes: &[Node], id: NodeId) -> NodeId {
    match nodes[id].op {
        Op::Reshape | Op::Detach => source(nodes, nodes[id].operands[0]),
        _ => id,
    }
}
