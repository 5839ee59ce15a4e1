//! How long each dispatch of a step takes.

use super::GpuExecutor;
use crate::Result;
use crate::executor::{Executor, blocks};
use crate::gpu::program::Program;
use crate::real::Real;
use std::ops::Range;
use std::time::Instant;

/// Dispatches timed by one set of queries, two of at most 4096 each.
const TIMED: usize = 2048;

impl<T: Real> GpuExecutor<T> {
    /// What a step is on this device.
    ///
    /// # Errors
    /// If there is no such step.
    pub fn program(&self, step: usize) -> Result<&Program> {
        self.known_steps(&[step])?;
        Ok(&self.steps[step].program)
    }

    /// Runs a step and gives the seconds of each of its dispatches: by the device's own clock, a pass each, so that none
    /// overlaps another; where there is no such clock, by submitting and waiting for each alone.
    ///
    /// # Errors
    /// If there is no such step or the device fails.
    pub fn seconds(&mut self, step: usize) -> Result<Vec<f64>> {
        self.known_steps(&[step])?;
        self.wait()?;
        self.upload(step);
        let count = self.steps[step].program.dispatches.len();
        match self.gpu.tick() {
            Some(tick) => {
                let mut seconds = Vec::with_capacity(count);
                for range in blocks(count, TIMED) {
                    seconds.extend(self.by_clock(step, range, tick)?);
                }
                Ok(seconds)
            }
            None => (0..count).map(|dispatch| self.by_waiting(step, dispatch)).collect(),
        }
    }

    fn by_clock(&mut self, step: usize, range: Range<usize>, tick: f64) -> Result<Vec<f64>> {
        let count = 2 * range.len() as u32;
        let queries = self.gpu.device.create_query_set(&wgpu::QuerySetDescriptor {
            label: Some("clock"),
            ty: wgpu::QueryType::Timestamp,
            count,
        });
        let ticks = self.gpu.device.create_buffer(&wgpu::BufferDescriptor {
            label: Some("ticks"),
            size: u64::from(count) * size_of::<u64>() as u64,
            usage: wgpu::BufferUsages::QUERY_RESOLVE | wgpu::BufferUsages::COPY_SRC,
            mapped_at_creation: false,
        });
        let mut encoder = self.gpu.device.create_command_encoder(&wgpu::CommandEncoderDescriptor::default());
        for (query, dispatch) in (0..).step_by(2).zip(range) {
            let mut pass = encoder.begin_compute_pass(&wgpu::ComputePassDescriptor {
                label: None,
                timestamp_writes: Some(wgpu::ComputePassTimestampWrites {
                    query_set: &queries,
                    beginning_of_pass_write_index: Some(query),
                    end_of_pass_write_index: Some(query + 1),
                }),
            });
            self.record(&mut pass, step, dispatch..dispatch + 1);
        }
        encoder.resolve_query_set(&queries, 0..count, &ticks, 0);
        self.gpu.queue.submit([encoder.finish()]);
        let ticks: Vec<u64> = self.read(&ticks, 0, count as usize)?;
        let seconds = |pair: &[u64]| pair[1].saturating_sub(pair[0]) as f64 * tick * 1e-9;
        Ok(ticks.chunks_exact(2).map(seconds).collect())
    }

    fn by_waiting(&mut self, step: usize, dispatch: usize) -> Result<f64> {
        let start = Instant::now();
        self.submit([(step, dispatch..dispatch + 1)]);
        self.wait()?;
        Ok(start.elapsed().as_secs_f64())
    }
}

#[cfg(test)]
mod tests {
    use crate::gpu::Gpu;
    use crate::graph::{Graph, Step};
    use crate::shape::{ConvOptions, Shape};

    #[test]
    fn the_devices_clock_and_the_hosts_tell_the_same_time() {
        let graph = Graph::new();
        let x = graph.full(Shape([4, 64, 64, 16]), 0.5);
        let w = graph.full(Shape([4, 4, 16, 32]), 0.25);
        let y = x.conv2d(w, ConvOptions::new(2, 1)).unwrap();
        let step = Step::new("clocks", &graph, &[("sum", y.square().sum())], vec![]).unwrap();
        let gpu = Gpu::open("", false).expect("make test installs a driver");
        let tick = gpu.tick();
        let mut executor = gpu.executor(&[], &[step]).unwrap();
        let count = executor.program(0).unwrap().dispatches.len();
        assert_eq!(executor.seconds(0).unwrap().len(), count);
        // The fastest of several, for whatever else the machine does.
        let mut least = |seconds: &mut dyn FnMut(&mut crate::gpu::GpuExecutor) -> f64| {
            (0..5).map(|_| seconds(&mut executor)).fold(f64::INFINITY, f64::min)
        };
        let host = least(&mut |executor| (0..count).map(|at| executor.by_waiting(0, at).unwrap()).sum());
        assert!(host > 0.0);
        if let Some(tick) = tick {
            let device = least(&mut |executor| executor.by_clock(0, 0..count, tick).unwrap().iter().sum());
            // The host also waits for submissions.
            assert!(device > 0.0 && device < 2.0 * host, "device {device} s, host {host} s");
        }
    }
}
