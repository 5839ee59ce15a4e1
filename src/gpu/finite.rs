//! Infinities and NaN: noticed on the device, and followed to the dispatch that first gives one.

use super::preprocess::expand;
use super::program::{Buffer, Dispatch, Pipeline, Program, Region, Shader, WORKGROUP, grid};
use super::run::GpuExecutor;
use crate::executor::Executor;
use crate::graph::Bank;
use crate::real::Real;
use crate::shape::Shape;
use crate::{Error, Result};

const KERNEL: &str = "reduce/finite";
/// Each bank's finding lies where a binding may start.
const STRIDE: u64 = 256;

/// The program that looks at all numbers of `banks`, if there are any. Its one output has, 256 bytes for each bank, how many numbers there
/// are from the first on that is not finite; it is to be zeros before.
///
/// # Errors
/// If the kernel's text cannot be made (an error in this crate).
pub fn program(banks: &[Bank]) -> Result<Option<Program>> {
    if banks.is_empty() {
        return Ok(None);
    }
    let look = |(index, bank): (u64, &Bank)| {
        let x = Region { buffer: Buffer::Bank(index as usize), offset: 0, size: bank.len as u64 * 4 };
        let found = Region { buffer: Buffer::Result(0), offset: index * STRIDE, size: STRIDE };
        Dispatch {
            op: "finite".into(),
            pipeline: 0,
            bindings: vec![x, found],
            shapes: vec![Shape::vector(bank.len), Shape::SCALAR],
            members: 1,
            offsets: vec![vec![0]; 2],
            workgroups: grid(bank.len.div_ceil(4 * WORKGROUP)),
        }
    };
    let dispatches: Vec<Dispatch> = (0..).zip(banks).filter(|(_, bank)| bank.len > 0).map(look).collect();
    let found = banks.len() as u64 * STRIDE;
    Ok(Some(Program {
        name: "finite".into(),
        shaders: vec![Shader { kernel: KERNEL.into(), source: expand(KERNEL, &[])? }],
        pipelines: vec![Pipeline { shader: 0, constants: vec![] }],
        pool: vec![],
        results: vec![found],
        input_bytes: 0,
        constants: vec![],
        inputs: vec![],
        outputs: vec![],
        dispatches,
        exchanges: vec![],
    }))
}

impl<T: Real> GpuExecutor<T> {
    /// As [`Executor::non_finite`]; in double precision, which the kernel does not know, the banks are read.
    pub(super) fn first_non_finite(&mut self) -> Result<Option<(usize, usize)>> {
        let Some(program) = self.finite else {
            for bank in 0..self.bank_lens.len() {
                if let Some(at) = self.read_bank(bank)?.iter().position(|number| !number.is_finite()) {
                    return Ok(Some((bank, at)));
                }
            }
            return Ok(None);
        };
        let found = self.steps[program].results[0].clone();
        self.clear([&found]);
        self.submit([(program, 0..self.steps[program].dispatches.len())]);
        let left: Vec<u32> = self.read(&found, 0, (found.size() / 4) as usize)?;
        let left = left.into_iter().step_by((STRIDE / 4) as usize);
        let mut bad = self.bank_lens.iter().zip(left).enumerate().filter(|(_, (_, left))| *left > 0);
        Ok(bad.next().map(|(bank, (len, left))| (bank, len - left as usize)))
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
                    let (op, value) = (dispatch.op, value.wide());
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
