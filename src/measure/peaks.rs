//! What a device can do at best, by kernels and loops that do one thing.

use super::{Effort, Progress, Subject, Task, Work, measure, repeated};
use crate::Result;
use crate::device::Device;
use crate::executor::Executor;
use crate::gpu::GpuExecutor;
use crate::gpu::preprocess::expand;
use crate::gpu::program::{Buffer, Dispatch, Pipeline, Program, Region, Shader, WORKGROUP, grid};
use crate::shape::Shape;
use pulp::{Arch, Simd, WithSimd};
use rayon::prelude::*;
use serde::Serialize;
use std::cell::RefCell;
use std::rc::Rc;

/// Bytes that are copied: more than caches hold, on most devices.
const COPIED: u64 = 128 << 20;
/// Invocations that multiply and add: more than any device runs at once.
const INVOCATIONS: usize = 1 << 19;
/// Loops of the kernel that multiplies and adds, and multiply-adds of a chain in each.
const ROUNDS: usize = 32;
const STEPS: usize = 8;

/// What shares are shares of: the fastest sample of the best way that was tried.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Peaks {
    /// Floating-point operations a second in f32, a multiply-add being two.
    pub flops_per_second: f64,
    /// Bytes a second read and written while memory is copied.
    pub bytes_per_second: f64,
}

impl Peaks {
    /// The best of what was measured, each of so many floating-point operations and bytes in so many seconds.
    pub fn of(measured: &[(u64, u64, f64)]) -> Self {
        let best = |rates: &dyn Fn(&(u64, u64, f64)) -> f64| measured.iter().map(rates).fold(0.0, f64::max);
        Self {
            flops_per_second: best(&|(flops, _, seconds)| *flops as f64 / seconds),
            bytes_per_second: best(&|(_, bytes, seconds)| *bytes as f64 / seconds),
        }
    }
}

/// A way to find out what a device can do.
#[derive(Clone, Debug)]
pub struct Peak {
    /// What it does.
    pub name: &'static str,
    /// How, in words.
    pub variant: String,
    /// Floating-point operations.
    pub flops: u64,
    /// Bytes that it moves.
    pub bytes: u64,
}

impl Subject for Peak {
    fn name(&self) -> &str {
        self.name
    }
    fn is_basis(&self) -> bool {
        true
    }
}

fn peak(name: &'static str, variant: impl Into<String>) -> Peak {
    Peak { name, variant: variant.into(), flops: 0, bytes: 0 }
}

/// A program of one dispatch of a kernel, over buffers of so many bytes each.
fn program(
    kernel: &str,
    definitions: &[(&str, String)],
    constant: (&str, f64),
    buffers: &[u64],
    invocations: usize,
) -> Result<Program> {
    let region = |(slot, &size)| Region { buffer: Buffer::Pool(slot), offset: 0, size };
    Ok(Program {
        name: kernel.into(),
        shaders: vec![Shader { kernel: kernel.into(), source: expand(kernel, definitions)? }],
        pipelines: vec![Pipeline { shader: 0, constants: vec![(constant.0.into(), constant.1)] }],
        pool: buffers.to_vec(),
        results: vec![],
        input_bytes: 0,
        constants: vec![],
        inputs: vec![],
        outputs: vec![],
        dispatches: vec![Dispatch {
            op: kernel.into(),
            pipeline: 0,
            bindings: buffers.iter().enumerate().map(region).collect(),
            shapes: buffers.iter().map(|&size| Shape::vector(size as usize / 4)).collect(),
            counts: buffers.iter().map(|&size| vec![size as usize / 4]).collect(),
            members: 1,
            offsets: vec![vec![0]; buffers.len()],
            workgroups: grid(invocations.div_ceil(WORKGROUP)),
        }],
        exchanges: vec![],
    })
}

/// What a GPU's kernels cannot pass: multiply-adds, a copy of as much as may be bound, and a dispatch of next to nothing.
///
/// # Errors
/// If a kernel's text cannot be made (an error in this crate).
pub fn programs(max_binding: u64) -> Result<Vec<(Peak, Program)>> {
    let bytes = COPIED.min(max_binding) / 16 * 16;
    let vec4s = bytes as usize / 16;
    let kernel = "bench/multiply_add";
    let multiply_add = |chains: usize| {
        let flops = INVOCATIONS * ROUNDS * STEPS * chains * 4 * 2;
        let peak = Peak {
            flops: flops as u64,
            ..peak("multiply-add", format!("in registers, {chains} chains of vec4"))
        };
        let definitions = [("CHAINS", chains.to_string()), ("STEPS", STEPS.to_string())];
        let rounds = ("ROUNDS", ROUNDS as f64);
        let program = program(kernel, &definitions, rounds, &[INVOCATIONS as u64 * 16], INVOCATIONS)?;
        Ok((peak, program))
    };
    let copy = Peak { bytes: 2 * bytes, ..peak("copy", format!("{} MiB", bytes >> 20)) };
    let next_to_nothing = [("CHAINS", "1".to_owned()), ("STEPS", "1".to_owned())];
    // Dispatches that write the same buffer wait for one another, as most do in training.
    let dispatch = peak("dispatch", "one workgroup, after another");
    Ok(vec![
        // Few enough for a processor's registers, and enough for a GPU's.
        multiply_add(4)?,
        multiply_add(8)?,
        (copy, program("bench/copy", &[], ("COUNT", vec4s as f64), &[bytes; 2], vec4s)?),
        (dispatch, program(kernel, &next_to_nothing, ("ROUNDS", 0.0), &[WORKGROUP as u64 * 16], WORKGROUP)?),
    ])
}

/// What `device` can do, measured by nothing else.
///
/// # Errors
/// If the device fails.
pub fn measured(device: &Device, effort: Effort, progress: Progress<'_>) -> Result<Peaks> {
    let mut tasks = match device {
        Device::Cpu { .. } => host(),
        Device::Gpu(gpu) => {
            let (subjects, programs): (Vec<_>, Vec<_>) =
                programs(gpu.target().max_binding)?.into_iter().unzip();
            let executor: Box<dyn Executor> =
                Box::new(GpuExecutor::load_lowered(gpu.clone(), &[], programs)?);
            let executor = Rc::new(RefCell::new(executor));
            let task = |(step, subject)| Task { subject, work: repeated(&executor, step) };
            (0..).zip(subjects).map(task).collect()
        }
    };
    let samples = measure(&mut tasks, effort, progress)?;
    let fastest = |(Task { subject, .. }, samples): (&Task<Peak>, &Vec<f64>)| {
        (subject.flops, subject.bytes, samples.iter().copied().fold(f64::INFINITY, f64::min))
    };
    Ok(Peaks::of(&tasks.iter().zip(&samples).map(fastest).collect::<Vec<_>>()))
}

/// Multiply-adds in the registers of one core, as wide as its instruction set: the sum, so that none is left out.
struct MultiplyAdds {
    rounds: usize,
}

/// Chains of multiply-adds that hide each other's latency.
const CHAINS: usize = 12;

impl WithSimd for MultiplyAdds {
    type Output = f32;

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) -> f32 {
        let (a, b) = (simd.splat_f32s(0.5), simd.splat_f32s(0.25));
        let mut sums = [b; CHAINS];
        for _ in 0..self.rounds {
            for sum in &mut sums {
                *sum = simd.mul_add_f32s(a, *sum, b);
            }
        }
        sums.into_iter().map(|sum| simd.reduce_sum_f32s(sum)).sum()
    }
}

/// What the CPU's operations cannot pass: multiply-adds on all threads, and a copy.
pub fn host() -> Vec<Task<Peak>> {
    let (threads, rounds) = (rayon::current_num_threads(), 1 << 20);
    let arch = Arch::new();
    let lanes = arch.dispatch(Lanes);
    let multiply_adds = move || {
        let one = |_| arch.dispatch(MultiplyAdds { rounds });
        std::hint::black_box((0..threads).into_par_iter().map(one).sum::<f32>());
    };
    let subject = Peak {
        flops: (2 * threads * rounds * CHAINS * lanes) as u64,
        ..peak("multiply-add", format!("in registers, {CHAINS} chains of {lanes}"))
    };
    let multiply_adds = Task { subject, work: again(multiply_adds) };
    let from = vec![0.5_f32; COPIED as usize / 4];
    let mut to = vec![0.0_f32; from.len()];
    let chunk = from.len().div_ceil(rayon::current_num_threads());
    let copy = move || {
        to.par_chunks_mut(chunk).zip(from.par_chunks(chunk)).for_each(|(to, from)| to.copy_from_slice(from));
    };
    let bytes = 2 * COPIED;
    let copy =
        Task { subject: Peak { bytes, ..peak("copy", format!("{} MiB", COPIED >> 20)) }, work: again(copy) };
    vec![multiply_adds, copy]
}

/// Numbers in a vector.
struct Lanes;

impl WithSimd for Lanes {
    type Output = usize;

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) -> usize {
        S::F32_LANES
    }
}

fn again(mut once: impl FnMut() + 'static) -> Work {
    Box::new(move |times| {
        (0..times).for_each(|_| once());
        Ok(())
    })
}
