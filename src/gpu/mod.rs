//! The GPU: from a step to hand-written WGSL, and its execution.
//!
//! [`lower`] chooses kernels and places, the result is a [`program::Program`] of plain data, and [`run`] replays it
//! on a [`device::Gpu`]; [`tune`] measures which kernels are fastest there. Kernels are texts under `shaders/`, one a file, made
//! concrete by [`preprocess`]; [`ladder`] has one convolution by kernels from the naive on.

mod cache;
mod choice;
pub mod device;
mod double;
pub mod finite;
pub mod ladder;
pub mod lower;
mod memory;
mod pipelines;
pub mod preprocess;
pub mod program;
pub mod run;
mod standalone;
pub mod submissions;
pub mod tune;
mod verify;

pub use device::{AdapterSummary, Gpu, adapters};
pub use run::GpuExecutor;
