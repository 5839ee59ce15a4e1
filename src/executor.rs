//! What every device offers: state buffers of state, steps made ready once, runs, and results.

pub(crate) mod exchange;

use crate::ranks::Ranks;
use crate::{Error, Result};
use std::ops::Range;

/// What an operation of a step took.
#[derive(Clone, Debug)]
pub struct Timing {
    /// The operation, by name.
    pub op: String,
    /// How long it took.
    pub seconds: f64,
}

/// A set of steps over one set of state buffers, ready to run on some device with numbers of type `T`.
///
/// Steps and state buffers are named by their index in the order given when the executor was made; an index beyond these is an
/// [`Error::Input`].
pub trait Executor<T = f32>: Send {
    /// Writes an input of a step, in the layout of its shape.
    ///
    /// # Errors
    /// If the step has no such input, or its length differs.
    fn write_input(&mut self, step: usize, name: &str, values: &[T]) -> Result<()>;

    /// Runs steps in order, each with the inputs last written. The results stay on the device.
    ///
    /// # Errors
    /// If the device fails.
    fn run(&mut self, steps: &[usize]) -> Result<()>;

    /// Waits until everything run so far is done.
    ///
    /// # Errors
    /// If the device failed.
    fn wait(&mut self) -> Result<()>;

    /// Runs a step with each of its operations (on a GPU: of its dispatches) by itself, and times them in order.
    ///
    /// # Errors
    /// If the device fails.
    fn profile(&mut self, step: usize) -> Result<Vec<Timing>>;

    /// The value of an output after the step's last run.
    ///
    /// # Errors
    /// If the step has no such output or the device fails.
    fn read_output(&mut self, step: usize, name: &str) -> Result<Vec<T>>;

    /// All numbers of a state buffer.
    ///
    /// # Errors
    /// If the device fails.
    fn read_state(&mut self, buffer: usize) -> Result<Vec<T>>;

    /// Replaces all numbers of a state buffer.
    ///
    /// # Errors
    /// If the length differs or the device fails.
    fn write_state(&mut self, buffer: usize, values: &[T]) -> Result<()>;

    /// The first number of the state buffers that is infinite or NaN, as state buffer and place within it; looked for on the device.
    ///
    /// # Errors
    /// If the device fails.
    fn non_finite(&mut self) -> Result<Option<(usize, usize)>>;

    /// While on, runs look at the result of each operation and fail with [`Error::NotFinite`]
    /// at the first that has an infinity or NaN in it: slow, to find out where they come from.
    fn detect_anomaly(&mut self, on: bool);

    /// Has steps exchange numbers with these ranks from now on.
    fn join(&mut self, ranks: &Ranks);

    /// Bytes of device memory this executor holds.
    fn bytes(&self) -> usize;
}

/// Refuses the index of a step or state buffer that is not there.
pub(crate) fn known(what: &str, index: usize, count: usize) -> Result<()> {
    if index < count {
        return Ok(());
    }
    Err(Error::Input(format!("there is no {what} {index}; this executor has {count}, counted from 0")))
}

/// Runs step `step` on all `values` of its input `input`, `at_once` numbers at a time; the last batch is filled up with the first
/// ones. Returns the `outputs`, of each its numbers for `values`.
pub(crate) fn in_batches(
    executor: &mut dyn Executor,
    step: usize,
    input: &str,
    (values, at_once): (&[f32], usize),
    outputs: &[impl AsRef<str>],
) -> Result<Vec<Vec<f32>>> {
    let mut all = vec![Vec::new(); outputs.len()];
    for batch in values.chunks(at_once) {
        let filled: Vec<f32> = batch.iter().chain(values.iter().cycle()).copied().take(at_once).collect();
        executor.write_input(step, input, &filled)?;
        executor.run(&[step])?;
        for (all, output) in all.iter_mut().zip(outputs) {
            let computed = executor.read_output(step, output.as_ref())?;
            all.extend_from_slice(&computed[..computed.len() * batch.len() / at_once]);
        }
    }
    Ok(all)
}

/// Splits `0..count` into ranges of at most `size`.
pub(crate) fn blocks(count: usize, size: usize) -> Vec<Range<usize>> {
    (0..count).step_by(size.max(1)).map(|start| start..(start + size.max(1)).min(count)).collect()
}
