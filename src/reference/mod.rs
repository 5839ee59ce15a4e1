//! What every operation means, in plain Rust over f32 or f64.
//!
//! This is the oracle for every kernel, the ground for numeric gradient checks (in f64), and the CPU device. Results do
//! not depend on the number of threads.

mod channels;
mod contraction;
mod norm;
mod number;
mod optimizer;
pub(crate) mod pointwise;
mod pool;
mod prepared;
mod reduce;
mod spatial;
mod update;

pub use number::Number;

use crate::executor::{Executor, Timing, exchange, known};
use crate::graph::custom::Operand;
use crate::graph::{Node, Op, StateBuffer, Step};
use crate::ranks::Ranks;
use crate::real::{Precision, Real};
use crate::shape::Shape;
use crate::{Error, Result};
use number::Element;
use prepared::{Place, Prepared, first_non_finite};
use std::time::Instant;

/// Runs `work` compiled for the widest instruction set of this machine. Its loops are written so that a compiler can
/// turn them into vector instructions.
fn vectorized<R>(work: impl FnOnce() -> R) -> R {
    pulp::Arch::new().dispatch(work)
}

/// The CPU executor.
pub struct Reference<T> {
    state_buffers: Vec<Vec<T>>,
    steps: Vec<Prepared<T>>,
    precision: Precision,
    ranks: Ranks,
    tracing: bool,
}

impl<T: Number> Reference<T> {
    /// Makes `steps` ready over `state_buffers`, whose tensors start as zeros.
    ///
    /// # Errors
    /// If a step does not fit the state buffers: see [`Step::check`].
    pub fn new(state_buffers: &[StateBuffer], steps: Vec<Step>) -> Result<Self> {
        steps.iter().try_for_each(|step| step.check(state_buffers))?;
        Ok(Self {
            state_buffers: state_buffers
                .iter()
                .map(|state_buffer| vec![T::from_f64(0.0); state_buffer.len])
                .collect(),
            steps: steps.into_iter().map(Prepared::new).collect(),
            precision: Precision::F32,
            ranks: Ranks::default(),
            tracing: false,
        })
    }

    /// The same with contractions in this precision; single precision, where none is chosen.
    pub fn with_precision(self, precision: Precision) -> Self {
        Self { precision, ..self }
    }

    fn run_step(&mut self, step: usize, done: impl FnMut(&'static str, &[(Shape, &[T])])) {
        self.steps[step].run(&mut self.state_buffers, self.precision, &self.ranks, done);
    }

    /// Runs a step and looks at every result.
    fn traced(&mut self, step: usize) -> Result<()> {
        let mut found = None;
        self.run_step(step, |op, results| {
            let mut bad = results.iter().filter_map(|&(shape, values)| {
                Some((op.to_owned(), values[first_non_finite(values)?].as_f64(), shape))
            });
            found = found.take().or_else(|| bad.next());
        });
        let step = self.steps[step].step.name.clone();
        found.map_or(Ok(()), |(op, value, shape)| Err(Error::NotFinite { op, step, value, shape: shape.0 }))
    }
}

/// One node: its operands' numbers in, its own out. Every number of `out` is written.
fn compute<T: Element>(
    node: &Node,
    nodes: &[Node],
    operands: &[&[T]],
    out: &mut [T],
    scratch: &mut Vec<T>,
    ranks: &Ranks,
) {
    let shape = |index: usize| nodes[node.operands[index]].shape;
    match &node.op {
        Op::Input(_) | Op::State(_) | Op::Full(_) | Op::Reshape | Op::Detach => {}
        Op::Collective(of) => exchange::exchange(*of, ranks, operands[0], out),
        Op::Conv2d(g) => contraction::conv2d(g, operands[0], shape(0), operands[1], out, node.shape),
        Op::ConvTranspose2d(g) => {
            contraction::conv_transpose2d(g, operands[0], shape(0), operands[1], out, node.shape);
        }
        Op::Conv2dWeightGrad(g) => {
            contraction::conv2d_weight_grad(g, operands[0], shape(0), operands[1], out, node.shape, scratch);
        }
        Op::Unary(unary) => pointwise::unary(*unary, operands[0], out),
        Op::Binary(binary) => {
            pointwise::binary(*binary, (operands[0], shape(0)), (operands[1], shape(1)), out, node.shape);
        }
        Op::Sum => reduce::sum(operands[0], shape(0), out, node.shape),
        Op::Broadcast => reduce::broadcast(operands[0], shape(0), out, node.shape),
        Op::Moments(per) => norm::moments(*per, operands[0], shape(0), out),
        Op::Normalize { per, eps, .. } => {
            norm::normalize(*per, *eps, operands[0], shape(0), operands[1], operands.get(2).copied(), out);
        }
        Op::NormalizeGradSums { per, eps } => {
            norm::grad_sums(*per, *eps, operands[0], shape(0), operands[1], operands[2], out);
        }
        Op::NormalizeGrad { per, eps, fixed } => {
            norm::grad(*per, *eps, *fixed, operands, shape(0), out);
        }
        Op::ReflectionPad(padding) => {
            spatial::reflection_pad(*padding, operands[0], shape(0), out, node.shape);
        }
        Op::ReflectionPadGrad(padding) => {
            spatial::reflection_pad_grad(*padding, operands[0], shape(0), out, node.shape);
        }
        Op::UpsampleNearest(factor) => spatial::upsample(*factor, operands[0], shape(0), out, node.shape),
        Op::UpsampleNearestGrad(factor) => {
            spatial::upsample_grad(*factor, operands[0], shape(0), out, node.shape);
        }
        Op::ConcatChannels => channels::concat((operands[0], shape(0)), (operands[1], shape(1)), out),
        Op::SliceChannels { from } => channels::slice(*from, operands[0], shape(0), out, node.shape),
        Op::SliceChannelsGrad { from } => channels::slice_grad(*from, operands[0], shape(0), out, node.shape),
        Op::MaxPool(g) => pool::max_pool(g, operands[0], operands[1], node.shape.channels(), out),
        Op::MaxPoolGrad(g) => pool::max_pool_grad(g, operands[0], operands[1], node.shape.channels(), out),
        Op::Blur => spatial::blur(operands[0], node.shape, out),
        Op::GatherRows => spatial::gather_rows(operands[0], operands[1], operands[2], out),
        Op::Translate { back } => spatial::translate(*back, operands[0], operands[1], out, node.shape),
        Op::Custom(op) => {
            let operand = |(index, values)| Operand { values, shape: shape(index) };
            let operands: Vec<Operand<'_, T>> = operands.iter().copied().enumerate().map(operand).collect();
            T::custom(op, &operands, out);
        }
    }
}

impl<T: Number> Executor<T> for Reference<T> {
    fn write_input(&mut self, step: usize, name: &str, values: &[T]) -> Result<()> {
        known("step", step, self.steps.len())?;
        let prepared = &mut self.steps[step];
        let (id, shape) = prepared
            .step
            .inputs()
            .find(|(_, input, _)| *input == name)
            .map(|(id, _, shape)| (id, shape))
            .ok_or_else(|| Error::Input(format!("{}: no input named {name}", prepared.step.name)))?;
        if values.len() != shape.len() {
            return Err(Error::Input(format!(
                "{}: input {name} is {shape}, {} numbers, not {}",
                prepared.step.name,
                shape.len(),
                values.len()
            )));
        }
        if let Place::Buffer(buffer) = prepared.place[id] {
            prepared.buffers[buffer].copy_from_slice(values);
        }
        Ok(())
    }

    fn run(&mut self, steps: &[usize]) -> Result<()> {
        steps.iter().try_for_each(|&step| known("step", step, self.steps.len()))?;
        // On a thread of the pool, which shares work out at less cost than one outside of it.
        rayon::scope(|_| match self.tracing {
            true => steps.iter().try_for_each(|&step| self.traced(step)),
            false => {
                steps.iter().for_each(|&step| self.run_step(step, |_, _| ()));
                Ok(())
            }
        })
    }

    fn wait(&mut self) -> Result<()> {
        Ok(())
    }

    fn profile(&mut self, step: usize) -> Result<Vec<Timing>> {
        known("step", step, self.steps.len())?;
        let mut timings = Vec::new();
        let mut start = Instant::now();
        self.run_step(step, |op, _| {
            timings.push(Timing { op: op.to_owned(), seconds: start.elapsed().as_secs_f64() });
            start = Instant::now();
        });
        Ok(timings)
    }

    fn read_output(&mut self, step: usize, name: &str) -> Result<Vec<T>> {
        known("step", step, self.steps.len())?;
        let prepared = &self.steps[step];
        let output = prepared.step.outputs.iter().find(|(output, _)| output == name);
        match output {
            Some(&(_, id)) => Ok(prepared.value(&self.state_buffers, id).to_vec()),
            None => Err(Error::Input(format!("{}: no output named {name}", prepared.step.name))),
        }
    }

    fn read_state(&mut self, state_buffer: usize) -> Result<Vec<T>> {
        known("state buffer", state_buffer, self.state_buffers.len())?;
        Ok(self.state_buffers[state_buffer].clone())
    }

    fn write_state(&mut self, state_buffer: usize, values: &[T]) -> Result<()> {
        known("state buffer", state_buffer, self.state_buffers.len())?;
        if values.len() != self.state_buffers[state_buffer].len() {
            return Err(Error::Input(format!(
                "state buffer {state_buffer} holds {} numbers, not {}",
                self.state_buffers[state_buffer].len(),
                values.len()
            )));
        }
        self.state_buffers[state_buffer].copy_from_slice(values);
        Ok(())
    }

    fn non_finite(&mut self) -> Result<Option<(usize, usize)>> {
        let mut found = self
            .state_buffers
            .iter()
            .enumerate()
            .map(|(state_buffer, values)| (state_buffer, first_non_finite(values)));
        Ok(found.find_map(|(state_buffer, at)| Some((state_buffer, at?))))
    }

    fn detect_anomaly(&mut self, on: bool) {
        self.tracing = on;
    }

    fn join(&mut self, ranks: &Ranks) {
        self.ranks = ranks.clone();
    }

    fn bytes(&self) -> usize {
        let buffers = self.steps.iter().flat_map(|prepared| &prepared.buffers);
        buffers.chain(&self.state_buffers).map(|numbers| size_of_val(numbers.as_slice())).sum()
    }
}
