//! A step as plain data: shaders, constants, buffers and a list of dispatches. Anything that can replay such a list
//! can run it; nothing here knows wgpu.

use crate::graph::Collective;
use crate::shape::Shape;
use serde::{Deserialize, Serialize};

/// Invocations in a workgroup of the kernels that use `lib/grid.wgsl`.
pub(crate) const WORKGROUP: usize = 64;

/// Largest grid along one dimension that every device allows.
pub(crate) const MAX_GRID: usize = 65_535;

/// A grid of at least so many workgroups, folded into two dimensions where one is not enough.
pub(crate) fn grid(workgroups: usize) -> [u32; 3] {
    let count = workgroups.max(1);
    let rows = count.div_ceil(MAX_GRID);
    [count.div_ceil(rows) as u32, rows as u32, 1]
}

/// Everything needed to run a step.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Program {
    /// The step's name.
    pub name: String,
    /// WGSL texts, each once.
    pub shaders: Vec<Shader>,
    /// Shaders with their numbers filled in, each once.
    pub pipelines: Vec<Pipeline>,
    /// Sizes in bytes of the pooled buffers.
    pub pool: Vec<u64>,
    /// Sizes in bytes of the buffers that keep results until the next run.
    pub results: Vec<u64>,
    /// Size in bytes of the buffer the host writes before every run.
    pub input_bytes: u64,
    /// The constants' buffer.
    pub constants: Vec<f64>,
    /// Inputs: name, offset in bytes, count of numbers.
    pub inputs: Vec<(String, u64, usize)>,
    /// Results the host may read: name, place, count of numbers.
    pub outputs: Vec<(String, Region, usize)>,
    /// The work, in order.
    pub dispatches: Vec<Dispatch>,
    /// What ranks exchange between dispatches, in order.
    pub exchanges: Vec<Crossing>,
}

impl Program {
    /// The kernel a dispatch runs, as `family/kernel`.
    pub fn kernel(&self, dispatch: &Dispatch) -> &str {
        &self.shaders[self.pipelines[dispatch.pipeline].shader].kernel
    }

    /// The value of a dispatch's constant, if it has one of that name.
    pub fn constant(&self, dispatch: &Dispatch, name: &str) -> Option<f64> {
        let constants = &self.pipelines[dispatch.pipeline].constants;
        constants.iter().find(|(constant, _)| constant == name).map(|&(_, value)| value)
    }

    /// Floating-point operations of a dispatch whose kernel has the constants of `lib/conv.wgsl`, a multiply-add being two:
    /// those of the contraction. 0 for every other: memory is what they wait for.
    pub fn flops(&self, dispatch: &Dispatch) -> u64 {
        let names = ["BATCH", "SMALL_H", "SMALL_W", "KERNEL_H", "KERNEL_W", "I", "O"];
        let value = |name| self.constant(dispatch, name).map(|value| value as u64);
        let pairs = names.into_iter().try_fold(2u64, |pairs, name| Some(pairs.saturating_mul(value(name)?)));
        pairs.unwrap_or(0).saturating_mul(dispatch.members as u64)
    }

    /// A dispatch's work as if all of it were floating-point operations: ten for a byte, as on slow GPUs with their slow memory.
    pub fn work(&self, dispatch: &Dispatch) -> u64 {
        self.flops(dispatch).saturating_add(dispatch.bytes().saturating_mul(10))
    }
}

impl Dispatch {
    /// Bytes of what its members read and write: the least it moves, where they share nothing and touch all of it.
    pub fn bytes(&self) -> u64 {
        self.counts.iter().flatten().map(|&count| count as u64 * 4).sum()
    }
}

/// A WGSL text.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Shader {
    /// `family/kernel`; of an operation from outside this crate, `custom/` and its name.
    pub kernel: String,
    /// What the preprocessor made of it.
    pub source: String,
}

/// The family of kernels from outside this crate.
const CUSTOM: &str = "custom/";

impl Shader {
    /// What the kernel of a custom operation `name` is called.
    pub(super) fn custom(name: &str) -> String {
        format!("{CUSTOM}{name}")
    }

    /// Whether it comes from outside this crate.
    pub fn is_custom(&self) -> bool {
        self.kernel.starts_with(CUSTOM)
    }
}

/// A shader with values for its `override` constants.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Pipeline {
    /// Index of the shader.
    pub shader: usize,
    /// Name and value of each constant.
    pub constants: Vec<(String, f64)>,
}

/// One dispatch.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Dispatch {
    /// The operation of the step that it is part of, by name.
    pub op: String,
    /// Index of the pipeline.
    pub pipeline: usize,
    /// The memory behind binding 0, 1, ...
    pub bindings: Vec<Region>,
    /// The shape of what lies there for the first member; numbers without one, such as partial sums, count as a vector.
    pub shapes: Vec<Shape>,
    /// How many numbers lie there for each member.
    pub counts: Vec<Vec<usize>>,
    /// How many operations it computes, alike but for the memory they touch and, the simplest, how much of it.
    pub members: usize,
    /// Where within each binding the memory of each member begins, in bytes.
    pub offsets: Vec<Vec<u64>>,
    /// Size of the grid.
    pub workgroups: [u32; 3],
}

/// Numbers that leave the device to be exchanged with other ranks, and come back.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub struct Crossing {
    /// How many dispatches come before.
    pub after: usize,
    /// What becomes of the numbers.
    pub exchange: Collective,
    /// Where they are, and how many.
    pub from: (Region, usize),
    /// Where those they become are to be, and how many.
    pub to: (Region, usize),
}

/// A stretch of a buffer, bound whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Region {
    /// Which buffer.
    pub buffer: Buffer,
    /// First byte; a multiple of 256.
    pub offset: u64,
    /// Length in bytes; a multiple of 16.
    pub size: u64,
}

/// Bindings start at multiples of this many bytes, the largest alignment WebGPU allows.
const ALIGN: u64 = 256;

impl Region {
    /// Bytes of a stretch that holds `len` numbers and after which another may be bound.
    pub(super) fn bytes(len: usize) -> u64 {
        (len as u64 * 4).next_multiple_of(ALIGN)
    }

    /// The byte behind its last, if that can be counted.
    pub(super) fn end(self) -> Option<u64> {
        self.offset.checked_add(self.size)
    }

    /// Whether the two have memory in common.
    pub fn meets(self, other: Self) -> bool {
        let apart = self.offset + self.size <= other.offset || other.offset + other.size <= self.offset;
        self.buffer == other.buffer && !apart
    }
}

/// A buffer of a program or of the state it works on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Buffer {
    /// Shared between values of a step, and between steps.
    Pool(usize),
    /// Kept until the step runs again.
    Result(usize),
    /// Written by the host before every run.
    Inputs,
    /// Written once.
    Constants,
    /// A state buffer.
    State(usize),
}
