//! A step made ready: where its values are, and its run.

use super::Number;
use super::pointwise::CHUNK;
use crate::graph::lifetimes::{Lifetime, share};
use crate::graph::{NodeId, Op, Slot, Step, Update};
use crate::ranks::Ranks;
use crate::real::{Precision, Real};
use crate::shape::Shape;
use rayon::prelude::*;

/// A step with its memory: values that are never alive together share a buffer.
pub struct Prepared<T> {
    pub step: Step,
    /// Where each node's numbers are.
    pub place: Vec<Place>,
    pub buffers: Vec<Vec<T>>,
    /// Room for an operation's own use.
    scratch: Vec<T>,
}

#[derive(Clone, Copy)]
pub enum Place {
    State(Slot),
    Buffer(usize),
}

impl<T: Number> Prepared<T> {
    pub fn new(step: Step) -> Self {
        let end = step.nodes.len();
        let mut last: Vec<usize> = (0..end).collect();
        for (id, node) in step.nodes.iter().enumerate() {
            for &operand in &node.operands {
                last[step.source(operand)] = id;
            }
        }
        let kept = step.outputs.iter().map(|(_, id)| *id);
        let updated = step.updates.iter().flat_map(Update::nodes);
        for id in kept.chain(updated) {
            last[step.source(id)] = end;
        }
        let mut owners: Vec<NodeId> = Vec::new();
        let mut place = vec![Place::Buffer(usize::MAX); end];
        for (id, node) in step.nodes.iter().enumerate() {
            match node.op {
                Op::State(slot) => place[id] = Place::State(slot),
                // Inputs and constants keep a buffer of their own: the host writes them between runs.
                Op::Input(_) | Op::Full(_) => {
                    place[id] = Place::Buffer(owners.len());
                    owners.push(id);
                }
                _ => {}
            }
        }
        let mut buffers: Vec<Vec<T>> = owners
            .iter()
            .map(|&id| {
                let value = if let Op::Full(value) = step.nodes[id].op { value } else { 0.0 };
                vec![T::from_f64(value); step.nodes[id].shape.len()]
            })
            .collect();
        let computed: Vec<NodeId> = step.computed().collect();
        let lifetimes: Vec<Lifetime> = computed
            .iter()
            .map(|&id| Lifetime { made: id, last: last[id], size: step.nodes[id].shape.len() })
            .collect();
        let slots = share(&lifetimes);
        for (&id, slot) in computed.iter().zip(slots.of) {
            place[id] = Place::Buffer(buffers.len() + slot);
        }
        for id in 0..end {
            place[id] = place[step.source(id)];
        }
        buffers.extend(slots.sizes.into_iter().map(|size| vec![T::from_f64(0.0); size]));
        Self { step, place, buffers, scratch: Vec::new() }
    }

    pub fn value<'a>(&'a self, state_buffers: &'a [Vec<T>], id: NodeId) -> &'a [T] {
        let len = self.step.nodes[id].shape.len();
        match self.place[id] {
            Place::State(slot) => &state_buffers[slot.buffer][slot.offset..slot.offset + len],
            Place::Buffer(buffer) => &self.buffers[buffer][..len],
        }
    }

    /// Runs the step, telling `done` the name and the results of each operation that is: of an update, the state buffers it changes.
    pub fn run(
        &mut self,
        state_buffers: &mut [Vec<T>],
        precision: Precision,
        ranks: &Ranks,
        mut done: impl FnMut(&'static str, &[(Shape, &[T])]),
    ) {
        let computed: Vec<NodeId> = self.step.computed().collect();
        for id in computed {
            let Place::Buffer(buffer) = self.place[id] else { continue };
            let mut out = std::mem::take(&mut self.buffers[buffer]);
            let mut scratch = std::mem::take(&mut self.scratch);
            let node = &self.step.nodes[id];
            let operands: Vec<&[T]> =
                node.operands.iter().map(|&operand| self.value(state_buffers, operand)).collect();
            let halves: Vec<Vec<T>> = match precision {
                Precision::Mixed if node.op.is_contraction() => {
                    operands.iter().map(|operand| halved(operand)).collect()
                }
                _ => vec![],
            };
            let operands =
                if halves.is_empty() { operands } else { halves.iter().map(Vec::as_slice).collect() };
            let result = &mut out[..node.shape.len()];
            T::compute(node, &self.step.nodes, &operands, result, &mut scratch, ranks);
            self.scratch = scratch;
            self.buffers[buffer] = out;
            let node = &self.step.nodes[id];
            done(node.op.name(), &[(node.shape, self.value(state_buffers, id))]);
        }
        for update in &self.step.updates {
            T::update(update, state_buffers, ranks, &|state_buffers, id| {
                self.value(state_buffers, id).to_vec()
            });
            let written = update.written().into_iter().map(|state_buffer| &state_buffers[state_buffer][..]);
            let written: Vec<_> = written.map(|values| (Shape::vector(values.len()), values)).collect();
            done(update.name(), &written);
        }
    }
}

/// See [`Real::halve`].
fn halved<T: Real>(values: &[T]) -> Vec<T> {
    let mut halves = values.to_vec();
    halves.par_chunks_mut(CHUNK).for_each(T::halve);
    halves
}

pub fn first_non_finite<T: Real>(values: &[T]) -> Option<usize> {
    values.iter().position(|value| !value.is_finite())
}
