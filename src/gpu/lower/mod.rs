//! From a step to a program: which kernel computes which node, with what fused into it, and where every value lives.

mod call;
mod candidates;
mod channels;
mod contraction;
mod expression;
mod fuse;
mod gemm;
mod lanes;
mod merge;
mod narrow;
mod norm;
mod optimizer;
mod place;
mod pointwise;
mod pool;
mod schedule;
mod target;
mod tuning_table;
mod variant;
mod write;

pub use candidates::candidates;
pub use gemm::{Contraction, GemmShape, Kind};
pub use target::Target;
pub use tuning_table::TuningTable;
pub use variant::{Block, Form, Matrix, MatrixUnits, TILES, Tile, Variant};

use super::program::{MAX_GRID, Program};
use crate::graph::custom::Custom;
use crate::graph::{Collective, Op, StateBuffer, Step, Update};
use crate::{Error, Result};
use call::{Call, Calls, Memory};
use expression::Fused;
use fuse::Fusion;
use place::Stored;

/// Lowers `step` for `target`.
///
/// # Errors
/// If the step does not fit the state buffers (see [`Step::check`]), a kernel's text cannot be made (an error in this crate, or in a
/// [`CustomOp`](crate::graph::custom::CustomOp)) or a tensor is larger than a binding may be.
pub fn lower(step: &Step, state_buffers: &[StateBuffer], target: &Target) -> Result<Program> {
    step.check(state_buffers)?;
    let fusion = Fusion::find(step);
    let mut calls = Calls::new(step, target);
    for id in 0..step.nodes.len() {
        if !fusion.absorbed(id) {
            node(&mut calls, &fusion, id);
        }
    }
    let nodes = calls.list.len();
    let stored = place::stored(step, &calls.list);
    for update in &step.updates {
        calls.update(update, state_buffers, &stored);
    }
    let program = place::place(step, calls, nodes, &stored, state_buffers)?;
    fits(&program, state_buffers, target)?;
    program.verify(state_buffers)?;
    Ok(program)
}

/// Refuses what is larger than the device.
pub(super) fn fits(program: &Program, state_buffers: &[StateBuffer], target: &Target) -> Result<()> {
    let too_small = |what: &str, needed: u64, allowed: u64| {
        Err(Error::Device(format!(
            "{}: {what} of {} MiB is needed, this device allows {} MiB; use a smaller `batch`, `size`, `g_width` or `d_width`",
            program.name,
            needed.div_ceil(1 << 20),
            allowed >> 20
        )))
    };
    let bindings =
        program.dispatches.iter().flat_map(|dispatch| &dispatch.bindings).map(|region| region.size);
    if let Some(size) = bindings.max().filter(|&size| size > target.max_binding) {
        return too_small("a binding", size, target.max_binding);
    }
    let state_buffers = state_buffers.iter().map(|state_buffer| state_buffer.len as u64 * 4);
    let buffers = program
        .pool
        .iter()
        .chain(&program.results)
        .chain([&program.input_bytes])
        .copied()
        .chain(state_buffers);
    if let Some(size) = buffers.max().filter(|&size| size > target.max_buffer) {
        return too_small("a buffer", size, target.max_buffer);
    }
    if program.dispatches.iter().flat_map(|of| of.workgroups).any(|extent| extent as usize > MAX_GRID) {
        return Err(Error::Device(format!(
            "{}: an operation is too large for one dispatch; use a smaller `batch` or `size`",
            program.name
        )));
    }
    Ok(())
}

fn node(calls: &mut Calls<'_>, fusion: &Fusion, id: usize) {
    let fused = fusion.of(id);
    let Some(base) = fused.base else {
        return memory_bound(calls, fusion, id);
    };
    calls.op = calls.step.nodes[base].op.name();
    match calls.step.nodes[base].op {
        Op::Conv2d(g) => contraction::contraction(calls, fusion, (Kind::Conv2d, &g), &[base], id, fused),
        Op::ConvTranspose2d(g) => {
            contraction::contraction(calls, fusion, (Kind::ConvTranspose2d, &g), &[base], id, fused)
        }
        Op::Normalize { per, eps, .. } => norm::normalize(calls, per, eps, base, id, fused),
        _ => pointwise::sum(calls, fusion, base, id, fused),
    }
}

fn memory_bound(calls: &mut Calls<'_>, fusion: &Fusion, id: usize) {
    let terms = fusion.terms(id);
    calls.op = calls.step.nodes[terms[0]].op.name();
    match calls.step.nodes[terms[0]].op {
        Op::Unary(_) | Op::Binary(_) | Op::Broadcast => {
            pointwise::map(calls, fusion.of(id), Memory::Node(id))
        }
        Op::Conv2dWeightGrad(g) => {
            contraction::contraction(calls, fusion, (Kind::WeightGrad, &g), &terms, id, &Fused::value(id))
        }
        Op::Sum => pointwise::sum_of_sums(calls, fusion, &terms, id),
        Op::Moments(per) => norm::moments(calls, per, id),
        Op::NormalizeGradSums { per, eps } => norm::grad_sums(calls, fusion, per, eps, id),
        Op::NormalizeGrad { per, eps, fixed } => norm::grad(calls, fusion, per, eps, fixed, id),
        Op::ReflectionPad(padding) => pointwise::reflection_pad(calls, padding, false, id),
        Op::ReflectionPadGrad(padding) => pointwise::reflection_pad(calls, padding, true, id),
        Op::UpsampleNearest(factor) => pointwise::upsample(calls, factor, false, id),
        Op::UpsampleNearestGrad(factor) => pointwise::upsample(calls, factor, true, id),
        Op::ConcatChannels => channels::concat(calls, id),
        Op::SliceChannels { from } => channels::slice(calls, from, false, id),
        Op::SliceChannelsGrad { from } => channels::slice(calls, from, true, id),
        Op::MaxPool(g) => pointwise::max_pool(calls, "spatial/max_pool", &g, id),
        Op::MaxPoolGrad(g) => pointwise::max_pool(calls, "spatial/max_pool_grad", &g, id),
        Op::Blur => pointwise::blur(calls, id),
        Op::GatherRows => pointwise::gather_rows(calls, id),
        Op::Collective(exchange) => norm::exchange(calls, exchange, id),
        Op::Translate { back } => pointwise::translate(calls, back, id),
        Op::Custom(ref op) => calls.custom(op, id),
        Op::Input(_) | Op::State(_) | Op::Full(_) | Op::Reshape | Op::Detach => {}
        Op::Conv2d(_) | Op::ConvTranspose2d(_) | Op::Normalize { .. } => {
            unreachable!("these are the base of an expression")
        }
    }
}

impl Calls<'_> {
    /// An operation from outside this crate: one call, whatever stands around it.
    fn custom(&mut self, op: &Custom, id: usize) {
        let kernel = op.kernel(&self.step.operand_shapes(id), self.shape(id));
        let call = Call::custom(op.name(), kernel);
        let call =
            self.step.nodes[id].operands.iter().fold(call, |call, &operand| call.read(Memory::Node(operand)));
        self.push(call.write(Memory::Node(id)));
    }

    fn update(&mut self, update: &Update, state_buffers: &[StateBuffer], stored: &Stored) {
        self.op = update.name();
        match *update {
            Update::Store { value, .. } if stored.contains_key(&self.step.source(value)) => {}
            Update::Store { slot, value } => {
                let to = Memory::State(slot, self.shape(value).len());
                pointwise::map(self, &Fused::leaf(value), to);
            }
            Update::Mean { buffer: state_buffer, share } => {
                let state_buffer = Memory::buffer(state_buffer, state_buffers[state_buffer].len);
                self.push(Call::exchange(Collective::AllReduceMean { share }).write(state_buffer));
            }
            Update::RunningMoments { slot, moments, momentum, count } => {
                let shape = self.step.nodes[moments].shape;
                let unbiased = count as f64 / (count as f64 - 1.0).max(1.0);
                self.push(
                    Call::new("optim/running_moments")
                        .constant("C", shape.channels())
                        .number("KEEP", 1.0 - momentum)
                        .number("MEAN_SHARE", momentum)
                        .number("VARIANCE_SHARE", momentum * unbiased)
                        .read(Memory::Node(moments))
                        .write(Memory::State(slot, shape.len()))
                        .threads(shape.len()),
                );
            }
            Update::ScatterRows { slot, len, value, rows } => {
                let shape = self.step.nodes[value].shape;
                self.push(
                    Call::new("rows/scatter")
                        .constant("LEN", shape.len() / shape.0[0])
                        .constant("COUNT", shape.len())
                        .constant("ROWS", len / (shape.len() / shape.0[0]))
                        .read(Memory::Node(value))
                        .read(Memory::Node(rows))
                        .write(Memory::State(slot, len))
                        .threads(shape.len()),
                );
            }
            Update::Average { average, parameters, decay } => {
                let len = state_buffers[parameters].len;
                self.push(
                    Call::new("optim/average")
                        .constant("COUNT", len / 4)
                        .read(Memory::buffer(parameters, len))
                        .read(Memory::Node(decay))
                        .write(Memory::buffer(average, len))
                        .threads(len / 4),
                );
            }
            Update::Unscale { gradients, scale } => {
                let len = state_buffers[gradients].len;
                let [gradients, scale] =
                    [gradients, scale].map(|of| Memory::buffer(of, state_buffers[of].len));
                optimizer::unscale(len, gradients, scale).into_iter().for_each(|call| self.push(call));
            }
            Update::Optimize { rule, parameters, gradients, ref state, rates, scale } => {
                let len = state_buffers[parameters].len;
                let call = optimizer::kernel(rule)
                    .constant("COUNT", len / 4)
                    .read(Memory::buffer(gradients, len))
                    .read(Memory::Node(rates))
                    .write(Memory::buffer(parameters, len));
                let call = state
                    .iter()
                    .fold(call, |call, &state_buffer| call.write(Memory::buffer(state_buffer, len)));
                let call = match scale {
                    Some(scale) => optimizer::scaled(call, Memory::buffer(scale, state_buffers[scale].len)),
                    None => call,
                };
                self.push(call.threads(len / 4));
            }
        }
    }
}
