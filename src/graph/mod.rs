//! What to compute: operations, shapes and gradients, as pure data.
//!
//! A [`Graph`] holds nodes; a [`Var`] is a small handle whose methods append nodes and read like PyTorch. Shapes
//! are checked when a node is built. [`gradients`] appends the nodes of the backward pass, one rule per operation,
//! so gradients are graphs again and can be differentiated in turn. Nothing here knows a device or a file; an operation from
//! outside this crate ([`custom`]) brings its meaning and its kernel along, unread.

mod check;
pub mod custom;
mod function;
mod grad;
pub(crate) mod lifetimes;
pub mod loss_scale;
mod names;
mod op;
mod rule;
mod step;
mod var;

pub use function::{Binary, Unary};
pub use grad::gradients;
pub use op::{Collective, Op, Per};
pub use rule::UpdateRule;
pub use step::{Slot, StateBuffer, Step, Update};

use crate::shape::Shape;
use crate::{Error, Result};
pub(crate) use check::is_single;
use custom::{Custom, CustomOp};
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
///
/// Methods that return no `Result`, such as [`Graph::input`] and [`Var::scale`], and the operators of [`Var`] accept anything:
/// [`gradients`] and [`Step::new`] report the first of their results that is empty or too large, has a factor that is not
/// finite, or is of operands that do not fit.
#[derive(Default, Debug)]
pub struct Graph {
    nodes: RefCell<Vec<Node>>,
    /// The first node that cannot be computed, and why, of those from methods that return no `Result`.
    fault: RefCell<Option<(&'static str, String)>>,
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
        self.append(Op::Input(name.to_owned()), &[], shape)
    }

    /// A tensor that lives on the device between runs: a parameter, a running statistic.
    pub fn state(&self, slot: Slot, shape: Shape) -> Var<'_> {
        self.append(Op::State(slot), &[], shape)
    }

    /// A tensor filled with one value.
    pub fn full(&self, shape: Shape, value: f64) -> Var<'_> {
        self.append(Op::Full(value), &[], shape)
    }

    /// What an operation from outside this crate makes of `operands`.
    ///
    /// # Errors
    /// If their shapes do not fit, or one is of another graph.
    pub fn custom(&self, op: impl CustomOp, operands: &[Var<'_>]) -> Result<Var<'_>> {
        let op = Custom::new(op);
        let shapes: Vec<Shape> = operands.iter().map(|operand| operand.shape()).collect();
        let shape = op.shape(&shapes)?;
        self.push(Op::Custom(op), operands, shape)
    }

    /// The nodes so far, in an order in which they can be computed.
    pub fn into_nodes(self) -> Vec<Node> {
        self.nodes.into_inner()
    }

    /// Appends a node.
    ///
    /// # Errors
    /// If an operand is of another graph, or the result cannot be computed: see [`problem`].
    fn push(&self, op: Op, operands: &[Var<'_>], shape: Shape) -> Result<Var<'_>> {
        let problem = if operands.iter().all(|operand| self.owns(*operand)) {
            problem(&op, shape)
        } else {
            Some("its operands are of two graphs; build both in one".into())
        };
        match problem {
            Some(problem) => Err(Error::Graph { op: op.name(), problem }),
            None => Ok(self.append(op, operands, shape)),
        }
    }

    /// Appends a node to whose operands, if any, the graph is known; a problem is kept for [`Graph::check`].
    fn append(&self, op: Op, operands: &[Var<'_>], shape: Shape) -> Var<'_> {
        if let Some(problem) = problem(&op, shape) {
            self.fault.borrow_mut().get_or_insert((op.name(), problem));
        }
        let mut nodes = self.nodes.borrow_mut();
        nodes.push(Node { op, operands: operands.iter().map(|var| var.id).collect(), shape });
        Var { graph: self, id: nodes.len() - 1 }
    }

    /// Keeps the problem of a method that returns no `Result` for [`Graph::check`].
    fn remember(&self, error: Error) {
        if let Error::Graph { op, problem } = error {
            self.fault.borrow_mut().get_or_insert((op, problem));
        }
    }

    /// Reports the first node that cannot be computed.
    fn check(&self) -> Result<()> {
        let fault = self.fault.borrow().clone();
        fault.map_or(Ok(()), |(op, problem)| Err(Error::Graph { op, problem }))
    }

    /// Whether a tensor is of this graph.
    pub(crate) fn owns(&self, var: Var<'_>) -> bool {
        std::ptr::eq(self, var.graph)
    }

    /// For each node so far, whether one of `roots` is computed from it.
    pub(crate) fn needed(&self, roots: impl Iterator<Item = NodeId>) -> Vec<bool> {
        let nodes = self.nodes.borrow();
        let mut needed = vec![false; nodes.len()];
        roots.for_each(|root| needed[root] = true);
        for id in (0..nodes.len()).rev() {
            if needed[id] {
                nodes[id].operands.iter().for_each(|&operand| needed[operand] = true);
            }
        }
        needed
    }

    fn node(&self, id: NodeId) -> Node {
        self.nodes.borrow()[id].clone()
    }

    fn var(&self, id: NodeId) -> Var<'_> {
        Var { graph: self, id }
    }
}

/// Why a node cannot be computed, if so, whatever its operands are. [`Op::Full`] may be anything: it is loaded from memory.
fn problem(op: &Op, shape: Shape) -> Option<String> {
    let numbers = match *op {
        Op::Unary(function) => function.numbers(),
        Op::Binary(function) => function.numbers(),
        Op::Normalize { eps, .. } => vec![eps],
        Op::Collective(Collective::AllReduceMean { share } | Collective::AllReduceMoments { share }) => {
            vec![share]
        }
        _ => vec![],
    };
    if let Some(number) = numbers.into_iter().find(|number| !is_single(*number)) {
        return Some(format!("{number:e} is not finite in single precision"));
    }
    if let Op::Unary(Unary::LeakyRelu { slope: slope @ ..0.0 }) = *op {
        return Some(format!("slope {slope} must be at least 0"));
    }
    let named = if let Op::Input(name) = op { format!("{name}: ") } else { String::new() };
    Some(named + &shape.problem()?)
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
