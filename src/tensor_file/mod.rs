//! Safetensors files: what is read from them, and how they are written. Nothing else in this crate knows the format.

mod header;
mod writer;

pub(crate) use header::TensorFile;
pub(crate) use safetensors::tensor::{Dtype, TensorInfo};
pub(crate) use writer::{Writer, write_bytes};

use crate::{Error, Result, file};
use std::collections::BTreeMap;
use std::path::Path;

/// Numbers in row-major order under a shape of any rank.
#[derive(Clone, Debug, PartialEq)]
pub struct Tensor<T> {
    /// Extents, slowest first.
    pub shape: Vec<usize>,
    /// As many numbers as the product of the extents.
    pub values: Vec<T>,
}

/// The tensors of a file by name, all of one precision.
#[derive(Clone, Debug, PartialEq)]
pub enum Tensors {
    /// Float32.
    F32(BTreeMap<String, Tensor<f32>>),
    /// Float64.
    F64(BTreeMap<String, Tensor<f64>>),
}

/// The most numbers that all tensors of a file may hold together.
const MOST: usize = 1 << 30;

/// Reads all tensors of the safetensors file at `path`.
///
/// # Errors
/// If the file cannot be read, is no sound safetensors file, holds no tensors, holds others than float32 alone or
/// float64 alone, or more than 2^30 numbers.
pub fn read(path: &Path) -> Result<Tensors> {
    let fail = |problem: String| Error::Input(format!("{}: {problem}", path.display()));
    let file = TensorFile::open(path).map_err(fail)?;
    let mut dtype = None;
    for (name, TensorInfo { dtype: this, .. }) in file.tensors() {
        if !matches!(this, Dtype::F32 | Dtype::F64) {
            return Err(fail(format!(
                "tensor {name} is {this:?}; give float32 or float64 (.float(), .double())"
            )));
        }
        if dtype.get_or_insert(this) != &this {
            return Err(fail("holds float32 and float64 tensors; give all in one precision".into()));
        }
    }
    // They lie one after another and are as long as their shapes say, so none overflows.
    let numbers: usize = file.tensors().values().map(|tensor| tensor.shape.iter().product::<usize>()).sum();
    if numbers > MOST {
        return Err(fail(format!("holds {numbers} numbers, more than {MOST}; use smaller tensors")));
    }
    match dtype {
        Some(Dtype::F32) => tensors(path, &file, f32::from_le_bytes).map(Tensors::F32),
        Some(_) => tensors(path, &file, f64::from_le_bytes).map(Tensors::F64),
        None => Err(fail("holds no tensors".into())),
    }
}

fn tensors<T, const BYTES: usize>(
    path: &Path,
    file: &TensorFile,
    number: impl Fn([u8; BYTES]) -> T,
) -> Result<BTreeMap<String, Tensor<T>>> {
    let tensor = |(name, info): (String, &TensorInfo)| {
        let bytes = file.read(info).map_err(Error::io(path))?;
        let (numbers, _) = bytes.as_chunks();
        let values = numbers.iter().map(|&bytes| number(bytes)).collect();
        Ok((name, Tensor { shape: info.shape.clone(), values }))
    };
    file.tensors().into_iter().map(tensor).collect()
}

/// Writes `tensors` to `path`, which is never seen half written.
///
/// # Errors
/// If a tensor's shape does not fit its numbers, or the file cannot be written.
pub fn write(path: &Path, tensors: &Tensors) -> Result<()> {
    let mut writer = Writer::default();
    match tensors {
        Tensors::F32(all) => all.iter().for_each(|(name, of)| writer.f32(name, &of.shape, &of.values)),
        Tensors::F64(all) => all.iter().for_each(|(name, of)| writer.f64(name, &of.shape, &of.values)),
    }
    let bytes = writer.bytes().map_err(|error| Error::Input(format!("{}: {error}", path.display())))?;
    file::write_atomic(path, &bytes)
}
