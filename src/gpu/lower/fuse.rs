//! What rides along: pointwise nodes that nobody else reads are computed by the kernel that makes their operand, before it
//! stores, or by the one that reads them, as it loads.

use super::expression::Fused;
use crate::graph::{NodeId, Op, Step, Update};
use crate::shape::Shape;

/// Most tensors an expression reads: with a kernel's own, no more than the 8 bindings every device has.
const MAX_LEAVES: usize = 4;
/// As [`MAX_LEAVES`], of an expression in the place of a norm's gradient, whose kernel binds six tensors of its own.
const MAX_NORM_LEAVES: usize = 2;

/// For every node: the expression that gives its value, and whether another node's kernel computes it on the way.
pub struct Fusion {
    fused: Vec<Fused>,
    absorbed: Vec<bool>,
}

impl Fusion {
    pub fn find(step: &Step) -> Self {
        let mut readers: Vec<Vec<NodeId>> = vec![vec![]; step.nodes.len()];
        for (id, node) in step.nodes.iter().enumerate() {
            node.operands.iter().for_each(|&operand| readers[operand].push(id));
        }
        let kept = step.outputs.iter().map(|&(_, id)| id).chain(step.updates.iter().flat_map(Update::nodes));
        kept.for_each(|id| readers[id].push(NodeId::MAX));
        let mut fusion = Self {
            fused: (0..step.nodes.len()).map(|id| fusion_root(step, id)).collect(),
            absorbed: vec![false; step.nodes.len()],
        };
        for id in 0..step.nodes.len() {
            fusion.pointwise(step, &readers, id);
            fusion.prologue(step, &readers, id);
        }
        fusion
    }

    /// Builds the expression of a pointwise node from its operands'.
    fn pointwise(&mut self, step: &Step, readers: &[Vec<NodeId>], id: NodeId) {
        let node = &step.nodes[id];
        let mut offers: Vec<Fused> = match node.op {
            Op::Unary(_) | Op::Binary(_) | Op::Broadcast => {
                node.operands.iter().map(|&operand| self.offer(step, readers, operand, node.shape)).collect()
            }
            _ => return,
        };
        // One kernel, one value of its own: the one that is ready last.
        if let [Fused { base: Some(a), .. }, Fused { base: Some(b), .. }] = offers[..] {
            let earlier = usize::from(b < a);
            offers[earlier] = Fused::leaf(node.operands[earlier]);
        }
        if offers.iter().map(|offer| offer.leaves.len()).sum::<usize>() > MAX_LEAVES {
            offers = node.operands.iter().map(|&operand| Fused::leaf(operand)).collect();
        }
        for (offer, &operand) in offers.iter().zip(&node.operands) {
            self.absorbed[operand] |= offer.leaves != [operand];
        }
        let mut offers = offers.into_iter();
        let mut next = || offers.next().expect("as many offers as operands");
        self.fused[id] = match node.op {
            Op::Unary(unary) => next().unary(unary),
            Op::Binary(binary) => {
                let a = next();
                a.binary(binary, next())
            }
            _ => next(),
        };
    }

    /// What `operand` can be to an expression over elements of `shape`: its own expression where nobody else reads it.
    fn offer(&self, step: &Step, readers: &[Vec<NodeId>], operand: NodeId, shape: Shape) -> Fused {
        let node = &step.nodes[operand];
        let fused = &self.fused[operand];
        match node.op {
            Op::Full(value) if value.is_finite() => Fused::number(value),
            _ if readers[operand].len() == 1 && (fused.base.is_none() || node.shape == shape) => {
                fused.clone()
            }
            _ => Fused::leaf(operand),
        }
    }

    /// Lets reductions compute their operand as they load it, where nothing else reads it.
    fn prologue(&mut self, step: &Step, readers: &[Vec<NodeId>], id: NodeId) {
        let Some(operand) = loaded(step, id) else { return };
        let fused = &self.fused[operand];
        let room = |&reader: &NodeId| match (reader != NodeId::MAX).then(|| &step.nodes[reader].op) {
            Some(Op::Sum) => MAX_LEAVES,
            Some(Op::NormalizeGradSums { .. } | Op::NormalizeGrad { .. })
                if loaded(step, reader) == Some(operand) =>
            {
                MAX_NORM_LEAVES
            }
            _ => 0,
        };
        let least = readers[operand].iter().map(room).min().unwrap_or(0);
        if fused.base.is_none() && (1..=least).contains(&fused.leaves.len()) && readers[operand].len() <= 2 {
            self.absorbed[operand] |= fused.leaves != [operand];
        }
    }

    /// Whether another node's kernel computes this one on the way.
    pub fn absorbed(&self, id: NodeId) -> bool {
        self.absorbed[id]
    }

    /// How this node's value is made.
    pub fn of(&self, id: NodeId) -> &Fused {
        &self.fused[id]
    }

    /// What a kernel loads that may compute `operand` itself.
    pub fn load(&self, operand: NodeId) -> Fused {
        if self.absorbed[operand] { self.fused[operand].clone() } else { Fused::leaf(operand) }
    }
}

/// A node before fusion: a value its kernel can go on computing with, or one that stands in memory.
fn fusion_root(step: &Step, id: NodeId) -> Fused {
    match step.nodes[id].op {
        Op::Conv2d(_) | Op::ConvTranspose2d(_) | Op::Normalize { .. } | Op::Sum => Fused::value(id),
        _ => Fused::leaf(id),
    }
}

/// The operand a reduction can compute as it loads.
fn loaded(step: &Step, id: NodeId) -> Option<NodeId> {
    let node = &step.nodes[id];
    match node.op {
        Op::Sum => Some(node.operands[0]),
        Op::NormalizeGradSums { .. } | Op::NormalizeGrad { .. } => Some(node.operands[2]),
        _ => None,
    }
}
