//! Steps over shared state buffers, with the numbers they are run on, all of it from a seed.

use super::buffers::Buffers;
use super::difference::Difference;
use super::numbers::{Purpose, Rng};
use super::operations::operation;
use super::pool::Pool;
use super::updates::updates;
use mewgan::Result;
use mewgan::executor::Executor;
use mewgan::graph::{Graph, StateBuffer, Step, Update, Var};
use mewgan::random::stream;
use mewgan::real::Real;
use mewgan::reference::{Number, Reference};
use rand::RngExt;
use std::fmt::Write;

/// A draw is kept where single precision comes this close to double. Rounding a billion times finer then stays well below
/// what devices are held to: kinks met by chance, and variances of nothing, are drawn anew.
const WELL_CONDITIONED: f64 = 1e-4;

pub struct Case {
    pub buffers: Vec<StateBuffer>,
    pub steps: Vec<Step>,
    /// What each state buffer starts from.
    states: Vec<Vec<f64>>,
    runs: Vec<Run>,
}

/// Steps run in one call, after inputs (step, name, numbers) are written.
struct Run {
    inputs: Vec<(usize, String, Vec<f64>)>,
    steps: Vec<usize>,
}

/// What can be left out of a case, to see whether it fails without.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Part {
    Output { step: usize, index: usize },
    Update { step: usize, index: usize },
    Run(usize),
}

/// What a run leaves behind: a name, and numbers.
pub type Found = (String, Vec<f64>);

impl Case {
    /// The case of a seed, without some of its parts, and what the reference makes of it.
    pub fn draw(seed: u64, dropped: &[Part]) -> Result<(Self, Vec<Found>)> {
        for attempt in 0.. {
            let whole = Self::attempt(seed, attempt, &[])?;
            let expected = whole.reference::<f64>()?;
            let rounded = whole.reference::<f32>()?;
            if Difference::worst(&rounded, &expected).error <= WELL_CONDITIONED {
                if dropped.is_empty() {
                    return Ok((whole, expected));
                }
                let part = Self::attempt(seed, attempt, dropped)?;
                let expected = part.reference::<f64>()?;
                return Ok((part, expected));
            }
        }
        unreachable!("attempts do not end")
    }

    fn attempt(seed: u64, attempt: u64, dropped: &[Part]) -> Result<Self> {
        let mut rng = stream(seed, "graph", attempt);
        let mut buffers = Buffers::new();
        let (mut steps, mut inputs) = (Vec::new(), Vec::new());
        for step in 0..rng.random_range(1..=3) {
            let (drawn, of_step) = draw_step(step, &mut buffers, &mut rng, dropped)?;
            steps.push(drawn);
            inputs.push(of_step);
        }
        let (buffers, states) = buffers.finish(&mut rng);
        let mut runs: Vec<Run> = Vec::new();
        for index in 0..rng.random_range(3..=5) {
            let mut run = draw_run(&steps, &inputs, &mut rng, |step| !runs.iter().any(|run| run.wrote(step)));
            if dropped.contains(&Part::Run(index)) {
                run.steps.clear();
            }
            runs.push(run);
        }
        Ok(Self { buffers, steps, states, runs })
    }

    /// What the reference leaves behind in precision `T`: in f64, what is right.
    fn reference<T: Number>(&self) -> Result<Vec<Found>> {
        self.results(&mut Reference::<T>::new(&self.buffers, self.steps.clone())?)
    }

    /// What `executor`, made for the steps over the state buffers, leaves behind: after each run all state buffers and the outputs of every step
    /// that ran so far, for a later one must not change those of an earlier.
    pub fn results<T: Real>(&self, executor: &mut dyn Executor<T>) -> Result<Vec<Found>> {
        let narrow = |numbers: &[f64]| numbers.iter().map(|&x| T::from_f64(x)).collect::<Vec<T>>();
        let wide = |numbers: Vec<T>| numbers.into_iter().map(T::as_f64).collect::<Vec<f64>>();
        for (buffer, state) in self.states.iter().enumerate() {
            executor.write_state(buffer, &narrow(state))?;
        }
        let mut found = Vec::new();
        let mut ran = vec![false; self.steps.len()];
        for (index, run) in self.runs.iter().enumerate() {
            for (step, name, numbers) in &run.inputs {
                executor.write_input(*step, name, &narrow(numbers))?;
            }
            executor.run(&run.steps)?;
            run.steps.iter().for_each(|&step| ran[step] = true);
            for (step, of) in self.steps.iter().enumerate().filter(|(step, _)| ran[*step]) {
                for (name, _) in &of.outputs {
                    let numbers = wide(executor.read_output(step, name)?);
                    found.push((format!("run {index}, output {name} of {}", of.name), numbers));
                }
            }
            for buffer in 0..self.buffers.len() {
                found.push((
                    format!("run {index}, state buffer {buffer}"),
                    wide(executor.read_state(buffer)?),
                ));
            }
        }
        Ok(found)
    }

    /// All that can be left out.
    pub fn parts(&self) -> Vec<Part> {
        let runs = (0..self.runs.len()).map(Part::Run);
        let of_steps = self.steps.iter().enumerate().flat_map(|(step, of)| {
            let outputs = (0..of.outputs.len()).map(move |index| Part::Output { step, index });
            outputs.chain((0..of.updates.len()).map(move |index| Part::Update { step, index }))
        });
        runs.chain(of_steps).collect()
    }

    /// The steps and the runs in words.
    pub fn listing(&self) -> String {
        let mut text = String::new();
        for step in &self.steps {
            let _ = writeln!(text, "{}:", step.name);
            for (id, node) in step.nodes().iter().enumerate() {
                let _ = writeln!(text, "  {id}: {:?} {:?} -> {}", node.op, node.operands, node.shape);
            }
            step.outputs.iter().for_each(|(name, id)| {
                let _ = writeln!(text, "  output {name}: {id}");
            });
            step.updates.iter().for_each(|update| {
                let _ = writeln!(text, "  {update:?}");
            });
        }
        let runs: Vec<&Vec<usize>> = self.runs.iter().map(|run| &run.steps).collect();
        text + &format!("runs of steps {runs:?}\n")
    }
}

impl Run {
    fn wrote(&self, step: usize) -> bool {
        self.inputs.iter().any(|(of, ..)| *of == step)
    }
}

type Inputs = Vec<(String, Purpose, usize)>;

fn draw_step(at: usize, buffers: &mut Buffers, rng: &mut Rng, dropped: &[Part]) -> Result<(Step, Inputs)> {
    let graph = Graph::new();
    let mut pool = Pool::new(&graph, buffers, rng);
    for _ in 0..pool.below(14) + 4 {
        operation(&mut pool)?;
    }
    for _ in 0..pool.among(&[0, 1, 1, 2, 2]) {
        pool.differentiate()?;
        for _ in 0..pool.below(4) {
            operation(&mut pool)?;
        }
    }
    let updates: Vec<Update> = updates(&mut pool);
    let outputs = pool.outputs();
    let names: Vec<String> = (0..outputs.len()).map(|index| format!("y{index}")).collect();
    let outputs: Vec<(&str, Var<'_>)> = names.iter().map(String::as_str).zip(outputs).collect();
    let outputs = without(outputs, |index| dropped.contains(&Part::Output { step: at, index }));
    let updates = without(updates, |index| dropped.contains(&Part::Update { step: at, index }));
    let inputs = std::mem::take(&mut pool.inputs);
    Ok((Step::new(&format!("step{at}"), &graph, &outputs, updates)?, inputs))
}

fn without<T>(list: Vec<T>, dropped: impl Fn(usize) -> bool) -> Vec<T> {
    list.into_iter().enumerate().filter(|(index, _)| !dropped(*index)).map(|(_, item)| item).collect()
}

/// One to three steps; inputs of a step that is `new` are all written, of others some.
fn draw_run(steps: &[Step], inputs: &[Inputs], rng: &mut Rng, new: impl Fn(usize) -> bool) -> Run {
    let order: Vec<usize> = (0..rng.random_range(1..=3)).map(|_| rng.random_range(0..steps.len())).collect();
    let mut written = Vec::new();
    for step in (0..steps.len()).filter(|step| order.contains(step)) {
        for (name, purpose, len) in &inputs[step] {
            let numbers = purpose.draw(*len, rng);
            let keep = rng.random_bool(0.6);
            let is_read = steps[step].inputs().any(|(_, input, _)| input == name);
            if is_read && (keep || new(step)) {
                written.push((step, name.clone(), numbers));
            }
        }
    }
    Run { inputs: written, steps: order }
}
