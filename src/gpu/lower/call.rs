//! Calls of kernels, before anything has a place in memory.

use super::choices::Choices;
use crate::graph::{NodeId, Slot, Step};
use crate::shape::Shape;

/// What lowering needs to know of the device.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    /// Whether contractions go straight to storage: always, or only for few channels.
    pub software: bool,
    /// Invocations that fill the device.
    pub invocations: usize,
    /// Largest binding in bytes.
    pub max_binding: u64,
    /// Most memory of a workgroup in bytes.
    pub workgroup_bytes: usize,
    /// Most invocations of a workgroup.
    pub workgroup_invocations: usize,
    /// Kernels of contractions that were measured or pinned; the others get a default.
    pub choices: Choices,
}

impl Target {
    /// A GPU of unknown size, with WebGPU's guaranteed limits.
    pub const GPU: Self = Self {
        software: false,
        invocations: 16 * 1024,
        max_binding: 128 << 20,
        workgroup_bytes: 16 << 10,
        workgroup_invocations: 256,
        choices: Choices::NONE,
    };
    /// A software driver on a processor's cores.
    pub const SOFTWARE: Self = Self {
        software: true,
        invocations: 256,
        max_binding: 128 << 20,
        workgroup_bytes: 16 << 10,
        workgroup_invocations: 256,
        choices: Choices::NONE,
    };
}

/// What a binding refers to.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Memory {
    /// A node's value.
    Node(NodeId),
    /// Partial results between two calls, by index.
    Scratch(usize),
    /// A state tensor, or a run of them, of so many numbers.
    State(Slot, usize),
}

impl Memory {
    /// A whole bank.
    pub fn bank(bank: usize, len: usize) -> Self {
        Self::State(Slot { bank, offset: 0 }, len)
    }
}

/// One call.
#[derive(Clone, Debug)]
pub struct Call {
    pub kernel: &'static str,
    pub definitions: Vec<(&'static str, String)>,
    pub constants: Vec<(&'static str, f64)>,
    pub reads: Vec<Memory>,
    pub writes: Vec<Memory>,
    pub grid: [u32; 3],
}

/// Invocations in a workgroup of the kernels that use `lib/grid.wgsl`.
const WORKGROUP: usize = 64;

/// Largest grid along one dimension that every device allows.
pub const MAX_GRID: usize = 65_535;

impl Call {
    pub fn new(kernel: &'static str) -> Self {
        Self { kernel, definitions: vec![], constants: vec![], reads: vec![], writes: vec![], grid: [1; 3] }
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

    /// A grid of at least so many invocations of a kernel that uses `lib/grid.wgsl`.
    pub fn threads(self, threads: usize) -> Self {
        self.workgroups(threads.div_ceil(WORKGROUP))
    }

    /// A grid of at least so many workgroups, folded into two dimensions where one is not enough.
    pub fn workgroups(mut self, count: usize) -> Self {
        let count = count.max(1);
        let rows = count.div_ceil(MAX_GRID);
        self.grid = [count.div_ceil(rows) as u32, rows as u32, 1];
        self
    }
}

/// The calls of a step so far.
pub struct Calls<'a> {
    pub step: &'a Step,
    pub target: &'a Target,
    pub list: Vec<Call>,
    /// Numbers in each scratch.
    pub scratch: Vec<usize>,
}

impl<'a> Calls<'a> {
    pub fn new(step: &'a Step, target: &'a Target) -> Self {
        Self { step, target, list: Vec::new(), scratch: Vec::new() }
    }

    pub fn push(&mut self, call: Call) {
        self.list.push(call);
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
}
