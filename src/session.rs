//! Steps on a device, by name: what to write, run and read when a model of one's own is trained.
//!
//! ```
//! use mewgan::nn::{Init, Layer, Network};
//! use mewgan::optim::{Params, Sgd};
//! use mewgan::{device::Device, graph::Graph, session::Session, shape::Shape};
//!
//! # fn main() -> mewgan::Result<()> {
//! let mut params = Params::new(1);
//! let sgd = Sgd { lr: 0.1, momentum: 0.9, ..Sgd::default() };
//! let line = params.add(&[&Network::new("line", [Layer::linear(1, 1)])], Init::Uniform, sgd)?;
//!
//! let graph = Graph::new();
//! let [x, y] = ["x", "y"].map(|name| graph.input(name, Shape([3, 1, 1, 1])));
//! let modules = params.modules(&graph);
//! let loss = modules.forward("line", x)?.sub(y)?.square().mean();
//! let fit = modules.minimize("fit", loss, line, &[("loss", loss)])?;
//!
//! let mut session = Session::new(&Device::open("cpu")?, &params, vec![fit])?;
//! session.write("x", &[-1.0, 0.0, 1.0])?;
//! session.write("y", &[1.0, 3.0, 5.0])?;
//! for _ in 0..200 {
//!     session.run("fit")?;
//! }
//! assert!(session.read("loss")?[0] < 1e-6);
//! assert!((session.tensor("line.main.0.weight")?[0] - 2.0).abs() < 1e-3);
//! # Ok(())
//! # }
//! ```

use crate::device::Device;
use crate::executor::Executor;
use crate::optim::{Group, Optimizer, Params, TrainStep};
use crate::shape::Shape;
use crate::{Error, Result};

/// Steps over the parameters of [`Params`], made ready on a device.
pub struct Session {
    executor: Box<dyn Executor>,
    params: Params,
    /// Of each group: its optimizer as it is now, and how often it has updated.
    groups: Vec<(Optimizer, u64)>,
    steps: Vec<Prepared>,
    /// How many steps have run.
    runs: u64,
}

/// A step as the host knows it.
struct Prepared {
    name: String,
    group: Option<usize>,
    /// Name and shape of what the user writes, and whether that was done.
    inputs: Vec<(String, Shape, bool)>,
    outputs: Vec<String>,
    /// When it ran last, 0 before.
    ran: u64,
}

impl Prepared {
    fn new(TrainStep { step, group }: &TrainStep) -> Self {
        let own = |name: &str| group.is_some() && name == RATES;
        let inputs = step.inputs().filter(|(_, name, _)| !own(name));
        Self {
            name: step.name.clone(),
            group: group.map(Group::index),
            inputs: inputs.map(|(_, name, shape)| (name.to_owned(), shape, false)).collect(),
            outputs: step.outputs.iter().map(|(name, _)| name.clone()).collect(),
            ran: 0,
        }
    }
}

/// The input of a step that trains which the session writes itself.
const RATES: &str = "rates";

impl Session {
    /// Makes `steps` ready on `device`, with parameters as they are before training.
    ///
    /// # Errors
    /// If two steps have one name, a step is of other parameters, or the device is too small for them or fails.
    pub fn new(device: &Device, params: &Params, steps: Vec<TrainStep>) -> Result<Self> {
        let prepared: Vec<Prepared> = steps.iter().map(Prepared::new).collect();
        for (at, Prepared { name, .. }) in prepared.iter().enumerate() {
            if prepared[..at].iter().any(|other| other.name == *name) {
                return Err(Error::Input(format!("two steps are named {name}; give each its own name")));
            }
        }
        let groups: Vec<(Optimizer, u64)> =
            params.optimizers().into_iter().map(|optimizer| (optimizer, 0)).collect();
        if let Some(step) = prepared.iter().find(|step| step.group.is_some_and(|of| of >= groups.len())) {
            return Err(Error::Input(format!("step {} trains a group of other parameters", step.name)));
        }
        let steps = steps.into_iter().map(|of| of.step).collect();
        let mut executor = device.executor(params.buffers(), steps)?;
        for (buffer, values) in params.initial().iter().enumerate() {
            executor.write_state(buffer, values)?;
        }
        Ok(Self { executor, params: params.clone(), groups, steps: prepared, runs: 0 })
    }

    /// Writes the input `name` of every step that has it, in the layout of its shape.
    ///
    /// # Errors
    /// If no step has it, or its length differs.
    pub fn write(&mut self, name: &str, values: &[f32]) -> Result<()> {
        let mut found = false;
        for (at, step) in self.steps.iter_mut().enumerate() {
            for (_, _, written) in step.inputs.iter_mut().filter(|(input, ..)| input == name) {
                self.executor.write_input(at, name, values)?;
                (*written, found) = (true, true);
            }
        }
        let known = self.steps.iter().flat_map(|step| step.inputs.iter().map(|(input, ..)| input));
        if found { Ok(()) } else { Err(unknown("input", name, known)) }
    }

    /// Runs the step `name`; where it trains, with the learning rate and the other numbers of its optimizer's next update.
    ///
    /// # Errors
    /// If there is no such step, an input of it was never written, or the device fails.
    pub fn run(&mut self, name: &str) -> Result<()> {
        let Some(at) = self.steps.iter().position(|step| step.name == name) else {
            return Err(unknown("step", name, self.steps.iter().map(|step| &step.name)));
        };
        let step = &mut self.steps[at];
        if let Some((input, shape, _)) = step.inputs.iter().find(|(.., written)| !written) {
            let problem = format!("{name}: its input {input} {shape} was never written; write it first");
            return Err(Error::Input(problem));
        }
        if let Some(group) = step.group {
            let (optimizer, updates) = &mut self.groups[group];
            let rates: Vec<f32> = optimizer.rates(*updates + 1).iter().map(|&rate| rate as f32).collect();
            self.executor.write_input(at, RATES, &rates)?;
            *updates += 1;
        }
        self.executor.run(&[at])?;
        self.runs += 1;
        step.ran = self.runs;
        Ok(())
    }

    /// The output `name` of the step that ran last among those that have it.
    ///
    /// # Errors
    /// If no step has it or none of them has run, or the device fails.
    pub fn read(&mut self, name: &str) -> Result<Vec<f32>> {
        let having =
            self.steps.iter().enumerate().filter(|(_, step)| step.outputs.iter().any(|of| of == name));
        match having.max_by_key(|(_, step)| step.ran) {
            Some((at, step)) if step.ran > 0 => self.executor.read_output(at, name),
            Some((_, step)) => {
                Err(Error::Input(format!("{name}: no step that gives it has run; run {} first", step.name)))
            }
            None => Err(unknown("output", name, self.steps.iter().flat_map(|step| &step.outputs))),
        }
    }

    /// The numbers of a parameter or running statistic, in PyTorch's layout: of a network by its name and PyTorch's, such as
    /// `generator.main.0.weight`; a loose tensor by its own, as its shape has it.
    ///
    /// # Errors
    /// If there is none of that name, or the device fails.
    pub fn tensor(&mut self, name: &str) -> Result<Vec<f32>> {
        let place = self.params.place(name).ok_or_else(|| Error::Input(format!("no tensor named {name}")))?;
        let values = self.executor.read_state(place.buffer)?;
        let values = self.params.buffers()[place.buffer].view(&values, place.index);
        Ok(match place.parameter {
            None => values.to_vec(),
            Some(parameter) => {
                let mut entries = parameter.to_torch(values).into_iter();
                let found = entries.find(|(entry, ..)| name.ends_with(&format!(".{entry}")));
                found.map(|(.., numbers)| numbers).unwrap_or_default()
            }
        })
    }

    /// Changes the learning rate of a group from its next update on.
    ///
    /// # Errors
    /// If the group is of other parameters, or the rate is negative or not finite.
    pub fn set_lr(&mut self, group: Group, lr: f64) -> Result<()> {
        self.params.group(group)?;
        let (optimizer, _) = &mut self.groups[group.index()];
        let mut changed = *optimizer;
        *changed.lr_mut() = lr;
        changed.check()?;
        *optimizer = changed;
        Ok(())
    }

    /// What runs the steps, which have their order of [`Session::new`], over the state buffers of [`Params::buffers`].
    pub fn executor(&mut self) -> &mut dyn Executor {
        &mut *self.executor
    }
}

/// The error of a name that nothing has.
fn unknown<'a>(what: &str, name: &str, known: impl Iterator<Item = &'a String>) -> Error {
    let mut known: Vec<&str> = known.map(String::as_str).collect();
    known.sort_unstable();
    known.dedup();
    Error::Input(format!("no {what} named {name}; there are: {}", known.join(", ")))
}
