//! Numbers on their way from a device to the host.

use super::GpuExecutor;
use crate::real::Real;
use crate::{Error, Result};
use std::ops::Range;

impl<T: Real> GpuExecutor<T> {
    /// Reads numbers once all that was submitted is done.
    ///
    /// # Errors
    /// If the device fails.
    pub(super) fn read<N: bytemuck::Pod>(
        &mut self,
        from: &wgpu::Buffer,
        offset: u64,
        count: usize,
    ) -> Result<Vec<N>> {
        self.read_while(from, offset, count, &[])
    }

    /// Reads numbers while the device goes on with parts of steps.
    pub(super) fn read_while<N: bytemuck::Pod>(
        &mut self,
        from: &wgpu::Buffer,
        offset: u64,
        count: usize,
        parts: &[(usize, Range<usize>)],
    ) -> Result<Vec<N>> {
        let bytes = count * size_of::<N>();
        let size = (bytes as u64).max(4);
        let readback = match self.readback.take().filter(|buffer| buffer.size() >= size) {
            Some(buffer) => buffer,
            None => self.gpu.device.create_buffer(&wgpu::BufferDescriptor {
                label: Some("readback"),
                size,
                usage: wgpu::BufferUsages::MAP_READ | wgpu::BufferUsages::COPY_DST,
                mapped_at_creation: false,
            }),
        };
        let mut encoder = self.gpu.device.create_command_encoder(&wgpu::CommandEncoderDescriptor::default());
        encoder.copy_buffer_to_buffer(from, offset, &readback, 0, size);
        let copied = self.gpu.queue.submit([encoder.finish()]);
        let slice = readback.slice(..size);
        // A failure to map shows as an error of the poll or of the range below.
        slice.map_async(wgpu::MapMode::Read, |_| {});
        self.submit_parts(parts);
        self.poll(wgpu::PollType::Wait { submission_index: Some(copied), timeout: None })?;
        let view = slice
            .get_mapped_range()
            .map_err(|error| Error::Device(format!("{}: {error}", self.gpu.summary())))?;
        let numbers = bytemuck::pod_collect_to_vec(&view[..bytes]);
        drop(view);
        readback.unmap();
        self.readback = Some(readback);
        Ok(numbers)
    }
}
