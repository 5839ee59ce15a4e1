//! Tensors in safetensors files.

use super::Tensor;
use crate::file::replace;
use crate::{Error, Result};
use safetensors::{Dtype, SafeTensors, tensor::TensorView};
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

/// Reads all tensors of the safetensors file at `path`.
///
/// # Errors
/// If the file cannot be read, is no sound safetensors file, holds no tensors, or holds others than float32 alone or
/// float64 alone.
pub fn read(path: &Path) -> Result<Tensors> {
    let bytes = std::fs::read(path).map_err(Error::io(path))?;
    let fail = |problem: String| Error::Input(format!("{}: {problem}", path.display()));
    let file = SafeTensors::deserialize(&bytes)
        .map_err(|error| fail(format!("not a readable safetensors file ({error})")))?;
    let mut dtype = None;
    for (name, view) in file.iter() {
        let this = view.dtype();
        if !matches!(this, Dtype::F32 | Dtype::F64) {
            return Err(fail(format!(
                "tensor {name} is {this:?}; give float32 or float64 (.float(), .double())"
            )));
        }
        if *dtype.get_or_insert(this) != this {
            return Err(fail("holds float32 and float64 tensors; give all in one precision".into()));
        }
    }
    match dtype {
        Some(Dtype::F32) => Ok(Tensors::F32(tensors(&file, f32::from_le_bytes))),
        Some(_) => Ok(Tensors::F64(tensors(&file, f64::from_le_bytes))),
        None => Err(fail("holds no tensors".into())),
    }
}

fn tensors<T, const BYTES: usize>(
    file: &SafeTensors<'_>,
    number: impl Fn([u8; BYTES]) -> T,
) -> BTreeMap<String, Tensor<T>> {
    let tensor = |view: TensorView<'_>| {
        let (numbers, _) = view.data().as_chunks();
        Tensor { shape: view.shape().to_vec(), values: numbers.iter().map(|&bytes| number(bytes)).collect() }
    };
    file.iter().map(|(name, view)| (name.to_owned(), tensor(view))).collect()
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
