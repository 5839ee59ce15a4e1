//! What can ride along: a bias and an activation in the kernel that makes their operand, when nobody else reads it.

use super::call::Call;
use crate::graph::{Binary, NodeId, Op, Step, Unary, Update};

/// For every node: does it begin, continue or end a chain computed by one kernel?
pub struct Fusion {
    absorbed: Vec<bool>,
    epilogues: Vec<Epilogue>,
}

/// A contraction or normalisation and what its kernel applies before it stores.
#[derive(Clone, Copy, Debug)]
pub struct Epilogue {
    /// The node whose kernel runs.
    pub base: NodeId,
    /// The node whose value is stored.
    pub result: NodeId,
    /// A bias to add.
    pub bias: Option<NodeId>,
    /// A function to apply.
    pub activation: Option<Unary>,
}

impl Fusion {
    pub fn find(step: &Step) -> Self {
        let mut readers = vec![0; step.nodes.len()];
        for node in &step.nodes {
            node.operands.iter().for_each(|&operand| readers[operand] += 1);
        }
        step.outputs.iter().for_each(|&(_, id)| readers[id] += 1);
        step.updates.iter().flat_map(Update::nodes).for_each(|id| readers[id] += 1);
        let mut fusion = Self {
            absorbed: vec![false; step.nodes.len()],
            epilogues: (0..step.nodes.len())
                .map(|id| Epilogue { base: id, result: id, bias: None, activation: None })
                .collect(),
        };
        for (id, node) in step.nodes.iter().enumerate() {
            let Some(&before) = node.operands.first() else { continue };
            let chain = fusion.epilogues[before];
            if readers[before] != 1 || chain.activation.is_some() {
                continue;
            }
            let conv = matches!(step.nodes[chain.base].op, Op::Conv2d(_) | Op::ConvTranspose2d(_));
            let norm = matches!(step.nodes[chain.base].op, Op::Normalize { .. });
            let joined = match node.op {
                Op::Binary(Binary::Add) if conv && chain.bias.is_none() => {
                    let bias = node.operands[1];
                    let shape = step.nodes[bias].shape;
                    (shape.channels() == shape.len()
                        && step.nodes[before].shape == node.shape
                        && shape.channels() == node.shape.channels())
                    .then_some(Epilogue { bias: Some(bias), result: id, ..chain })
                }
                Op::Unary(unary @ (Unary::LeakyRelu { .. } | Unary::Tanh)) if conv || norm => {
                    Some(Epilogue { activation: Some(unary), result: id, ..chain })
                }
                _ => None,
            };
            if let Some(joined) = joined {
                fusion.absorbed[before] = true;
                fusion.epilogues[id] = joined;
            }
        }
        fusion
    }

    /// Whether another node's kernel computes this one on the way.
    pub fn absorbed(&self, id: NodeId) -> bool {
        self.absorbed[id]
    }

    /// The chain that ends in this node.
    pub fn epilogue(&self, id: NodeId) -> Epilogue {
        self.epilogues[id]
    }
}

impl Epilogue {
    /// Defines what `lib/activation.wgsl` needs.
    pub fn activate(&self, call: Call) -> Call {
        match self.activation {
            Some(Unary::LeakyRelu { slope }) => call.define("ACT", "leaky_relu").number("ACT_SLOPE", slope),
            Some(Unary::Tanh) => call.define("ACT", "tanh_bounded"),
            _ => call.define("ACT", "identity"),
        }
    }
}
