//! The operations: the whole list, and nothing but names and numbers.

use super::custom::Custom;
use super::names::names;
use super::{Binary, Slot, Unary};
use crate::shape::ConvGeometry;
use serde::{Deserialize, Serialize};

/// Which elements share statistics in a normalisation.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Per {
    /// One mean and variance per channel over batch, height and width (batch norm, Ioffe and Szegedy 2015).
    Batch,
    /// One mean and variance per image and channel over height and width (instance norm, Ulyanov 2016).
    Instance,
}

/// What ranks, processes that train one model together, make of their tensors. A rank's share is that of
/// the batch which it computes; all shares add up to 1. A process by itself has a share of 1.
#[derive(Clone, Copy, PartialEq, Debug, Serialize, Deserialize)]
#[non_exhaustive]
pub enum Collective {
    /// `sum over ranks of share * x`
    AllReduceMean {
        /// This rank's share.
        share: f64,
    },
    /// Of each rank's [`Op::Moments`] over its batch, those over all of them together.
    AllReduceMoments {
        /// This rank's share.
        share: f64,
    },
    /// The rows of all ranks one after another, `whole` in all; a rank without a share has none there.
    AllGather {
        /// Images of the whole batch.
        whole: usize,
    },
}

/// An operation. Operands are given in brackets.
#[derive(Clone, PartialEq, Debug)]
#[non_exhaustive]
pub enum Op {
    /// Written by the host before every run. `[]`
    Input(String),
    /// Kept on the device between runs. `[]`
    State(Slot),
    /// One value everywhere. `[]`
    Full(f64),
    /// `y[n,y,x,o] = sum over ky,kx,i of x[n, y*s+ky-p, x*s+kx-p, i] * w[ky,kx,i,o]`. `[x, w]`
    Conv2d(ConvGeometry),
    /// The convolution's transpose: `y[n, y*s+ky-p, x*s+kx-p, i] += x[n,y,x,o] * w[ky,kx,i,o]`. `[x, w]`
    ConvTranspose2d(ConvGeometry),
    /// The convolution's gradient to its weights:
    /// `dw[ky,kx,i,o] = sum over n,y,x of x[n, y*s+ky-p, x*s+kx-p, i] * gy[n,y,x,o]`. `[x, gy]`
    Conv2dWeightGrad(ConvGeometry),
    /// A function of every element. `[x]`
    Unary(Unary),
    /// A function of element pairs; axes of extent 1 repeat. `[a, b]`
    Binary(Binary),
    /// The sum over every axis on which the result has extent 1. `[x]`
    Sum,
    /// Axes of extent 1 repeated to the result's extents. `[x]`
    Broadcast,
    /// Mean (row 0) and biased variance (row 1) of each channel: `[groups, 1, 2, channels]`. `[x]`
    Moments(Per),
    /// `(x - mean) / sqrt(variance + eps)`, then weight (row 0) and bias (row 1) of `affine` if given.
    /// `[x, moments]` or `[x, moments, affine]`
    Normalize {
        /// What the moments are taken over.
        per: Per,
        /// Added to the variance.
        eps: f64,
        /// Whether the moments are constants (running statistics) rather than functions of `x`.
        fixed: bool,
    },
    /// Per channel `sum(gy * xhat)` (row 0) and `sum(gy)` (row 1): the gradient of `affine` before summing
    /// groups, `[groups, 1, 2, channels]`. `[x, moments, gy]`
    NormalizeGradSums {
        /// As in [`Op::Normalize`].
        per: Per,
        /// As in [`Op::Normalize`].
        eps: f64,
    },
    /// The gradient of [`Op::Normalize`] to `x`. `[x, moments, gy, sums]` or `[x, moments, gy, sums, affine]`
    NormalizeGrad {
        /// As in [`Op::Normalize`].
        per: Per,
        /// As in [`Op::Normalize`].
        eps: f64,
        /// As in [`Op::Normalize`].
        fixed: bool,
    },
    /// Rows and columns mirrored about the border pixels: `[top, bottom, left, right]`. `[x]`
    ReflectionPad([usize; 4]),
    /// The transpose of [`Op::ReflectionPad`]: mirrored pixels added back to where they came from. `[gy]`
    ReflectionPadGrad([usize; 4]),
    /// Every pixel repeated `[rows, columns]` times. `[x]`
    UpsampleNearest([usize; 2]),
    /// The transpose of [`Op::UpsampleNearest`]: blocks summed. `[gy]`
    UpsampleNearestGrad([usize; 2]),
    /// Rows and columns each averaged with their neighbours, 1/4, 1/2, 1/4, border pixels repeated outward. Its own
    /// transpose. `[x]`
    Blur,
    /// The channels of two tensors one behind the other. `[a, b]`
    ConcatChannels,
    /// As many channels as the result has, from one on. `[x]`
    SliceChannels {
        /// The first.
        from: usize,
    },
    /// The transpose of [`Op::SliceChannels`]: the other channels are 0. `[gy]`
    SliceChannelsGrad {
        /// As in [`Op::SliceChannels`].
        from: usize,
    },
    /// Of every window of `x` the number of `v` that stands where that of `x` is largest, the first of equal ones; with both the
    /// same, max pooling. `[x, v]`
    MaxPool(ConvGeometry),
    /// The transpose of [`Op::MaxPool`] in `v`. `[x, gy]`
    MaxPoolGrad(ConvGeometry),
    /// Each image moved by whole pixels `(dy, dx)` from `offsets` `[n, 1, 1, 2]`, zeros where nothing arrives;
    /// the other way round when `back`. `[x, offsets]`
    Translate {
        /// Whether the offsets are taken with opposite sign (the transpose).
        back: bool,
    },
    /// Rows taken from two tensors, laid one after the other: `rows[b]`, rounded down, counts through `a`, then through `b`; below 0
    /// and NaN are the first, beyond the end is the last. A constant to differentiation. `[a, b, rows]`
    GatherRows,
    /// What ranks make of their tensors together. `[x]`
    Collective(Collective),
    /// The same numbers under another shape. `[x]`
    Reshape,
    /// The same numbers, a constant to differentiation. `[x]`
    Detach,
    /// An operation from outside this crate. As many as it takes.
    Custom(Custom),
}

names! { Op:
    Self::Input(_) => "input",
    Self::State(_) => "state",
    Self::Full(_) => "full",
    Self::Conv2d(_) => "conv2d",
    Self::ConvTranspose2d(_) => "conv_transpose2d",
    Self::Conv2dWeightGrad(_) => "conv2d_weight_grad",
    Self::Sum => "sum",
    Self::Broadcast => "broadcast",
    Self::Moments(_) => "moments",
    Self::Normalize { .. } => "normalize",
    Self::NormalizeGradSums { .. } => "normalize_grad_sums",
    Self::NormalizeGrad { .. } => "normalize_grad",
    Self::ReflectionPad(_) => "reflection_pad2d",
    Self::ReflectionPadGrad(_) => "reflection_pad2d_grad",
    Self::UpsampleNearest(_) => "upsample_nearest2d",
    Self::UpsampleNearestGrad(_) => "upsample_nearest2d_grad",
    Self::Blur => "blur",
    Self::ConcatChannels => "concat_channels",
    Self::SliceChannels { .. } => "slice_channels",
    Self::SliceChannelsGrad { .. } => "slice_channels_grad",
    Self::MaxPool(_) => "max_pool2d",
    Self::MaxPoolGrad(_) => "max_pool2d_grad",
    Self::Translate { .. } => "translate",
    Self::GatherRows => "gather_rows",
    Self::Collective(Collective::AllReduceMean { .. }) => "all_reduce_mean",
    Self::Collective(Collective::AllReduceMoments { .. }) => "all_reduce_moments",
    Self::Collective(Collective::AllGather { .. }) => "all_gather",
    Self::Reshape => "reshape",
    Self::Detach => "detach";
    Self::Unary(function) => function.name(),
    Self::Binary(function) => function.name(),
    Self::Custom(op) => op.name(),
}

impl Op {
    /// Whether it is one of the three contractions over a convolution's index set.
    pub const fn is_contraction(&self) -> bool {
        matches!(self, Self::Conv2d(_) | Self::ConvTranspose2d(_) | Self::Conv2dWeightGrad(_))
    }

    /// The names of all operations of this crate.
    pub fn names() -> impl Iterator<Item = &'static str> {
        let unary = Unary::ALL.iter().map(|function| function.name());
        let binary = Binary::ALL.iter().map(|function| function.name());
        Self::NAMES.iter().copied().chain(unary).chain(binary)
    }
}
