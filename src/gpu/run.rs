//! Replaying programs on a wgpu device: the only room that touches its queue.
//!
//! Pipelines, buffers and bind groups are made once. A run writes the inputs, records one pass, submits once and
//! makes no buffer; results stay on the device until somebody reads them.

mod exchange;
mod load;
mod profile;
mod readback;
mod trace;

use super::device::Gpu;
use super::program::{Buffer, Program, Region};
use super::submissions::submissions;
use crate::executor::{Executor, Timing, known};
use crate::ranks::Ranks;
use crate::real::Real;
use crate::{Error, Result};
use std::collections::VecDeque;
use std::ops::Range;

/// Submissions the host may be ahead of the device.
const IN_FLIGHT: usize = 3;

const STORAGE: wgpu::BufferUsages =
    wgpu::BufferUsages::STORAGE.union(wgpu::BufferUsages::COPY_SRC).union(wgpu::BufferUsages::COPY_DST);

/// Steps ready to run on a GPU, in numbers of type `T`.
pub struct GpuExecutor<T = f32> {
    gpu: Gpu,
    state_buffers: Vec<wgpu::Buffer>,
    state_lens: Vec<usize>,
    pool: Vec<wgpu::Buffer>,
    pipelines: Vec<wgpu::ComputePipeline>,
    /// The steps, and behind them the program that looks for numbers that are not finite.
    steps: Vec<Loaded<T>>,
    /// Which program that is, in single precision and where there are state buffers.
    finite: Option<usize>,
    in_flight: VecDeque<wgpu::SubmissionIndex>,
    readback: Option<wgpu::Buffer>,
    ranks: Ranks,
    tracing: bool,
}

/// A program with its memory.
struct Loaded<T> {
    program: Program,
    inputs: wgpu::Buffer,
    /// What will be written to `inputs` at the next run.
    staged: Vec<T>,
    constants: wgpu::Buffer,
    results: Vec<wgpu::Buffer>,
    /// Of the executor's pool, the buffer of each of the program's slots.
    slots: Vec<usize>,
    /// Pipeline (of the executor), bindings and grid.
    dispatches: Vec<(usize, wgpu::BindGroup, [u32; 3])>,
    /// The work of each.
    work: Vec<u64>,
}

impl<T> Loaded<T> {
    /// One of its buffers, of which it shares `pool` and `state_buffers` with others.
    fn buffer<'a>(
        &'a self,
        pool: &'a [wgpu::Buffer],
        state_buffers: &'a [wgpu::Buffer],
        buffer: Buffer,
    ) -> &'a wgpu::Buffer {
        match buffer {
            Buffer::Pool(slot) => &pool[self.slots[slot]],
            Buffer::Result(result) => &self.results[result],
            Buffer::Inputs => &self.inputs,
            Buffer::Constants => &self.constants,
            Buffer::State(state_buffer) => &state_buffers[state_buffer],
        }
    }
}

impl<T: Real> GpuExecutor<T> {
    /// Refuses what is no step; the program behind them is none.
    fn known_steps(&self, steps: &[usize]) -> Result<()> {
        let count = self.finite.unwrap_or(self.steps.len());
        steps.iter().try_for_each(|&step| known("step", step, count))
    }

    /// A buffer of a step.
    fn buffer(&self, step: usize, buffer: Buffer) -> &wgpu::Buffer {
        self.steps[step].buffer(&self.pool, &self.state_buffers, buffer)
    }

    /// Writes numbers to a place of a step.
    fn write(&self, step: usize, to: Region, values: &[T]) {
        self.gpu.queue.write_buffer(self.buffer(step, to.buffer), to.offset, bytemuck::cast_slice(values));
    }

    /// Sends the inputs last written for a step.
    fn upload(&self, step: usize) {
        let Loaded { inputs, staged, .. } = &self.steps[step];
        self.gpu.queue.write_buffer(inputs, 0, bytemuck::cast_slice(staged));
    }

    /// Submits parts of steps, as much at once as may be, and returns the last submission.
    fn submit_parts(&self, parts: &[(usize, Range<usize>)]) -> Option<wgpu::SubmissionIndex> {
        let work: Vec<&[u64]> =
            parts.iter().map(|(step, part)| &self.steps[*step].work[part.clone()]).collect();
        let mut submitted = None;
        for submission in submissions(&work).into_iter().filter(|submission| !submission.is_empty()) {
            let within = submission.into_iter().map(|(at, Range { start, end })| {
                let (step, part) = &parts[at];
                (*step, part.start + start..part.start + end)
            });
            submitted = Some(self.submit(within));
        }
        submitted
    }

    /// Submits some dispatches, by the number of their step, in one pass.
    fn submit(&self, parts: impl IntoIterator<Item = (usize, Range<usize>)>) -> wgpu::SubmissionIndex {
        let mut encoder = self.gpu.device.create_command_encoder(&wgpu::CommandEncoderDescriptor::default());
        {
            let mut pass = encoder.begin_compute_pass(&wgpu::ComputePassDescriptor::default());
            parts.into_iter().for_each(|(step, dispatches)| self.record(&mut pass, step, dispatches));
        }
        self.gpu.queue.submit([encoder.finish()])
    }

    /// Records some of a step's dispatches.
    fn record(&self, pass: &mut wgpu::ComputePass<'_>, step: usize, dispatches: Range<usize>) {
        for (pipeline, group, [x, y, z]) in &self.steps[step].dispatches[dispatches] {
            pass.set_pipeline(&self.pipelines[*pipeline]);
            pass.set_bind_group(0, group, &[]);
            pass.dispatch_workgroups(*x, *y, *z);
        }
    }

    fn poll(&self, kind: wgpu::PollType) -> Result<()> {
        let polled = self.gpu.device.poll(kind);
        self.gpu.check()?;
        polled.map(drop).map_err(|error| Error::Device(format!("{}: {error}", self.gpu.summary())))
    }
}

impl<T: Real> Executor<T> for GpuExecutor<T> {
    fn write_input(&mut self, step: usize, name: &str, values: &[T]) -> Result<()> {
        self.known_steps(&[step])?;
        let loaded = &mut self.steps[step];
        let title = &loaded.program.name;
        let (_, offset, count) = loaded
            .program
            .inputs
            .iter()
            .find(|(input, ..)| input == name)
            .ok_or_else(|| Error::Input(format!("{title}: no input named {name}")))?;
        if values.len() != *count {
            return Err(Error::Input(format!(
                "{title}: input {name} is {count} numbers, not {}",
                values.len()
            )));
        }
        let at = *offset as usize / size_of::<T>();
        loaded.staged[at..at + count].copy_from_slice(values);
        Ok(())
    }

    fn run(&mut self, steps: &[usize]) -> Result<()> {
        self.known_steps(steps)?;
        if self.tracing {
            return steps.iter().try_for_each(|&step| self.traced(step));
        }
        steps.iter().for_each(|&step| self.upload(step));
        let (mut parts, mut begun) = (Vec::new(), 0);
        for (at, &step) in steps.iter().enumerate() {
            let mut start = std::mem::take(&mut begun);
            let crossings = self.steps[step].program.exchanges.clone();
            for (index, crossing) in crossings.iter().enumerate() {
                if crossing.after > start {
                    parts.push((step, start..crossing.after));
                    start = crossing.after;
                }
                self.submit_parts(&std::mem::take(&mut parts));
                // The device goes on with the next step meanwhile, as far as that does not depend on this one's last exchange.
                let next = steps.get(at + 1).filter(|_| index + 1 == crossings.len());
                let ahead = next.map(|&next| (next, 0..self.independent(step, crossing, next)));
                begun = ahead.as_ref().map_or(0, |(_, part)| part.end);
                self.exchange(step, crossing, ahead.as_slice())?;
            }
            parts.push((step, start..self.steps[step].dispatches.len()));
        }
        let submitted = self.submit_parts(&parts);
        self.in_flight.extend(submitted);
        if self.in_flight.len() > IN_FLIGHT {
            let oldest = self.in_flight.pop_front();
            self.poll(wgpu::PollType::Wait { submission_index: oldest, timeout: None })?;
        }
        self.gpu.check()
    }

    fn wait(&mut self) -> Result<()> {
        self.in_flight.clear();
        self.poll(wgpu::PollType::wait_indefinitely())
    }

    fn profile(&mut self, step: usize) -> Result<Vec<Timing>> {
        let seconds = self.seconds(step)?;
        let ops = self.steps[step].program.dispatches.iter().map(|dispatch| dispatch.op.clone());
        Ok(ops.zip(seconds).map(|(op, seconds)| Timing { op, seconds }).collect())
    }

    fn read_output(&mut self, step: usize, name: &str) -> Result<Vec<T>> {
        self.known_steps(&[step])?;
        let loaded = &self.steps[step];
        let (_, region, count) = loaded
            .program
            .outputs
            .iter()
            .find(|(output, ..)| output == name)
            .ok_or_else(|| Error::Input(format!("{}: no output named {name}", loaded.program.name)))?;
        let (offset, count) = (region.offset, *count);
        if let Buffer::Pool(_) = region.buffer {
            return Err(Error::Device(format!("{}: {name} was not kept", loaded.program.name)));
        }
        let buffer = self.buffer(step, region.buffer).clone();
        self.read(&buffer, offset, count)
    }

    fn read_state(&mut self, state_buffer: usize) -> Result<Vec<T>> {
        known("state buffer", state_buffer, self.state_buffers.len())?;
        let buffer = self.state_buffers[state_buffer].clone();
        self.read(&buffer, 0, self.state_lens[state_buffer])
    }

    fn write_state(&mut self, state_buffer: usize, values: &[T]) -> Result<()> {
        known("state buffer", state_buffer, self.state_buffers.len())?;
        if values.len() != self.state_lens[state_buffer] {
            return Err(Error::Input(format!(
                "state buffer {state_buffer} holds {} numbers, not {}",
                self.state_lens[state_buffer],
                values.len()
            )));
        }
        self.gpu.queue.write_buffer(&self.state_buffers[state_buffer], 0, bytemuck::cast_slice(values));
        self.gpu.check()
    }

    fn non_finite(&mut self) -> Result<Option<(usize, usize)>> {
        self.first_non_finite()
    }

    fn detect_anomaly(&mut self, on: bool) {
        self.tracing = on;
    }

    fn join(&mut self, ranks: &Ranks) {
        self.ranks = ranks.clone();
    }

    fn bytes(&self) -> usize {
        let of_steps =
            self.steps.iter().flat_map(|step| step.results.iter().chain([&step.inputs, &step.constants]));
        let all = self.state_buffers.iter().chain(&self.pool).chain(of_steps);
        all.map(|buffer| buffer.size() as usize).sum()
    }
}
