//! The methods of [`Var`]: each checks its operands' shapes and appends one node, or a few.

mod channels;
mod norm;
mod operators;
mod pointwise;
mod spatial;

use super::{Collective, Op, Var};
use crate::shape::{ConvGeometry, ConvOptions, Shape};
use crate::{Error, Result};

fn mismatch<T>(op: &'static str, problem: String) -> Result<T> {
    Err(Error::Graph { op, problem })
}

/// Convolutions and their shared index set.
impl<'g> Var<'g> {
    /// Convolution of `[n, h, w, i]` with weights `[kh, kw, i, o]`.
    ///
    /// # Errors
    /// If the channels differ or the kernel does not fit the padded image.
    pub fn conv2d(self, weight: Self, options: ConvOptions) -> Result<Self> {
        let (x, w) = (self.shape().0, weight.shape().0);
        if x[3] != w[2] {
            return mismatch(
                "conv2d",
                format!(
                    "x {} has {} channels but weight {} (kh, kw, in, out) expects {}",
                    self.shape(),
                    x[3],
                    weight.shape(),
                    w[2]
                ),
            );
        }
        let geometry = ConvGeometry::conv2d([x[1], x[2]], [w[0], w[1]], options)?;
        self.conv2d_with(weight, geometry)
    }

    /// Transposed convolution of `[n, h, w, o]` with weights `[kh, kw, i, o]`, whose result has `i` channels: the
    /// weights of the convolution it transposes.
    ///
    /// # Errors
    /// If the channels differ, the result would be empty, or `output_padding` is not less than the stride.
    pub fn conv_transpose2d(self, weight: Self, options: ConvOptions) -> Result<Self> {
        let (x, w) = (self.shape().0, weight.shape().0);
        if x[3] != w[3] {
            return mismatch(
                "conv_transpose2d",
                format!(
                    "x {} has {} channels but weight {} (kh, kw, out, in) expects {}",
                    self.shape(),
                    x[3],
                    weight.shape(),
                    w[3]
                ),
            );
        }
        let geometry = ConvGeometry::conv_transpose2d([x[1], x[2]], [w[0], w[1]], options)?;
        self.conv_transpose2d_with(weight, geometry)
    }

    pub(in crate::graph) fn conv2d_with(self, weight: Self, geometry: ConvGeometry) -> Result<Self> {
        let [h, w] = geometry.small;
        let shape = Shape([self.shape().0[0], h, w, weight.shape().0[3]]);
        self.graph.push(Op::Conv2d(geometry), &[self, weight], shape)
    }

    pub(in crate::graph) fn conv_transpose2d_with(
        self,
        weight: Self,
        geometry: ConvGeometry,
    ) -> Result<Self> {
        let [h, w] = geometry.large;
        let shape = Shape([self.shape().0[0], h, w, weight.shape().0[2]]);
        self.graph.push(Op::ConvTranspose2d(geometry), &[self, weight], shape)
    }

    /// The gradient to the weights of a convolution that read `self` and whose result has gradient `gy`.
    ///
    /// # Errors
    /// If the two do not have the sizes `geometry` relates, or differ in batch.
    pub fn conv2d_weight_grad(self, gy: Self, geometry: ConvGeometry) -> Result<Self> {
        let (x, g) = (self.shape().0, gy.shape().0);
        if !geometry.is_consistent() {
            return mismatch(
                "conv2d_weight_grad",
                format!("{geometry:?} is that of no convolution; make it with ConvGeometry::conv2d"),
            );
        }
        if [x[1], x[2]] != geometry.large || [g[1], g[2]] != geometry.small || x[0] != g[0] {
            return mismatch(
                "conv2d_weight_grad",
                format!(
                    "x {} and gy {} must share the batch and be {:?} and {:?} pixels",
                    self.shape(),
                    gy.shape(),
                    geometry.large,
                    geometry.small
                ),
            );
        }
        self.conv2d_weight_grad_with(gy, geometry)
    }

    pub(in crate::graph) fn conv2d_weight_grad_with(self, gy: Self, geometry: ConvGeometry) -> Result<Self> {
        let [kh, kw] = geometry.kernel;
        let shape = Shape([kh, kw, self.shape().channels(), gy.shape().channels()]);
        self.graph.push(Op::Conv2dWeightGrad(geometry), &[self, gy], shape)
    }
}

/// Sums, means and shapes.
impl<'g> Var<'g> {
    /// The sum over every axis on which `shape` has extent 1.
    ///
    /// # Errors
    /// If `shape` differs from this tensor's on an axis where it is not 1.
    pub fn sum_to(self, shape: Shape) -> Result<Self> {
        if shape.broadcast(self.shape()) != Some(self.shape()) {
            return mismatch("sum", format!("{} cannot be summed to {shape}", self.shape()));
        }
        Ok(self.summed(shape))
    }

    /// Axes of extent 1 repeated until the shape is `shape`.
    ///
    /// # Errors
    /// If `shape` differs from this tensor's on an axis where this tensor's is not 1.
    pub fn broadcast_to(self, shape: Shape) -> Result<Self> {
        if self.shape() == shape {
            return Ok(self);
        }
        if self.shape().broadcast(shape) != Some(shape) {
            return mismatch("broadcast", format!("{} cannot be repeated to {shape}", self.shape()));
        }
        self.graph.push(Op::Broadcast, &[self], shape)
    }

    /// As [`Var::sum_to`], to a shape that fits.
    fn summed(self, shape: Shape) -> Self {
        if self.shape() == shape { self } else { self.graph.append(Op::Sum, &[self], shape) }
    }

    /// The sum of all elements.
    pub fn sum(self) -> Self {
        self.summed(Shape::SCALAR)
    }

    /// The mean of all elements.
    pub fn mean(self) -> Self {
        self.sum().scale(1.0 / self.shape().len() as f64)
    }

    /// The mean over channels: `[n, h, w, 1]`.
    pub fn channel_mean(self) -> Self {
        let [n, h, w, c] = self.shape().0;
        self.summed(Shape([n, h, w, 1])).scale(1.0 / c as f64)
    }

    /// The mean over height and width: `[n, 1, 1, c]`.
    pub fn spatial_mean(self) -> Self {
        let [n, h, w, c] = self.shape().0;
        self.summed(Shape([n, 1, 1, c])).scale(1.0 / (h as f64 * w as f64))
    }

    /// The same numbers under another shape.
    ///
    /// # Errors
    /// If the number of elements would change.
    pub fn reshape(self, shape: Shape) -> Result<Self> {
        if shape.len() != self.shape().len() {
            return mismatch(
                "reshape",
                format!("{} has {} elements, {shape} has {}", self.shape(), self.shape().len(), shape.len()),
            );
        }
        self.graph.push(Op::Reshape, &[self], shape)
    }

    /// What ranks make of this tensor together.
    pub(in crate::graph) fn exchange(self, exchange: Collective) -> Self {
        let [rows, h, w, c] = self.shape().0;
        let rows = if let Collective::AllGather { whole } = exchange { whole } else { rows };
        self.graph.append(Op::Collective(exchange), &[self], Shape([rows, h, w, c]))
    }

    /// The images of all ranks, processes that train together, one after another: `whole` of them, of which these are this one's. A
    /// constant to differentiation.
    pub fn all_gather(self, whole: usize) -> Self {
        self.exchange(Collective::AllGather { whole })
    }

    /// The mean of all ranks' tensors, this one's with its `share`.
    pub fn all_reduce_mean(self, share: f64) -> Self {
        self.exchange(Collective::AllReduceMean { share })
    }

    /// The same numbers, a constant to differentiation.
    pub fn detach(self) -> Self {
        self.graph.append(Op::Detach, &[self], self.shape())
    }
}
