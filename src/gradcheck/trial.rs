//! One thing to compute, with the numbers it is computed from, so that it can be repeated on any executor.

use crate::Result;
use crate::executor::Executor;
use crate::graph::{Graph, StateBuffer, Step, Update, Var, gradients};
use crate::random::stream;
use crate::real::{Precision, Real};
use crate::reference::{Number, Reference};
use crate::shape::Shape;
use rand::RngExt;
use serde::Serialize;
use std::fmt;

/// Where the numbers of a case's operands lie.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Draw {
    /// In +-(0.1, 1).
    Unit,
    /// In +-(1e-6, 1e-2), evenly over the orders of magnitude.
    Small,
    /// In +-(10, 30).
    Large,
    /// As [`Draw::Unit`], but the first operand holds NaN, both infinities and both zeros, as far as it has room.
    Special,
}

impl Draw {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Unit, Self::Small, Self::Large, Self::Special];

    /// So many numbers for operand `index`, all of which f32 holds exactly.
    pub fn numbers(self, len: usize, index: usize) -> Vec<f64> {
        let mut numbers = draw(len, index);
        let single = |x: f64| f64::from(x as f32);
        match self {
            Self::Unit => {}
            Self::Small => {
                numbers.iter_mut().for_each(|x| *x = single(x.signum() * 10f64.powf(-6.4 + 4.4 * x.abs())));
            }
            Self::Large => numbers.iter_mut().for_each(|x| *x = single(x.signum() * (8.0 + 22.0 * x.abs()))),
            Self::Special if index == 0 => {
                let special = [f64::NAN, f64::INFINITY, f64::NEG_INFINITY, 0.0, -0.0];
                let step = len.div_ceil(special.len());
                numbers.iter_mut().step_by(step).zip(special).for_each(|(x, special)| *x = special);
            }
            Self::Special => {}
        }
        numbers
    }
}

impl fmt::Display for Draw {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Unit => "0.1 to 1",
            Self::Small => "1e-6 to 1e-2",
            Self::Large => "10 to 30",
            Self::Special => "NaN, infinities and zeros",
        })
    }
}

/// Numbers in +-(0.1, 1), which f32 holds exactly: away from the kinks of ReLU and |x|, and from the pole of 1 / x.
pub fn draw(len: usize, index: usize) -> Vec<f64> {
    let mut rng = stream(7, "gradcheck", index as u64);
    let sign = |positive: bool| if positive { 1.0 } else { -1.0 };
    (0..len).map(|_| f64::from(rng.random_range(0.1f32..1.0) * sign(rng.random()))).collect()
}

/// What a trial leaves behind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// The function's value.
    Value,
    /// The gradient of `sum(value * weights)`, with random weights, to one of the operands.
    Gradient(usize),
    /// A state buffer after the updates.
    StateBuffer(usize),
}

impl fmt::Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Value => write!(f, "value"),
            Self::Gradient(operand) => write!(f, "gradient {operand}"),
            Self::StateBuffer(buffer) => write!(f, "state buffer {buffer}"),
        }
    }
}

/// A step with the numbers it starts from.
pub struct Trial {
    /// The value and the gradients, or the updates.
    pub step: Step,
    /// The value alone, or the updates.
    pub forward: Step,
    /// The state that updates change.
    pub buffers: Vec<StateBuffer>,
    /// How contractions are to be computed.
    precision: Precision,
    /// Numbers of each state buffer.
    states: Vec<Vec<f64>>,
    /// Numbers of each input: the operands by their place, and the weights.
    inputs: Vec<(String, Vec<f64>)>,
}

/// The name of the input that weighs the value.
const WEIGHTS: &str = "weights";

impl Trial {
    /// `f` of operands of these shapes and numbers, and its gradient to each.
    ///
    /// # Errors
    /// If the shapes do not fit `f`, or it has no gradients.
    pub fn function(
        shapes: &[[usize; 4]],
        values: &[Vec<f64>],
        f: impl for<'g> Fn(&[Var<'g>]) -> Result<Var<'g>>,
    ) -> Result<Self> {
        let graph = Graph::new();
        let operands: Vec<Var<'_>> =
            shapes.iter().enumerate().map(|(i, shape)| graph.input(&i.to_string(), Shape(*shape))).collect();
        let y = f(&operands)?;
        let loss = y.mul(graph.input(WEIGHTS, y.shape()))?.sum();
        let found = gradients(loss, &operands)?;
        let names: Vec<String> =
            (0..found.len()).map(|operand| Part::Gradient(operand).to_string()).collect();
        let value = Part::Value.to_string();
        let mut outputs = vec![(value.as_str(), y)];
        outputs.extend(names.iter().map(String::as_str).zip(found));
        let mut inputs: Vec<(String, Vec<f64>)> =
            (0..).zip(values).map(|(i, values): (usize, _)| (i.to_string(), values.clone())).collect();
        inputs.push((WEIGHTS.to_owned(), draw(y.shape().len(), 99)));
        Ok(Self {
            step: Step::new("gradients", &graph, &outputs, vec![])?,
            forward: Step::new("value", &graph, &outputs[..1], vec![])?,
            buffers: vec![],
            precision: Precision::F32,
            states: vec![],
            inputs,
        })
    }

    /// Updates of state buffers that hold these numbers, by inputs of these numbers.
    ///
    /// # Errors
    /// If an update's node has a wrong shape.
    pub fn updates(
        graph: &Graph,
        updates: Vec<Update>,
        buffers: Vec<(StateBuffer, Vec<f64>)>,
        inputs: &[(&str, Vec<f64>)],
    ) -> Result<Self> {
        let step = Step::new("updates", graph, &[], updates)?;
        let (buffers, states) = buffers.into_iter().unzip();
        let inputs = inputs.iter().map(|(name, values)| ((*name).to_owned(), values.clone())).collect();
        Ok(Self { forward: step.clone(), step, buffers, precision: Precision::F32, states, inputs })
    }

    /// The same with contractions in this precision.
    pub fn in_precision(self, precision: Precision) -> Self {
        Self { precision, ..self }
    }

    /// What `executor`, made for the step over the state buffers, leaves behind.
    ///
    /// # Errors
    /// If the device fails.
    pub fn results<T: Real>(&self, executor: &mut dyn Executor<T>) -> Result<Vec<(Part, Vec<f64>)>> {
        for (buffer, state) in self.states.iter().enumerate() {
            executor.write_state(buffer, &narrow(state))?;
        }
        for (name, values) in self.used(&self.step) {
            executor.write_input(0, name, &narrow(values))?;
        }
        executor.run(&[0])?;
        let wide = |numbers: Vec<T>| numbers.into_iter().map(T::as_f64).collect();
        let outputs = (0..self.step.outputs.len()).map(|at| match at {
            0 => Part::Value,
            operand => Part::Gradient(operand - 1),
        });
        let mut results = Vec::new();
        for part in outputs {
            results.push((part, wide(executor.read_output(0, &part.to_string())?)));
        }
        for buffer in 0..self.buffers.len() {
            results.push((Part::StateBuffer(buffer), wide(executor.read_state(buffer)?)));
        }
        Ok(results)
    }

    /// What the reference leaves behind in numbers of type `T`: in f64, what is right.
    ///
    /// # Errors
    /// None that a trial which could be made gives.
    pub fn reference<T: Number>(&self) -> Result<Vec<(Part, Vec<f64>)>> {
        let reference = Reference::<T>::new(&self.buffers, vec![self.step.clone()])?;
        self.results(&mut reference.with_precision(self.precision))
    }

    /// What the value is weighed by.
    pub(super) fn weights(&self) -> &[f64] {
        self.inputs.iter().find(|(name, _)| name == WEIGHTS).map_or(&[], |(_, values)| values)
    }

    /// The inputs that `step` reads: a result need not depend on every operand.
    pub(super) fn used<'a>(&'a self, step: &'a Step) -> impl Iterator<Item = (&'a str, &'a [f64])> {
        let inputs = self.inputs.iter().map(|(name, values)| (name.as_str(), values.as_slice()));
        inputs.filter(|(name, _)| step.inputs().any(|(_, input, _)| input == *name))
    }
}

fn narrow<T: Real>(values: &[f64]) -> Vec<T> {
    values.iter().map(|&value| T::from_f64(value)).collect()
}
