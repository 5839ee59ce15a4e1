//! Reading the fixtures that PyTorch wrote, and comparing with them.

use mewgan::graph::StateBuffer;
use mewgan::nn::Parameter;
use mewgan::tensor_file::{self, Tensor, Tensors};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

pub type Named<T> = BTreeMap<String, Tensor<T>>;

pub fn golden(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden").join(name)
}

pub fn tensors(path: &Path) -> Named<f64> {
    match tensor_file::read(path).unwrap() {
        Tensors::F64(tensors) => tensors,
        Tensors::F32(_) => panic!("{}: fixtures are float64", path.display()),
    }
}

/// The largest difference, as a share of the largest number expected: sums that cancel are not held to more digits
/// than their summands have.
pub fn distance(found: &[f64], expected: &[f64]) -> f64 {
    assert_eq!(found.len(), expected.len());
    let largest = expected.iter().fold(f64::MIN_POSITIVE, |largest, x| largest.max(x.abs()));
    let apart = found.iter().zip(expected).map(|(a, b)| (a - b).abs());
    // Unlike f64::max, this keeps a NaN.
    apart.fold(0.0, |worst: f64, x| if worst >= x || worst.is_nan() { worst } else { x }) / largest
}

/// A state buffer's numbers from the fixture's entries under `prefix`.
pub fn state_values(
    buffer: &StateBuffer,
    parameters: &[Parameter],
    prefix: &str,
    fixture: &Named<f64>,
) -> Vec<f64> {
    let mut values = vec![0.0; buffer.len];
    for (index, parameter) in parameters.iter().enumerate() {
        let entries: Vec<Vec<f64>> = parameter
            .torch_entries()
            .into_iter()
            .map(|(name, shape)| {
                let tensor = &fixture[&format!("{prefix}.{name}")];
                assert_eq!(tensor.shape, shape, "{prefix}.{name}");
                tensor.values.clone()
            })
            .collect();
        buffer.view_mut(&mut values, index).copy_from_slice(&parameter.from_torch(&entries));
    }
    values
}
