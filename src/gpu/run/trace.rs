//! Infinities and NaN: looked for in the state buffers, and followed to the dispatch that first gives one.

use super::GpuExecutor;
use crate::executor::Executor;
use crate::gpu::finite::STRIDE;
use crate::real::Real;
use crate::{Error, Result};

impl<T: Real> GpuExecutor<T> {
    /// As [`Executor::non_finite`]; in double precision, which the kernel does not know, the state buffers are read.
    pub(super) fn first_non_finite(&mut self) -> Result<Option<(usize, usize)>> {
        let Some(program) = self.finite else {
            for state_buffer in 0..self.state_lens.len() {
                if let Some(at) = self.read_state(state_buffer)?.iter().position(|number| !number.is_finite())
                {
                    return Ok(Some((state_buffer, at)));
                }
            }
            return Ok(None);
        };
        let found = self.steps[program].results[0].clone();
        self.clear([&found]);
        self.submit([(program, 0..self.steps[program].dispatches.len())]);
        let left: Vec<u32> = self.read(&found, 0, (found.size() / 4) as usize)?;
        let left = left.into_iter().step_by((STRIDE / 4) as usize);
        let mut bad = self.state_lens.iter().zip(left).enumerate().filter(|(_, (_, left))| *left > 0);
        Ok(bad.next().map(|(state_buffer, (len, left))| (state_buffer, len - left as usize)))
    }

    /// Runs a step, a dispatch at a time, and looks at all that each one binds: what it read has been looked at before.
    ///
    /// # Errors
    /// [`Error::NotFinite`] of the first dispatch with an infinity or NaN, or if the device fails.
    pub(super) fn traced(&mut self, step: usize) -> Result<()> {
        self.upload(step);
        // Nothing of earlier runs is left where the step works.
        self.clear(self.pool.iter().chain(&self.steps[step].results));
        for index in 0..self.steps[step].dispatches.len() {
            self.exchange_before(step, index)?;
            self.submit([(step, index..index + 1)]);
            let dispatch = self.steps[step].program.dispatches[index].clone();
            for (region, shape) in dispatch.bindings.iter().zip(dispatch.shapes) {
                let buffer = self.buffer(step, region.buffer).clone();
                let values: Vec<T> =
                    self.read(&buffer, region.offset, region.size as usize / size_of::<T>())?;
                if let Some(&value) = values.iter().find(|value| !value.is_finite()) {
                    let (op, value) = (dispatch.op, value.as_f64());
                    let step = self.steps[step].program.name.clone();
                    return Err(Error::NotFinite { op, step, value, shape: shape.0 });
                }
            }
        }
        self.exchange_before(step, self.steps[step].dispatches.len())?;
        self.wait()
    }

    fn clear<'a>(&self, buffers: impl IntoIterator<Item = &'a wgpu::Buffer>) {
        let mut encoder = self.gpu.device.create_command_encoder(&wgpu::CommandEncoderDescriptor::default());
        buffers.into_iter().for_each(|buffer| encoder.clear_buffer(buffer, 0, None));
        self.gpu.queue.submit([encoder.finish()]);
    }
}
