//! Whole training iterations, and where their time goes.

use super::Task;
use super::report::{Group, Iteration, Subject};
use crate::Result;
use crate::device::Device;
use crate::executor::Executor;
use crate::measure::{Effort, Spread};
use crate::models::system::System;
use std::cell::RefCell;
use std::rc::Rc;
use std::time::Instant;

/// A preset's training on a device, begun.
pub struct Running {
    executor: Rc<RefCell<Box<dyn Executor>>>,
    /// Names of its steps.
    steps: Vec<String>,
}

/// What an iteration is in the list of rows.
pub fn subject(system: &System) -> Subject {
    Subject {
        flops: system.flops(),
        used_by: vec![system.name.clone()],
        ..Subject::new(Group::Steps, &system.name, "")
    }
}

/// Makes a preset's training ready, and the task of one iteration.
///
/// # Errors
/// If the device is too small for it, or fails.
pub fn start(device: &Device, system: &System) -> Result<(Running, Task)> {
    let mut executor = device.executor(system.buffers(), system.steps())?;
    system.begin(&mut *executor)?;
    let executor = Rc::new(RefCell::new(executor));
    let steps: Vec<String> = system.phases.iter().map(|phase| phase.step.name.clone()).collect();
    let running = Running { executor: Rc::clone(&executor), steps };
    let all: Vec<usize> = (0..running.steps.len()).collect();
    let work = move |times| {
        let mut executor = executor.borrow_mut();
        (0..times).try_for_each(|_| executor.run(&all))?;
        executor.wait()
    };
    Ok((running, Task { subject: subject(system), work: Box::new(work) }))
}

impl Running {
    /// Where the time of an iteration goes that takes `seconds` in all. Every figure is a median over several iterations.
    ///
    /// # Errors
    /// If the device fails.
    pub fn explain(&self, device: &Device, seconds: f64, effort: Effort) -> Result<Iteration> {
        let mut executor = self.executor.borrow_mut();
        let steps: Vec<usize> = (0..self.steps.len()).collect();
        let (mut parts, mut hosts) = ([const { Vec::new() }; 3], Vec::new());
        let mut dispatches = Vec::new();
        let start = Instant::now();
        while hosts.is_empty() || (hosts.len() < effort.most && start.elapsed().as_secs_f64() < effort.budget)
        {
            let mut sums = [0.0; 3];
            dispatches.clear();
            for (&step, name) in steps.iter().zip(&self.steps) {
                let timings = executor.profile(step)?;
                timings.iter().for_each(|timing| sums[part(&timing.op)] += timing.seconds);
                dispatches.push((name.clone(), timings.len()));
            }
            parts.iter_mut().zip(sums).for_each(|(part, sum)| part.push(sum));
            hosts.push(match device {
                Device::Cpu { .. } => 0.0,
                Device::Gpu(_) => submission(&mut **executor, &steps)?,
            });
        }
        let [contractions, norms, rest] = parts.map(|part| Spread::of(&part).median);
        let host = Spread::of(&hosts).median;
        let waiting = (seconds - host).max(0.0);
        Ok(Iteration { contractions, norms, rest, host, waiting, dispatches, memory: executor.bytes() })
    }
}

/// Seconds until an iteration is on its way to an idle device.
fn submission(executor: &mut dyn Executor, steps: &[usize]) -> Result<f64> {
    executor.wait()?;
    let start = Instant::now();
    executor.run(steps)?;
    let seconds = start.elapsed().as_secs_f64();
    executor.wait()?;
    Ok(seconds)
}

/// Contractions, norms, and the rest.
fn part(op: &str) -> usize {
    match op {
        "conv2d" | "conv_transpose2d" | "conv2d_weight_grad" => 0,
        "moments" | "normalize" | "normalize_grad_sums" | "normalize_grad" => 1,
        _ => 2,
    }
}
