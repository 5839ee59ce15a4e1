//! Tensors in safetensors files.

use super::Tensor;
use crate::file::replace;
use crate::tensor_file::TensorFile;
use crate::{Error, Result};
use safetensors::{Dtype, tensor::TensorInfo, tensor::TensorView};
use std::collections::BTreeMap;
use std::path::Path;

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
    let bytes = match tensors {
        Tensors::F32(tensors) => serialize(tensors, Dtype::F32, |number| number.to_le_bytes()),
        Tensors::F64(tensors) => serialize(tensors, Dtype::F64, |number| number.to_le_bytes()),
    };
    let bytes = bytes.map_err(|error| Error::Input(format!("{}: {error}", path.display())))?;
    replace(path, &bytes)
}

fn serialize<T: Copy, const BYTES: usize>(
    tensors: &BTreeMap<String, Tensor<T>>,
    dtype: Dtype,
    bytes: impl Fn(T) -> [u8; BYTES],
) -> std::result::Result<Vec<u8>, safetensors::SafeTensorError> {
    let data: Vec<(&String, &Tensor<T>, Vec<u8>)> = tensors
        .iter()
        .map(|(name, tensor)| {
            (name, tensor, tensor.values.iter().flat_map(|&number| bytes(number)).collect())
        })
        .collect();
    let views = data
        .iter()
        .map(|(name, tensor, data)| Ok((name, TensorView::new(dtype, tensor.shape.clone(), data)?)))
        .collect::<std::result::Result<Vec<_>, safetensors::SafeTensorError>>()?;
    safetensors::serialize(views, None)
}
