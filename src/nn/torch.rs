//! PyTorch's layouts: where tensors cross into and out of files.

use super::{Parameter, ParameterKind};
use crate::shape::Shape;

/// `[a, b, c, d]` numbers rearranged so that result axis `i` is source axis `axes[i]`.
pub fn permute<T: Copy>(values: &[T], shape: [usize; 4], axes: [usize; 4]) -> Vec<T> {
    let dense = [shape[1] * shape[2] * shape[3], shape[2] * shape[3], shape[3], 1];
    let [a, b, c, d] = axes.map(|axis| 0..shape[axis]);
    let s = axes.map(|axis| dense[axis]);
    let mut out = Vec::with_capacity(values.len());
    for i in a {
        for j in b.clone() {
            for k in c.clone() {
                out.extend(d.clone().map(|l| values[i * s[0] + j * s[1] + k * s[2] + l * s[3]]));
            }
        }
    }
    out
}

/// `[kh, kw, i, o]` to PyTorch's `[o, i, kh, kw]`; for transposed convolutions the same permutation gives
/// PyTorch's `[in, out, kh, kw]`.
pub fn weight_to_torch<T: Copy>(values: &[T], shape: Shape) -> Vec<T> {
    permute(values, shape.0, [3, 2, 0, 1])
}

/// PyTorch's `[o, i, kh, kw]` to `[kh, kw, i, o]`, of result shape `shape`.
pub fn weight_from_torch<T: Copy>(values: &[T], shape: Shape) -> Vec<T> {
    let [kh, kw, i, o] = shape.0;
    permute(values, [o, i, kh, kw], [2, 3, 1, 0])
}

/// `[n, h, w, c]` to PyTorch's `[n, c, h, w]`.
pub fn image_to_torch<T: Copy>(values: &[T], shape: Shape) -> Vec<T> {
    permute(values, shape.0, [0, 3, 1, 2])
}

/// PyTorch's `[n, c, h, w]` to `[n, h, w, c]`, of result shape `shape`.
pub fn image_from_torch<T: Copy>(values: &[T], shape: Shape) -> Vec<T> {
    let [n, h, w, c] = shape.0;
    permute(values, [n, c, h, w], [0, 2, 3, 1])
}

/// A tensor as PyTorch's `state_dict` holds it: name, shape, numbers.
pub type TorchTensor<T = f32> = (String, Vec<usize>, Vec<T>);

impl Parameter {
    /// PyTorch names and shapes of this tensor: one entry, or two for a norm's pairs.
    pub fn torch_entries(&self) -> Vec<(String, Vec<usize>)> {
        let [kh, kw, i, o] = self.shape.0;
        let named = |leaf: &str, shape: Vec<usize>| (format!("{}.{leaf}", self.module), shape);
        match self.kind {
            ParameterKind::ConvWeight { spectral: false, .. } => vec![named("weight", vec![o, i, kh, kw])],
            ParameterKind::ConvWeight { spectral: true, .. } => {
                vec![named("weight_orig", vec![o, i, kh, kw])]
            }
            ParameterKind::SpectralU => vec![named("weight_u", vec![o])],
            ParameterKind::SpectralV => vec![named("weight_v", vec![i * kh * kw])],
            ParameterKind::ConvBias { .. } => vec![named("bias", vec![o])],
            ParameterKind::NormAffine => vec![named("weight", vec![o]), named("bias", vec![o])],
            ParameterKind::NormRunning => vec![named("running_mean", vec![o]), named("running_var", vec![o])],
        }
    }

    /// This tensor's numbers under PyTorch's names and layouts.
    pub fn to_torch<T: Copy>(&self, values: &[T]) -> Vec<TorchTensor<T>> {
        let entries = self.torch_entries().into_iter();
        let numbers = match self.kind {
            ParameterKind::ConvWeight { .. } | ParameterKind::SpectralV => {
                vec![weight_to_torch(values, self.shape)]
            }
            ParameterKind::ConvBias { .. } | ParameterKind::SpectralU => vec![values.to_vec()],
            ParameterKind::NormAffine | ParameterKind::NormRunning => {
                values.chunks(self.shape.channels()).map(<[T]>::to_vec).collect()
            }
        };
        entries.zip(numbers).map(|((name, shape), numbers)| (name, shape, numbers)).collect()
    }

    /// The graph's numbers from PyTorch's, one slice an entry of [`Parameter::torch_entries`].
    pub fn from_torch<T: Copy>(&self, entries: &[Vec<T>]) -> Vec<T> {
        match self.kind {
            ParameterKind::ConvWeight { .. } | ParameterKind::SpectralV => {
                weight_from_torch(&entries[0], self.shape)
            }
            _ => entries.concat(),
        }
    }
}
