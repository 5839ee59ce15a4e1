//! What to compute: operations, shapes and gradients, as pure data.
//!
//! A [`Graph`] holds nodes; a [`Var`] is a small handle whose methods append nodes and read like PyTorch. Shapes
//! are checked when a node is built. [`gradients`] appends the nodes of the backward pass, one rule per operation,
//! so gradients are graphs again and can be differentiated in turn. Nothing here knows a device or a file; an operation from
//! outside this crate ([`crate::custom`]) brings its meaning and its kernel along, unread.

mod build;
mod grad;
pub(crate) mod lifetimes;
mod names;
mod op;
mod step;

pub use grad::gradients;
pub use op::{Binary, Exchange, Op, Per, Unary};
pub use step::{Bank, Slot, Step, Update};

use crate::Result;
use crate::custom::{Custom, CustomOp};
use crate::shape::Shape;
use std::cell::RefCell;

/// The place of a node in its graph; operands always come before the nodes that use them.
pub type NodeId = usize;

/// An operation with its operands and the shape of its result.
#[derive(Clone, Debug)]
pub struct Node {
    /// What is computed.
    pub op: Op,
    /// From which nodes.
    pub operands: Vec<NodeId>,
    /// The shape of the result.
    pub shape: Shape,
}

/// A growing list of nodes.
#[derive(Default, Debug)]
pub struct Graph {
    nodes: RefCell<Vec<Node>>,
}

/// A node of a graph, as a value that can be passed around and combined.
#[derive(Clone, Copy)]
pub struct Var<'g> {
    graph: &'g Graph,
    id: NodeId,
}

impl Graph {
    /// A graph without nodes.
    pub fn new() -> Self {
        Self::default()
    }

    /// A tensor the host writes before every run.
    pub fn input(&self, name: &str, shape: Shape) -> Var<'_> {
        self.push(Op::Input(name.to_owned()), &[], shape)
    }

    /// A tensor that lives on the device between runs: a parameter, a running statistic.
    pub fn state(&self, slot: Slot, shape: Shape) -> Var<'_> {
        self.push(Op::State(slot), &[], shape)
    }

    /// A tensor filled with one value.
    pub fn full(&self, shape: Shape, value: f64) -> Var<'_> {
        self.push(Op::Full(value), &[], shape)
    }

    /// What an operation from outside this crate makes of `operands`.
    ///
    /// # Errors
    /// If their shapes do not fit.
    pub fn custom(&self, op: impl CustomOp, operands: &[Var<'_>]) -> Result<Var<'_>> {
        let op = Custom::new(op);
        let shapes: Vec<Shape> = operands.iter().map(|operand| operand.shape()).collect();
        let shape = op.shape(&shapes)?;
        Ok(self.push(Op::Custom(op), operands, shape))
    }

    /// The nodes so far, in an order in which they can be computed.
    pub fn into_nodes(self) -> Vec<Node> {
        self.nodes.into_inner()
    }

    fn push(&self, op: Op, operands: &[Var<'_>], shape: Shape) -> Var<'_> {
        let mut nodes = self.nodes.borrow_mut();
        nodes.push(Node { op, operands: operands.iter().map(|var| var.id).collect(), shape });
        Var { graph: self, id: nodes.len() - 1 }
    }

    fn node(&self, id: NodeId) -> Node {
        self.nodes.borrow()[id].clone()
    }

    fn var(&self, id: NodeId) -> Var<'_> {
        Var { graph: self, id }
    }
}

impl<'g> Var<'g> {
    /// The shape of this tensor.
    pub fn shape(self) -> Shape {
        self.graph.nodes.borrow()[self.id].shape
    }

    /// The graph this tensor belongs to.
    pub fn graph(self) -> &'g Graph {
        self.graph
    }

    /// The place of this tensor's node in its graph.
    pub fn id(self) -> NodeId {
        self.id
    }
}

impl std::fmt::Debug for Var<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Var({}: {:?} {})", self.id, self.graph.node(self.id).op, self.shape())
    }
}
