//! What the reference makes of given inputs, so that the page can tell whether a visitor's GPU computes the same.

use super::files::Tensors;
use crate::Result;
use crate::executor::Executor;
use crate::graph::{StateBuffer, Step};
use crate::reference::Reference;
use serde::Serialize;

/// Most numbers of a state buffer that are compared.
const MOST: usize = 1 << 16;

/// Steps that run one after another from the checkpoint's state, and the state buffers they change that are looked at.
pub struct Check<'a> {
    pub name: &'static str,
    pub steps: Vec<&'a Step>,
    pub buffers: Vec<(&'static str, usize)>,
}

/// A check as the page finds it; its numbers are `CHECK/STEP/in/INPUT`, `CHECK/STEP/out/OUTPUT` and `CHECK/buffer/BANK`.
#[derive(Serialize)]
pub struct Line {
    name: &'static str,
    steps: Vec<String>,
    buffers: Vec<Compared>,
}

/// A state buffer of which every `stride`-th number is compared.
#[derive(Serialize)]
struct Compared {
    what: &'static str,
    buffer: usize,
    stride: usize,
}

impl Check<'_> {
    /// Runs the check by the reference on the CPU. `input` gives the numbers of an input by the name of the step and its own,
    /// and their count.
    ///
    /// # Errors
    /// If `input` or the reference fails.
    pub fn run(
        &self,
        buffers: &[StateBuffer],
        values: &[Vec<f32>],
        input: impl Fn(&str, &str, usize) -> Result<Vec<f32>>,
        tensors: &mut Tensors,
    ) -> Result<Line> {
        let name = self.name;
        let mut reference =
            Reference::<f32>::new(buffers, self.steps.iter().map(|step| (*step).clone()).collect())?;
        for (buffer, numbers) in values.iter().enumerate() {
            reference.write_state(buffer, numbers)?;
        }
        for (index, step) in self.steps.iter().enumerate() {
            for (_, of, shape) in step.inputs() {
                let numbers = input(&step.name, of, shape.len())?;
                reference.write_input(index, of, &numbers)?;
                tensors.push((format!("{name}/{}/in/{of}", step.name), numbers));
            }
        }
        let all: Vec<usize> = (0..self.steps.len()).collect();
        reference.run(&all)?;
        for (index, step) in self.steps.iter().enumerate() {
            for (of, _) in &step.outputs {
                let numbers = reference.read_output(index, of)?;
                tensors.push((format!("{name}/{}/out/{of}", step.name), numbers));
            }
        }
        let mut compared = Vec::new();
        for &(what, buffer) in self.buffers.iter().filter(|(_, buffer)| buffers[*buffer].len > 0) {
            let stride = buffers[buffer].len.div_ceil(MOST);
            let numbers = reference.read_state(buffer)?.into_iter().step_by(stride).collect();
            tensors.push((format!("{name}/buffer/{buffer}"), numbers));
            compared.push(Compared { what, buffer, stride });
        }
        let steps = self.steps.iter().map(|step| step.name.clone()).collect();
        Ok(Line { name, steps, buffers: compared })
    }
}
