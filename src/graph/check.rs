//! Whether a step can be run at all: its results and changes of state, and the state buffers they meet.

use super::step::ALIGN;
use super::{NodeId, Op, Slot, StateBuffer, Step, Update};
use crate::shape::Shape;
use crate::{Error, Result};
use std::collections::HashSet;

impl Step {
    fn problem<T>(&self, op: &'static str, problem: impl Into<String>) -> Result<T> {
        Err(Error::Graph { op, problem: format!("step {}: {}", self.name, problem.into()) })
    }

    /// Checks all of the step that does not depend on state buffers.
    ///
    /// # Errors
    /// If a name of an input or an output is there twice, or an update's node is not in the step, has another shape than it
    /// must have, or comes with a number that is not finite.
    pub(super) fn check_alone(&self) -> Result<()> {
        let mut names = HashSet::new();
        if let Some((_, name, _)) = self.inputs().find(|(_, name, _)| !names.insert(*name)) {
            return self.problem("input", format!("two inputs are named {name}; give each its own name"));
        }
        names.clear();
        if let Some((name, _)) = self.outputs.iter().find(|(name, _)| !names.insert(name)) {
            return self.problem("output", format!("two outputs are named {name}; give each its own name"));
        }
        if let Some((name, _)) = self.outputs.iter().find(|(_, id)| *id >= self.nodes.len()) {
            return self.problem("output", format!("{name} is no node of the step"));
        }
        self.updates.iter().try_for_each(|update| self.check_update(update))
    }

    fn check_update(&self, update: &Update) -> Result<()> {
        let op = update.name();
        if let Some(id) = update.nodes().find(|&id| id >= self.nodes.len()) {
            return self.problem(
                op,
                format!("node {id} is not in the graph; take ids from Var::id of the same graph"),
            );
        }
        let expect = |what: &str, id: NodeId, expected: Shape| match self.nodes[id].shape {
            shape if shape == expected => Ok(()),
            shape => self.problem(op, format!("{what} must be {expected}, not {shape}")),
        };
        let finite = |numbers: &[(&str, f64)]| match numbers.iter().find(|(_, number)| !is_single(*number)) {
            Some((what, number)) => {
                self.problem(op, format!("{what} is {number}; it must be finite in single precision"))
            }
            None => Ok(()),
        };
        match *update {
            Update::Store { .. } | Update::Unscale { .. } => Ok(()),
            Update::RunningMoments { moments, momentum, .. } => {
                let channels = self.nodes[moments].shape.channels();
                expect("moments", moments, Shape([1, 1, 2, channels]))?;
                finite(&[("momentum", momentum)])
            }
            Update::ScatterRows { len, value, rows, .. } => {
                let shape = self.nodes[value].shape;
                let count = shape.0[0];
                expect("rows", rows, Shape([count, 1, 1, 1]))?;
                let row = shape.len() / count;
                if len == 0 || !len.is_multiple_of(row) {
                    return self.problem(
                        op,
                        format!("a tensor of {len} numbers has no rows of {row}, as {shape} has"),
                    );
                }
                Ok(())
            }
            Update::Mean { share, .. } => finite(&[("share", share)]),
            Update::Average { decay, .. } => expect("decay", decay, Shape::SCALAR),
            Update::Optimize { rule, ref state, rates, .. } => {
                let names = rule.state();
                if state.len() != names.len() {
                    return self.problem(
                        op,
                        format!(
                            "its state takes {} state buffers, {names:?}, not {}",
                            names.len(),
                            state.len()
                        ),
                    );
                }
                expect("rates", rates, Shape::vector(rule.rates()))?;
                finite(&rule.numbers())
            }
        }
    }

    /// Checks the step against the state buffers it is to run over, as every executor does.
    ///
    /// # Errors
    /// If a state buffer is not there or too large, a tensor of a step is not one of its state buffer's, or state buffers that are to be of one length are not.
    pub fn check(&self, buffers: &[StateBuffer]) -> Result<()> {
        self.check_alone()?;
        for (index, buffer) in buffers.iter().enumerate() {
            let end = |&(_, shape, offset): &(String, Shape, usize)| offset.saturating_add(shape.len());
            if buffer.len > Shape::MAX_LEN
                || !buffer.len.is_multiple_of(4)
                || buffer.tensors.iter().any(|of| end(of) > buffer.len)
            {
                return self.problem("buffer", format!(
                    "state buffer {index} of {} numbers must hold its tensors, be a multiple of 4, and at most {}",
                    buffer.len,
                    Shape::MAX_LEN
                ));
            }
        }
        for node in &self.nodes {
            if let Op::State(slot) = node.op {
                self.check_slot("state", slot, node.shape.len(), buffers)?;
            }
        }
        self.updates.iter().try_for_each(|update| self.check_buffers(update, buffers))
    }

    fn check_buffers(&self, update: &Update, buffers: &[StateBuffer]) -> Result<()> {
        let (op, len) = (update.name(), |id: NodeId| self.nodes[id].shape.len());
        if let Update::Unscale { scale, .. } | Update::Optimize { scale: Some(scale), .. } = *update {
            let (found, expected) =
                (&self.buffer(op, scale, buffers)?.tensors, StateBuffer::loss_scale().tensors);
            if *found != expected {
                return self.problem(
                    op,
                    format!(
                        "state buffer {scale} is not that of a loss scale; make it by StateBuffer::loss_scale"
                    ),
                );
            }
        }
        let used = match *update {
            Update::Store { slot, value } => return self.check_slot(op, slot, len(value), buffers),
            Update::RunningMoments { slot, moments, .. } => {
                return self.check_slot(op, slot, len(moments), buffers);
            }
            Update::ScatterRows { slot, len, .. } => return self.check_slot(op, slot, len, buffers),
            Update::Unscale { gradients, .. } => vec![gradients],
            Update::Optimize { scale: Some(scale), .. } => {
                update.buffers().into_iter().filter(|buffer| *buffer != scale).collect()
            }
            Update::Mean { .. } | Update::Average { .. } | Update::Optimize { .. } => update.buffers(),
        };
        let mut lens = Vec::new();
        for &buffer in &used {
            lens.push(self.buffer(op, buffer, buffers)?.len);
        }
        if used.iter().collect::<HashSet<_>>().len() < used.len() || lens.iter().any(|len| *len != lens[0]) {
            return self.problem(
                op,
                format!("state buffers {used:?} of {lens:?} numbers must be different ones of one length"),
            );
        }
        Ok(())
    }

    fn buffer<'b>(
        &self,
        op: &'static str,
        buffer: usize,
        buffers: &'b [StateBuffer],
    ) -> Result<&'b StateBuffer> {
        let there = buffers.len();
        buffers.get(buffer).map_or_else(
            || self.problem(op, format!("there is no state buffer {buffer}; there are {there}")),
            Ok,
        )
    }

    /// A slot is one tensor of its state buffer, or lies anywhere in a state buffer that names no tensors.
    fn check_slot(&self, op: &'static str, slot: Slot, len: usize, buffers: &[StateBuffer]) -> Result<()> {
        let Slot { buffer: index, offset } = slot;
        let buffer = self.buffer(op, index, buffers)?;
        let fits = if buffer.tensors.is_empty() {
            offset.is_multiple_of(ALIGN) && offset.saturating_add(len) <= buffer.len
        } else {
            buffer.tensors.iter().any(|(_, shape, start)| (*start, shape.len()) == (offset, len))
        };
        if fits {
            return Ok(());
        }
        let found = match buffer.tensors.iter().find(|(_, _, start)| *start == offset) {
            Some((name, shape, _)) => format!("{name} {shape} begins there"),
            None => "no tensor begins there".into(),
        };
        self.problem(op, format!(
            "{len} numbers at offset {offset} of state buffer {index} are not one of its tensors: {found}; take offsets from StateBuffer::tensors"
        ))
    }
}

/// Whether a number is finite in single precision.
pub fn is_single(number: f64) -> bool {
    (number as f32).is_finite()
}
