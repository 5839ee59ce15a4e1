//! A step as plain data: shaders, constants, buffers and a list of dispatches. Anything that can replay such a list
//! can run it; nothing here knows wgpu.

use serde::{Deserialize, Serialize};

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
    pub constants: Vec<f32>,
    /// Inputs: name, offset in bytes, count of numbers.
    pub inputs: Vec<(String, u64, usize)>,
    /// Results the host may read: name, place, count of numbers.
    pub outputs: Vec<(String, Region, usize)>,
    /// The work, in order.
    pub dispatches: Vec<Dispatch>,
}

/// A WGSL text.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Shader {
    /// `family/kernel`.
    pub kernel: String,
    /// What the preprocessor made of it.
    pub source: String,
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
    /// Index of the pipeline.
    pub pipeline: usize,
    /// The memory behind binding 0, 1, ...
    pub bindings: Vec<Region>,
    /// Size of the grid.
    pub workgroups: [u32; 3],
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
    /// A bank of state.
    Bank(usize),
}
