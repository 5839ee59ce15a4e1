//! Sizes of tensors and convolutions, valid by construction.

use crate::{Error, Result};
use serde::{Deserialize, Serialize};
use std::fmt;

/// The four extents of a tensor. Images are `[batch, height, width, channels]`, convolution weights
/// `[kernel height, kernel width, in, out]`, vectors `[1, 1, 1, n]` and scalars `[1, 1, 1, 1]`.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
pub struct Shape(pub [usize; 4]);

impl Shape {
    /// The shape of one number.
    pub const SCALAR: Self = Self([1; 4]);

    /// A vector laid along the channels.
    pub const fn vector(len: usize) -> Self {
        Self([1, 1, 1, len])
    }

    /// The most numbers a tensor may hold: kernels index them with 32 bits.
    pub const MAX_LEN: usize = i32::MAX as usize;

    /// How many numbers a tensor of this shape holds; `usize::MAX` where that cannot be counted.
    pub fn len(self) -> usize {
        self.0.iter().fold(1, |len, &extent| len.saturating_mul(extent))
    }

    /// Why there can be no tensor of this shape, if so.
    pub(crate) fn problem(self) -> Option<String> {
        if self.0.contains(&0) {
            return Some(format!("{self} has no numbers; every extent must be at least 1"));
        }
        let most = Self::MAX_LEN;
        (self.len() > most).then(|| {
            format!(
                "{self} would hold more than the {most} numbers a tensor may; use smaller tensors or settings"
            )
        })
    }

    /// Whether some extent is zero.
    pub fn is_empty(self) -> bool {
        self.0.contains(&0)
    }

    /// The extent of the last axis.
    pub const fn channels(self) -> usize {
        self.0[3]
    }

    /// Row-major strides, with 0 along axes of extent 1, so that the same strides also walk a broadcast operand.
    pub fn broadcast_strides(self) -> [usize; 4] {
        let [_, h, w, c] = self.0;
        let dense = [h * w * c, w * c, c, 1];
        std::array::from_fn(|axis| if self.0[axis] == 1 { 0 } else { dense[axis] })
    }

    /// The shape both operands stretch to when axes of extent 1 repeat, if there is one.
    pub fn broadcast(self, other: Self) -> Option<Self> {
        let mut out = self;
        for axis in 0..4 {
            out.0[axis] = match (self.0[axis], other.0[axis]) {
                (a, b) if a == b => a,
                (1, b) => b,
                (a, 1) => a,
                _ => return None,
            };
        }
        Some(out)
    }
}

impl fmt::Display for Shape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [a, b, c, d] = self.0;
        write!(f, "[{a}, {b}, {c}, {d}]")
    }
}

/// Kernel, stride and padding of a convolution, each as `[along height, along width]`.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct ConvOptions {
    /// Step between neighbouring windows.
    pub stride: [usize; 2],
    /// Zeros added on each side.
    pub padding: [usize; 2],
    /// Transposed convolution only: rows and columns added at the far end, less than the stride.
    pub output_padding: [usize; 2],
}

impl ConvOptions {
    /// The same stride and padding along both axes.
    pub const fn new(stride: usize, padding: usize) -> Self {
        Self { stride: [stride; 2], padding: [padding; 2], output_padding: [0; 2] }
    }

    /// With rows and columns added at the far end of a transposed convolution's output.
    pub const fn output_padding(self, rows_and_columns: usize) -> Self {
        Self { output_padding: [rows_and_columns; 2], ..self }
    }
}

/// One index set shared by a convolution, its transpose and its weight gradient:
/// `large[y * stride + ky - padding]` meets `small[y]` through tap `ky`, along both axes.
///
/// `large` is the convolution's input and the transposed convolution's output. A geometry that exists is valid.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
pub struct ConvGeometry {
    /// Height and width on the side before the stride divides it.
    pub large: [usize; 2],
    /// Height and width on the side after the stride divides it.
    pub small: [usize; 2],
    /// Taps along height and width.
    pub kernel: [usize; 2],
    /// Step along height and width.
    pub stride: [usize; 2],
    /// Zeros before and after, along height and width.
    pub padding: [usize; 2],
}

impl ConvGeometry {
    /// The geometry of a convolution that reads `input` (height, width).
    ///
    /// # Errors
    /// If the stride is zero, the kernel does not fit the padded input, or that is too large.
    pub fn conv2d(input: [usize; 2], kernel: [usize; 2], options: ConvOptions) -> Result<Self> {
        let fail = |problem: String| Error::Graph { op: "conv2d", problem };
        let ConvOptions { stride, padding, output_padding } = options;
        if stride.contains(&0) || kernel.contains(&0) || input.contains(&0) {
            return Err(fail(format!(
                "input {input:?}, kernel {kernel:?} and stride {stride:?} must all be at least 1"
            )));
        }
        if output_padding != [0, 0] {
            return Err(fail("output_padding belongs to conv_transpose2d".into()));
        }
        let mut small = [0; 2];
        for axis in 0..2 {
            let padded = padding[axis].saturating_mul(2).saturating_add(input[axis]);
            if padded.max(stride[axis]) > Shape::MAX_LEN {
                return Err(fail(too_large(options)));
            }
            if kernel[axis] > padded {
                return Err(fail(format!(
                    "kernel {kernel:?} is larger than the padded input {input:?} + 2 * {padding:?}; use a larger image or a smaller kernel"
                )));
            }
            small[axis] = (padded - kernel[axis]) / stride[axis] + 1;
        }
        Ok(Self { large: input, small, kernel, stride, padding })
    }

    /// The geometry of a transposed convolution that reads `input` (height, width):
    /// output = (input - 1) * stride - 2 * padding + kernel + output_padding.
    ///
    /// # Errors
    /// If the stride is zero, the output would be empty or too large, or the output padding is not less than the stride.
    pub fn conv_transpose2d(input: [usize; 2], kernel: [usize; 2], options: ConvOptions) -> Result<Self> {
        let fail = |problem: String| Error::Graph { op: "conv_transpose2d", problem };
        let ConvOptions { stride, padding, output_padding } = options;
        if stride.contains(&0) || kernel.contains(&0) || input.contains(&0) {
            return Err(fail(format!(
                "input {input:?}, kernel {kernel:?} and stride {stride:?} must all be at least 1"
            )));
        }
        let mut large = [0; 2];
        for axis in 0..2 {
            if output_padding[axis] >= stride[axis] {
                return Err(fail(format!(
                    "output_padding {output_padding:?} must be less than stride {stride:?}"
                )));
            }
            let full = (input[axis] - 1)
                .saturating_mul(stride[axis])
                .saturating_add(kernel[axis])
                .saturating_add(output_padding[axis]);
            if full.max(stride[axis]) > Shape::MAX_LEN {
                return Err(fail(too_large(options)));
            }
            if full / 2 < padding[axis] || full == 2 * padding[axis] {
                return Err(fail(format!(
                    "padding {padding:?} leaves nothing of an output of {full} (input {input:?}, kernel {kernel:?}, stride {stride:?})"
                )));
            }
            large[axis] = full - 2 * padding[axis];
        }
        Ok(Self { large, small: input, kernel, stride, padding })
    }

    /// Whether the sizes relate as those of a convolution do.
    pub(crate) fn is_consistent(&self) -> bool {
        let options = ConvOptions { stride: self.stride, padding: self.padding, output_padding: [0; 2] };
        Self::conv2d(self.large, self.kernel, options).is_ok_and(|own| own == *self)
    }

    /// Taps in the window.
    pub fn taps(&self) -> usize {
        self.kernel[0] * self.kernel[1]
    }
}

fn too_large(options: ConvOptions) -> String {
    format!("stride and padding of {options:?} make an image larger than {} along an axis", Shape::MAX_LEN)
}
