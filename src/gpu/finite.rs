//! Infinities and NaN, noticed on the device.

use super::preprocess::expand;
use super::program::{Buffer, Dispatch, Pipeline, Program, Region, Shader, WORKGROUP, grid};
use crate::Result;
use crate::graph::StateBuffer;
use crate::shape::Shape;

const KERNEL: &str = "reduce/finite";
/// Each state buffer's finding lies where a binding may start.
pub(super) const STRIDE: u64 = 256;

/// The program that looks at all numbers of `state_buffers`, if there are any. Its one output has, 256 bytes for each state buffer, how many numbers there
/// are from the first on that is not finite; it is to be zeros before.
///
/// # Errors
/// If the kernel's text cannot be made (an error in this crate).
pub fn program(state_buffers: &[StateBuffer]) -> Result<Option<Program>> {
    if state_buffers.is_empty() {
        return Ok(None);
    }
    let look = |(index, state_buffer): (u64, &StateBuffer)| {
        let x =
            Region { buffer: Buffer::State(index as usize), offset: 0, size: state_buffer.len as u64 * 4 };
        let found = Region { buffer: Buffer::Result(0), offset: index * STRIDE, size: STRIDE };
        Dispatch {
            op: "finite".into(),
            pipeline: 0,
            bindings: vec![x, found],
            shapes: vec![Shape::vector(state_buffer.len), Shape::SCALAR],
            counts: vec![vec![state_buffer.len], vec![1]],
            members: 1,
            offsets: vec![vec![0]; 2],
            workgroups: grid(state_buffer.len.div_ceil(4 * WORKGROUP)),
        }
    };
    let dispatches: Vec<Dispatch> =
        (0..).zip(state_buffers).filter(|(_, state_buffer)| state_buffer.len > 0).map(look).collect();
    let found = state_buffers.len() as u64 * STRIDE;
    Ok(Some(Program {
        name: "finite".into(),
        shaders: vec![Shader { kernel: KERNEL.into(), source: expand(KERNEL, &[])? }],
        pipelines: vec![Pipeline { shader: 0, constants: vec![] }],
        pool: vec![],
        results: vec![found],
        input_bytes: 0,
        constants: vec![],
        inputs: vec![],
        outputs: vec![],
        dispatches,
        exchanges: vec![],
    }))
}
