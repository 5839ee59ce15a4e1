//! What an executor needs, made once: pipelines, buffers, bind groups.

use super::{GpuExecutor, Loaded, STORAGE};
use crate::Result;
use crate::gpu::device::Gpu;
use crate::gpu::finite;
use crate::gpu::lower::{fits, lower};
use crate::gpu::memory::{buffer_size, bytes, planned_bytes, shared_pool};
use crate::gpu::pipelines::pipelines;
use crate::gpu::program::{Dispatch, Program};
use crate::graph::{StateBuffer, Step};
use crate::ranks::Ranks;
use crate::real::Real;
use std::collections::VecDeque;

impl Gpu {
    /// Bytes of device memory that `steps` over `state_buffers` would take; nothing is allocated.
    ///
    /// # Errors
    /// If a tensor is larger than this device can bind.
    pub fn planned_bytes(&self, state_buffers: &[StateBuffer], steps: &[Step]) -> Result<usize> {
        let programs: Vec<_> =
            steps.iter().map(|step| lower(step, state_buffers, self.target())).collect::<Result<_>>()?;
        Ok(planned_bytes(state_buffers, programs)? as usize)
    }

    /// Makes `steps` ready over `state_buffers`, whose tensors start as zeros.
    ///
    /// # Errors
    /// If the device is too small, or refuses a kernel.
    pub fn executor(&self, state_buffers: &[StateBuffer], steps: &[Step]) -> Result<GpuExecutor> {
        GpuExecutor::new(self.clone(), state_buffers, steps)
    }
}

impl GpuExecutor {
    /// Lowers `steps` and makes everything they need.
    ///
    /// # Errors
    /// If the device is too small, or refuses a kernel.
    pub fn new(gpu: Gpu, state_buffers: &[StateBuffer], steps: &[Step]) -> Result<Self> {
        let programs =
            steps.iter().map(|step| lower(step, state_buffers, gpu.target())).collect::<Result<_>>()?;
        Self::load_lowered(gpu, state_buffers, programs)
    }

    /// Makes everything that `programs` over `state_buffers` need. Their kernels may come from anywhere, a file say: they run with
    /// every index and loop checked, as slow as by [`Gpu::with_checks`]. Steps run faster by [`GpuExecutor::new`].
    ///
    /// # Errors
    /// If a program is not sound (as [`Program::verify`] says), the device is too small, or it refuses a kernel.
    pub fn load(gpu: Gpu, state_buffers: &[StateBuffer], programs: Vec<Program>) -> Result<Self> {
        programs.iter().try_for_each(|program| sound(program, state_buffers, &gpu))?;
        Self::with_finite(gpu, state_buffers, programs, false)
    }

    /// As [`GpuExecutor::load`], of programs as lowering just made them: their kernels run unchecked.
    pub(crate) fn load_lowered(
        gpu: Gpu,
        state_buffers: &[StateBuffer],
        programs: Vec<Program>,
    ) -> Result<Self> {
        Self::with_finite(gpu, state_buffers, programs, true)
    }

    fn with_finite(
        gpu: Gpu,
        state_buffers: &[StateBuffer],
        mut programs: Vec<Program>,
        trusted: bool,
    ) -> Result<Self> {
        let finite = (!state_buffers.is_empty()).then_some(programs.len());
        programs.extend(finite::program(state_buffers)?);
        Ok(Self { finite, ..Self::prepare(gpu, state_buffers, programs, trusted)? })
    }
}

impl GpuExecutor<f64> {
    /// As [`GpuExecutor::load`], in double precision; for devices that have it ([`Gpu::doubles`]).
    ///
    /// # Errors
    /// As [`GpuExecutor::load`].
    pub fn load_in_double(gpu: Gpu, state_buffers: &[StateBuffer], programs: Vec<Program>) -> Result<Self> {
        programs.iter().try_for_each(|program| sound(program, state_buffers, &gpu))?;
        Self::prepare(gpu, state_buffers, programs.into_iter().map(Program::in_double).collect(), false)
    }

    /// As [`GpuExecutor::load_in_double`], of programs as lowering just made them: their kernels run unchecked.
    pub(crate) fn load_lowered_in_double(
        gpu: Gpu,
        state_buffers: &[StateBuffer],
        programs: Vec<Program>,
    ) -> Result<Self> {
        Self::prepare(gpu, state_buffers, programs.into_iter().map(Program::in_double).collect(), true)
    }
}

/// Refuses a program from outside that is not whole, or too large: none of its numbers is relied on before.
fn sound(program: &Program, state_buffers: &[StateBuffer], gpu: &Gpu) -> Result<()> {
    program.check(state_buffers)?;
    fits(program, state_buffers, gpu.target())
}

impl<T: Real> GpuExecutor<T> {
    fn prepare(
        gpu: Gpu,
        state_buffers: &[StateBuffer],
        programs: Vec<Program>,
        trusted: bool,
    ) -> Result<Self> {
        let buffer = |label: &str, size: u64| {
            gpu.device.create_buffer(&wgpu::BufferDescriptor {
                label: Some(label),
                size: buffer_size(size),
                usage: STORAGE,
                mapped_at_creation: false,
            })
        };
        let state: Vec<wgpu::Buffer> =
            state_buffers.iter().map(|state_buffer| buffer("state", bytes::<T>(state_buffer.len))).collect();
        let (pool_sizes, slots) = shared_pool(&programs);
        let pool: Vec<wgpu::Buffer> = pool_sizes.iter().map(|&size| buffer("pool", size)).collect();
        let (pipelines, of_step) = pipelines(&gpu, &programs, trusted)?;
        let mut loaded = Vec::new();
        for (index, program) in programs.into_iter().enumerate() {
            let inputs = buffer("inputs", program.input_bytes);
            let constants = buffer("constants", bytes::<T>(program.constants.len()));
            let numbers: Vec<T> = program.constants.iter().map(|&number| T::from_f64(number)).collect();
            gpu.queue.write_buffer(&constants, 0, bytemuck::cast_slice(&numbers));
            let results: Vec<wgpu::Buffer> =
                program.results.iter().map(|&size| buffer("result", size)).collect();
            let staged = vec![T::from_f64(0.0); program.input_bytes as usize / size_of::<T>()];
            let work = program.dispatches.iter().map(|dispatch| program.work(dispatch)).collect();
            let (slots, dispatches) = (slots[index].clone(), Vec::new());
            let mut step = Loaded { program, inputs, staged, constants, results, slots, dispatches, work };
            let bound = |dispatch: &Dispatch| {
                let pipeline = of_step[index][dispatch.pipeline];
                let entries: Vec<wgpu::BindGroupEntry<'_>> = (0..)
                    .zip(&dispatch.bindings)
                    .map(|(binding, region)| wgpu::BindGroupEntry {
                        binding,
                        resource: wgpu::BindingResource::Buffer(wgpu::BufferBinding {
                            buffer: step.buffer(&pool, &state, region.buffer),
                            offset: region.offset,
                            size: std::num::NonZeroU64::new(region.size),
                        }),
                    })
                    .collect();
                let group = gpu.device.create_bind_group(&wgpu::BindGroupDescriptor {
                    label: Some(step.program.kernel(dispatch)),
                    layout: &pipelines[pipeline].get_bind_group_layout(0),
                    entries: &entries,
                });
                (pipeline, group, dispatch.workgroups)
            };
            step.dispatches = step.program.dispatches.iter().map(bound).collect();
            loaded.push(step);
        }
        gpu.check()?;
        Ok(Self {
            gpu,
            state_buffers: state,
            state_lens: state_buffers.iter().map(|state_buffer| state_buffer.len).collect(),
            pool,
            pipelines,
            steps: loaded,
            finite: None,
            in_flight: VecDeque::new(),
            readback: None,
            ranks: Ranks::default(),
            tracing: false,
        })
    }
}
