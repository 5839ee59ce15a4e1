//! A dispatch, or on the CPU an operation, as a row of the listing.

use crate::gpu::lower::{Contraction, Target};
use crate::gpu::program::{Dispatch, Program};
use crate::graph::{StateBuffer, Step, Update};
use crate::measure::peaks::Peaks;
use crate::shape::Shape;
use serde::Serialize;

/// One dispatch, or on the CPU one operation.
#[derive(Clone, Debug, Serialize)]
pub struct Row {
    /// Its number within its program, from 1.
    pub number: usize,
    /// The operation that it is, or is part of.
    pub op: String,
    /// The kernel, as `family/kernel`; empty on the CPU.
    pub kernel: String,
    /// Of a contraction on a GPU: what one invocation or workgroup computes.
    pub variant: String,
    /// What it reads and writes: the shape of each binding; on the CPU, of each operand and the result.
    pub shapes: Vec<Shape>,
    /// Size of the grid; zeros on the CPU.
    pub workgroups: [u32; 3],
    /// How many operations it computes at once, alike but for their memory.
    pub members: usize,
    /// Floating-point operations of its contractions, a multiply-add being two; 0 for all else.
    pub flops: u64,
    /// Bytes it reads and writes at least.
    pub bytes: u64,
    /// What it takes by itself.
    pub seconds: f64,
    /// The share of the peak it reaches: of arithmetic where there is a contraction, else of copying. What fits in a cache can
    /// be faster than a copy that does not.
    pub share: f64,
}

impl Row {
    /// Notes its time, and the share of the peak that follows.
    pub(super) fn time(&mut self, seconds: f64, peaks: &Peaks) {
        self.seconds = seconds;
        let (work, peak) = match self.flops {
            0 => (self.bytes, peaks.bytes_per_second),
            flops => (flops, peaks.flops_per_second),
        };
        self.share = if seconds > 0.0 { work as f64 / seconds / peak } else { 0.0 };
    }
}

/// The dispatches of a program for `target`.
pub fn of_program(program: &Program, target: &Target) -> Vec<Row> {
    let variant = |dispatch: &Dispatch| {
        let of = Contraction::of_dispatch(program, dispatch)?;
        Some(target.resolved(&[of]).get(&of)?.to_string())
    };
    let row = |(number, dispatch): (usize, &Dispatch)| Row {
        number,
        op: dispatch.op.clone(),
        kernel: program.kernel(dispatch).to_owned(),
        variant: variant(dispatch).unwrap_or_default(),
        shapes: dispatch.shapes.clone(),
        workgroups: dispatch.workgroups,
        members: dispatch.members,
        flops: program.flops(dispatch),
        bytes: dispatch.bytes(),
        seconds: 0.0,
        share: 0.0,
    };
    (1..).zip(&program.dispatches).map(row).collect()
}

/// The operations and updates of a step over `buffers`, as the reference computes them one after another.
pub fn of_step(step: &Step, buffers: &[StateBuffer]) -> Vec<Row> {
    let shape = |id: usize| step.nodes[id].shape;
    let nodes = step.computed().map(|id| {
        let node = &step.nodes[id];
        let operands = node.operands.iter().map(|&operand| shape(operand));
        (node.op.name(), operands.chain([node.shape]).collect(), step.flops(id))
    });
    let updates = step.updates.iter().map(|update| (update.name(), touched(update, step, buffers), 0));
    let row = |(number, (op, shapes, flops)): (usize, (&str, Vec<Shape>, u64))| Row {
        number,
        op: op.to_owned(),
        kernel: String::new(),
        variant: String::new(),
        workgroups: [0; 3],
        members: 1,
        flops,
        bytes: shapes.iter().map(|shape| shape.len() as u64 * 4).sum(),
        shapes,
        seconds: 0.0,
        share: 0.0,
    };
    (1..).zip(nodes.chain(updates)).map(row).collect()
}

/// What an update reads and writes, each once.
fn touched(update: &Update, step: &Step, buffers: &[StateBuffer]) -> Vec<Shape> {
    let shape = |id: usize| step.nodes[id].shape;
    let buffer = |buffer: usize| Shape::vector(buffers[buffer].len);
    match *update {
        Update::Store { value, .. } => vec![shape(value); 2],
        Update::RunningMoments { moments, .. } => vec![shape(moments); 2],
        Update::ScatterRows { value, rows, .. } => vec![shape(value), shape(rows), shape(value)],
        Update::Mean { buffer: of, .. } => vec![buffer(of); 2],
        Update::Unscale { gradients, scale } => vec![buffer(gradients), buffer(scale), buffer(gradients)],
        Update::Average { average, parameters, decay } => {
            vec![buffer(parameters), shape(decay), buffer(average)]
        }
        Update::Optimize { parameters, gradients, ref state, rates, .. } => {
            let state = state.iter().map(|&of| buffer(of));
            [buffer(gradients), shape(rates), buffer(parameters)].into_iter().chain(state).collect()
        }
    }
}
