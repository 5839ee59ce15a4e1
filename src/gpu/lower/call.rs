//! Calls of kernels, before anything has a place in memory.

use super::expression::Fused;
use super::target::Target;
use crate::gpu::program::{WORKGROUP, grid};
use crate::graph::custom::{Grid, Kernel};
use crate::graph::{Collective, NodeId, Slot, Step, Update};
use crate::shape::Shape;
use std::collections::HashMap;

/// Most workgroups of a call whose constants may become variables.
const MOST_SIMPLE: u32 = 1024;
/// So many workgroups may have nothing to do, as any device starts them at once.
const FEW: u64 = 64;

/// What a binding refers to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Memory {
    /// A node's value.
    Node(NodeId),
    /// Partial results between two calls, by index.
    Scratch(usize),
    /// A state tensor, or a run of them, of so many numbers.
    State(Slot, usize),
}

impl Memory {
    /// A whole state buffer.
    pub fn buffer(buffer: usize, len: usize) -> Self {
        Self::State(Slot { buffer, offset: 0 }, len)
    }
}

/// One call.
#[derive(Clone, Debug)]
pub struct Call {
    /// The operation it is part of, by name.
    pub op: &'static str,
    pub kernel: &'static str,
    /// The text of a kernel from outside this crate.
    pub text: Option<String>,
    pub definitions: Vec<(&'static str, String)>,
    pub constants: Vec<(&'static str, f64)>,
    pub reads: Vec<Memory>,
    pub writes: Vec<Memory>,
    /// Declarations of the tensors that fused expressions read, the last of `reads`.
    pub leaves: String,
    pub grid: [u32; 3],
    /// What it is to other ranks, if it is no kernel's.
    pub exchange: Option<Collective>,
}

impl Call {
    pub fn new(kernel: &'static str) -> Self {
        Self {
            op: "",
            kernel,
            text: None,
            definitions: vec![],
            constants: vec![],
            reads: vec![],
            writes: vec![],
            leaves: String::new(),
            grid: [1; 3],
            exchange: None,
        }
    }

    /// A call of a kernel from outside this crate, for the operation `name`.
    pub fn custom(name: &'static str, kernel: Kernel) -> Self {
        let Kernel { text, definitions, constants, grid, .. } = kernel;
        let call = Self { text: Some(text), definitions, constants, ..Self::new(name) };
        match grid {
            Grid::Threads(count) => call.threads(count),
            Grid::Workgroups(count) => call.workgroups(count),
        }
    }

    /// Numbers exchanged with other ranks: those it reads become those it writes, or what it writes becomes another.
    pub fn exchange(exchange: Collective) -> Self {
        Self { exchange: Some(exchange), ..Self::new("exchange") }
    }

    pub fn define(mut self, name: &'static str, value: impl ToString) -> Self {
        self.definitions.push((name, value.to_string()));
        self
    }

    /// Defines `name` where `condition` holds.
    pub fn flag(self, name: &'static str, condition: bool) -> Self {
        if condition { self.define(name, 1) } else { self }
    }

    pub fn constant(self, name: &'static str, value: usize) -> Self {
        self.number(name, value as f64)
    }

    pub fn number(mut self, name: &'static str, value: f64) -> Self {
        self.constants.push((name, value));
        self
    }

    pub fn read(mut self, memory: Memory) -> Self {
        self.reads.push(memory);
        self
    }

    pub fn read_if(self, memory: Option<Memory>) -> Self {
        match memory {
            Some(memory) => self.read(memory),
            None => self,
        }
    }

    pub fn write(mut self, memory: Memory) -> Self {
        self.writes.push(memory);
        self
    }

    /// The memory of a binding: reads first, then writes.
    pub fn binding(&self, number: usize) -> Memory {
        self.reads.get(number).copied().unwrap_or_else(|| self.writes[number - self.reads.len()])
    }

    /// Whether one dispatch could do both: they differ only in the memory they touch, and the simplest also in their numbers. What a
    /// text from outside this crate does with its memory is not known: it stays by itself.
    pub fn alike(&self, other: &Self) -> bool {
        let work = |call: &Self| (call.kernel, call.reads.len(), call.writes.len());
        let numbers = |call: &Self| (call.grid, call.constants.clone());
        self.text.is_none()
            && other.text.is_none()
            && work(self) == work(other)
            && self.definitions == other.definitions
            && self.leaves == other.leaves
            && (numbers(self) == numbers(other) || self.is_simple() && other.is_simple())
    }

    /// Whether it only adds up or moves: what comes of it is small, or soon done.
    pub fn is_light(&self) -> bool {
        ["reduce/", "pointwise/", "optim/"].iter().any(|family| self.kernel.starts_with(family))
    }

    /// Whether its constants may become variables, at no cost that counts, and its grid may be larger than it needs.
    fn is_simple(&self) -> bool {
        let [x, y, _] = self.grid;
        let kernels = ["reduce/parts", "pointwise/map", "optim/running_moments"];
        let cooperative = self.definitions.iter().any(|(name, _)| *name == "COOPERATIVE");
        kernels.contains(&self.kernel) && !cooperative && x <= MOST_SIMPLE && y == 1
    }

    /// The grid of all `members`.
    pub fn grid_of(members: &[&Self]) -> [u32; 3] {
        let [x, y] = [0, 1].map(|axis| members.iter().map(|call| call.grid[axis]).max().unwrap_or(1));
        [x, y, members.len() as u32]
    }

    /// Whether enough of the grid of all `members` has something to do.
    pub fn fill(members: &[&Self]) -> bool {
        let [x, y, z] = Self::grid_of(members).map(u64::from);
        let own: u64 = members.iter().map(|call| u64::from(call.grid[0]) * u64::from(call.grid[1])).sum();
        x * y * z <= 4 * own.max(FEW)
    }

    /// A grid of at least so many invocations of a kernel that uses `lib/grid.wgsl`.
    pub fn threads(self, threads: usize) -> Self {
        self.workgroups(threads.div_ceil(WORKGROUP))
    }

    /// A grid of at least so many workgroups, folded into two dimensions where one is not enough.
    pub fn workgroups(mut self, count: usize) -> Self {
        self.grid = grid(count);
        self
    }
}

/// A value that a call adds up from parts one after another.
#[derive(Clone, Debug)]
pub struct Split {
    pub from: Memory,
    pub parts: usize,
    /// What is fused behind the sum.
    pub epilogue: Fused,
}

/// The calls of a step so far.
pub struct Calls<'a> {
    pub step: &'a Step,
    pub target: &'a Target,
    pub list: Vec<Call>,
    /// The operation whose calls are pushed, by name.
    pub op: &'static str,
    /// Numbers in each scratch.
    pub scratch: Vec<usize>,
    /// Reductions whose parts their reader joins: where they are, and how many.
    pub parts: HashMap<NodeId, (Memory, usize)>,
    /// Values that are added up from parts, by node.
    pub splits: HashMap<NodeId, Split>,
}

impl<'a> Calls<'a> {
    pub fn new(step: &'a Step, target: &'a Target) -> Self {
        Self {
            step,
            target,
            list: Vec::new(),
            op: "",
            scratch: Vec::new(),
            parts: HashMap::new(),
            splits: HashMap::new(),
        }
    }

    /// Leaves it to a reader to add up the parts of `id`, where `wanted`: the call that does is taken back. Not where another has read
    /// the value before.
    pub fn take_split(&mut self, id: NodeId, wanted: impl Fn(&Split) -> bool) -> Option<Split> {
        let source = self.step.source(id);
        let reads = |&memory: &Memory| matches!(memory, Memory::Node(of) if self.step.source(of) == source);
        let split = self.splits.get(&source).filter(|split| wanted(split))?.clone();
        if self.list.iter().any(|call| call.reads.iter().any(reads)) {
            return None;
        }
        self.list.retain(|call| call.writes != [Memory::Node(source)]);
        self.splits.remove(&source);
        Some(split)
    }

    pub fn push(&mut self, call: Call) {
        self.list.push(Call { op: self.op, ..call });
    }

    /// Memory for `len` numbers between two calls.
    pub fn scratch(&mut self, len: usize) -> Memory {
        self.scratch.push(len);
        Memory::Scratch(self.scratch.len() - 1)
    }

    pub fn shape(&self, id: NodeId) -> Shape {
        self.step.nodes[id].shape
    }

    pub fn operand(&self, id: NodeId, index: usize) -> NodeId {
        self.step.nodes[id].operands[index]
    }

    /// Whether anything but node `reader` needs the value of `id`.
    pub fn is_read_beside(&self, id: NodeId, reader: NodeId) -> bool {
        let nodes = self.step.nodes.iter().enumerate();
        nodes.filter(|(other, _)| *other != reader).any(|(_, node)| node.operands.contains(&id))
            || self.step.outputs.iter().any(|&(_, output)| output == id)
            || self.step.updates.iter().flat_map(Update::nodes).any(|updated| updated == id)
    }
}
