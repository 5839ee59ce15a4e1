//! What rides along: pointwise nodes that nobody else reads are computed by the kernel that makes their operand, before it
//! stores, or by the one that reads them, as it loads.

use super::expression::Fused;
use super::gemm::Contraction;
use super::pointwise::LONG_SUM;
use crate::graph::{Binary, NodeId, Op, Step, Update, is_single};
use crate::shape::Shape;
use std::collections::HashMap;

/// Most tensors an expression reads: with a kernel's own, no more than the 8 bindings every device has.
pub const MAX_LEAVES: usize = 3;
/// As [`MAX_LEAVES`], of an expression in the place of a norm's gradient, whose kernel binds six tensors of its own.
const MAX_NORM_LEAVES: usize = 2;

/// Most gradients one reduction adds up.
const MAX_TERMS: usize = 6;

/// For every node: the expression that gives its value, and whether another node's kernel computes it on the way.
pub struct Fusion {
    fused: Vec<Fused>,
    absorbed: Vec<bool>,
    terms: HashMap<NodeId, Vec<NodeId>>,
    /// The longest way to each node.
    depth: Vec<usize>,
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
            terms: HashMap::new(),
            depth: vec![0; step.nodes.len()],
        };
        for (id, node) in step.nodes.iter().enumerate() {
            fusion.depth[id] =
                node.operands.iter().map(|&operand| fusion.depth[operand] + 1).max().unwrap_or(0);
            fusion.absorbed[id] |= is_mirrored_on_the_way(step, &readers[id], id);
            if !fusion.adds_gradients(step, &readers, id) {
                fusion.pointwise(step, &readers, id);
                fusion.prologue(step, &readers, id);
            }
        }
        fusion
    }

    /// Gathers the gradients of a weight or bias that is used many times: their parts are added in one go.
    fn adds_gradients(&mut self, step: &Step, readers: &[Vec<NodeId>], id: NodeId) -> bool {
        let node = &step.nodes[id];
        let terms = |&operand: &NodeId| match step.nodes[operand].op {
            _ if readers[operand].len() != 1 => None,
            Op::Conv2dWeightGrad(_) => Some(vec![operand]),
            Op::Sum if is_long_sum(step, operand) => Some(vec![operand]),
            _ => self.terms.get(&operand).cloned(),
        };
        let Op::Binary(Binary::Add) = node.op else { return false };
        let Some(all) = node.operands.iter().map(terms).collect::<Option<Vec<_>>>() else { return false };
        let mut all = all.concat();
        // In the same order for networks that are used in the same way.
        all.sort_by_key(|&term| self.depth[step.nodes[term].operands[0]]);
        let work = |&term: &NodeId| {
            let shapes = step.nodes[term].operands.iter().map(|&operand| step.nodes[operand].shape);
            (step.nodes[term].op.clone(), shapes.collect::<Vec<_>>())
        };
        if all.len() > MAX_TERMS || all.iter().any(|term| work(term) != work(&all[0])) {
            return false;
        }
        node.operands.iter().for_each(|&operand| self.absorbed[operand] = true);
        self.terms.insert(id, all);
        true
    }

    /// The gradients this node is the sum of: itself, or those it adds.
    pub fn terms(&self, id: NodeId) -> Vec<NodeId> {
        self.terms.get(&id).cloned().unwrap_or_else(|| vec![id])
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
        for (offer, &operand) in offers.iter_mut().zip(&node.operands) {
            if offer.base.is_some_and(|base| moments_read_by(step, readers, base, id)) {
                *offer = Fused::leaf(operand);
            }
        }
        // One kernel, one value of its own: the one that is ready last.
        if let [Fused { base: Some(a), .. }, Fused { base: Some(b), .. }] = offers[..] {
            let earlier = usize::from(b < a);
            offers[earlier] = Fused::leaf(node.operands[earlier]);
        }
        // A driver may multiply all constant factors first, and WGSL computes what is made of constants alone before it runs:
        // neither may leave the range of numbers on the way.
        let mut fused = combined(&node.op, offers.clone());
        if !fused.expression.stays_in_range()
            || offers.iter().map(|offer| offer.leaves.len()).sum::<usize>() > MAX_LEAVES
        {
            offers = node.operands.iter().map(|&operand| Fused::leaf(operand)).collect();
            fused = combined(&node.op, offers.clone());
        }
        for (offer, &operand) in offers.iter().zip(&node.operands) {
            self.absorbed[operand] |= offer.leaves != [operand];
        }
        self.fused[id] = fused;
    }

    /// What `operand` can be to an expression over elements of `shape`: its own expression where nobody else reads it.
    fn offer(&self, step: &Step, readers: &[Vec<NodeId>], operand: NodeId, shape: Shape) -> Fused {
        let node = &step.nodes[operand];
        let fused = &self.fused[operand];
        match node.op {
            Op::Full(value) if is_single(value) => Fused::number(value),
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

/// Whether node `id` is the padding of images that only convolutions read, or their gradients to the weights: they find the pixel that
/// shows at a place themselves.
fn is_mirrored_on_the_way(step: &Step, readers: &[NodeId], id: NodeId) -> bool {
    let finds = |&reader: &NodeId| match step.nodes.get(reader).map(|node| (&node.op, &node.operands[..])) {
        // Not a matrix product, which sees the image as one row.
        Some((Op::Conv2d(g) | Op::Conv2dWeightGrad(g), &[image, other])) => {
            image == id && other != id && Contraction::of(step, reader).is_some_and(|of| of.geometry == *g)
        }
        _ => false,
    };
    matches!(step.nodes[id].op, Op::ReflectionPad(_)) && readers.iter().all(finds)
}

/// Whether a sum is made of parts.
fn is_long_sum(step: &Step, id: NodeId) -> bool {
    let from = step.nodes[step.nodes[id].operands[0]].shape;
    from.len() / step.nodes[id].shape.len() >= LONG_SUM
}

/// A pointwise operation of what its operands are.
fn combined(op: &Op, operands: Vec<Fused>) -> Fused {
    let mut operands = operands.into_iter();
    let mut next = || operands.next().expect("as many offers as operands");
    match *op {
        Op::Unary(unary) => next().unary(unary),
        Op::Binary(binary) => {
            let a = next();
            a.binary(binary, next())
        }
        _ => next(),
    }
}

/// A node before fusion: a value its kernel can go on computing with, or one that stands in memory.
fn fusion_root(step: &Step, id: NodeId) -> Fused {
    match step.nodes[id].op {
        Op::Conv2d(_) | Op::ConvTranspose2d(_) | Op::Normalize { .. } | Op::Sum => Fused::value(id),
        _ => Fused::leaf(id),
    }
}

/// Whether node `last` or one before it reads the moments of the norm `base`. The kernel of a norm writes them, and it stands
/// where the last node fused behind it does.
fn moments_read_by(step: &Step, readers: &[Vec<NodeId>], base: NodeId, last: NodeId) -> bool {
    let norm = &step.nodes[base];
    matches!(norm.op, Op::Normalize { fixed: false, .. })
        && readers[norm.operands[1]].iter().any(|&reader| reader != base && reader <= last)
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
