//! What the reference makes of given inputs, so that the page can tell whether a visitor's GPU computes the same.

use super::files::Tensors;
use crate::Result;
use crate::executor::Executor;
use crate::graph::{Bank, Step};
use crate::reference::Reference;
use serde::Serialize;

/// Most numbers of a bank that are compared.
const MOST: usize = 1 << 16;

/// Steps that run one after another from the checkpoint's state, and the banks they change that are looked at.
pub struct Check<'a> {
    pub name: &'static str,
    pub steps: Vec<&'a Step>,
    pub banks: Vec<(&'static str, usize)>,
}

/// A check as the page finds it; its numbers are `CHECK/STEP/in/INPUT`, `CHECK/STEP/out/OUTPUT` and `CHECK/bank/BANK`.
#[derive(Serialize)]
pub struct Line {
    name: &'static str,
    steps: Vec<String>,
    banks: Vec<Compared>,
}

/// A bank of which every `stride`-th number is compared.
#[derive(Serialize)]
struct Compared {
    what: &'static str,
    bank: usize,
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
        banks: &[Bank],
        values: &[Vec<f32>],
        input: impl Fn(&str, &str, usize) -> Result<Vec<f32>>,
        tensors: &mut Tensors,
    ) -> Result<Line> {
        let name = self.name;
        let mut reference =
            Reference::<f32>::new(banks, self.steps.iter().map(|step| (*step).clone()).collect())?;
        for (bank, numbers) in values.iter().enumerate() {
            reference.write_bank(bank, numbers)?;
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
        for &(what, bank) in self.banks.iter().filter(|(_, bank)| banks[*bank].len > 0) {
            let stride = banks[bank].len.div_ceil(MOST);
            let numbers = reference.read_bank(bank)?.into_iter().step_by(stride).collect();
            tensors.push((format!("{name}/bank/{bank}"), numbers));
            compared.push(Compared { what, bank, stride });
        }
        let steps = self.steps.iter().map(|step| step.name.clone()).collect();
        Ok(Line { name, steps, banks: compared })
    }
}
