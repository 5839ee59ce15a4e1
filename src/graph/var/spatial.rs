//! Operations that move pixels, or whole images.

use super::mismatch;
use crate::graph::{Op, Var};
use crate::shape::{ConvGeometry, ConvOptions, Shape};
use crate::{Error, Result};

/// Pixels moved about.
impl<'g> Var<'g> {
    /// The image continued by mirroring it about its border pixels, `[top, bottom, left, right]`.
    ///
    /// # Errors
    /// If a side is as large as the image or larger.
    pub fn reflection_pad2d(self, padding: [usize; 4]) -> Result<Self> {
        let [n, h, w, c] = self.shape().0;
        let [top, bottom, left, right] = padding;
        if top.max(bottom) >= h || left.max(right) >= w {
            return mismatch(
                "reflection_pad2d",
                format!(
                    "padding {padding:?} (top, bottom, left, right) must be less than the image of {}",
                    self.shape()
                ),
            );
        }
        let along = |extent: usize, a: usize, b: usize| extent.saturating_add(a).saturating_add(b);
        let shape = Shape([n, along(h, top, bottom), along(w, left, right), c]);
        self.graph.push(Op::ReflectionPad(padding), &[self], shape)
    }

    pub(in crate::graph) fn reflection_pad2d_grad(self, padding: [usize; 4]) -> Self {
        let [n, h, w, c] = self.shape().0;
        let [top, bottom, left, right] = padding;
        let shape = Shape([n, h - top - bottom, w - left - right, c]);
        self.graph.append(Op::ReflectionPadGrad(padding), &[self], shape)
    }

    /// Every pixel repeated `[rows, columns]` times.
    ///
    /// # Errors
    /// If a factor is 0, or the result too large.
    pub fn upsample_nearest2d(self, factor: [usize; 2]) -> Result<Self> {
        if factor.contains(&0) {
            return mismatch("upsample_nearest2d", format!("factor {factor:?} must be at least 1"));
        }
        self.graph.push(Op::UpsampleNearest(factor), &[self], self.repeated(factor))
    }

    /// The shape with every pixel repeated.
    fn repeated(self, [rows, columns]: [usize; 2]) -> Shape {
        let [n, h, w, c] = self.shape().0;
        Shape([n, h.saturating_mul(rows), w.saturating_mul(columns), c])
    }

    pub(in crate::graph) fn upsample_nearest2d_grad(self, factor: [usize; 2]) -> Self {
        let [n, h, w, c] = self.shape().0;
        let shape = Shape([n, h / factor[0], w / factor[1], c]);
        self.graph.append(Op::UpsampleNearestGrad(factor), &[self], shape)
    }

    /// The mean of every block of `[rows, columns]` pixels.
    ///
    /// # Errors
    /// If the blocks do not fill the image evenly.
    pub fn avg_pool2d(self, block: [usize; 2]) -> Result<Self> {
        let [_, h, w, _] = self.shape().0;
        if block.contains(&0) || !h.is_multiple_of(block[0]) || !w.is_multiple_of(block[1]) {
            return mismatch(
                "avg_pool2d",
                format!("blocks of {block:?} pixels do not fill the image of {} evenly", self.shape()),
            );
        }
        if block == [1, 1] {
            return Ok(self);
        }
        Ok(self.upsample_nearest2d_grad(block).scale(1.0 / (block[0] * block[1]) as f64))
    }

    /// The largest number of every window of `kernel` (height, width) pixels. The first of equal ones takes the gradient, and
    /// padding is no part of a window, as in PyTorch.
    ///
    /// # Errors
    /// If the windows do not fit the padded image, or the padding is more than half a window.
    pub fn max_pool2d(self, kernel: [usize; 2], options: ConvOptions) -> Result<Self> {
        let [_, h, w, _] = self.shape().0;
        if (0..2).any(|axis| options.padding[axis] > kernel[axis] / 2) {
            return mismatch(
                "max_pool2d",
                format!("padding {:?} must be at most half of kernel {kernel:?}", options.padding),
            );
        }
        let geometry = ConvGeometry::conv2d([h, w], kernel, options).map_err(|error| match error {
            Error::Graph { problem, .. } => Error::Graph { op: "max_pool2d", problem },
            other => other,
        })?;
        self.max_pool2d_of(self, geometry)
    }

    pub(in crate::graph) fn max_pool2d_of(self, values: Self, geometry: ConvGeometry) -> Result<Self> {
        let ([n, _, _, c], [h, w]) = (self.shape().0, geometry.small);
        self.graph.push(Op::MaxPool(geometry), &[self, values], Shape([n, h, w, c]))
    }

    pub(in crate::graph) fn max_pool2d_grad(self, gy: Self, geometry: ConvGeometry) -> Result<Self> {
        self.graph.push(Op::MaxPoolGrad(geometry), &[self, gy], self.shape())
    }

    /// Twice the size by linear interpolation between pixel centres both ways, as PyTorch's `bilinear` without
    /// `align_corners`: every pixel repeated, then blurred.
    pub fn upsample_bilinear2d(self) -> Self {
        let factor = [2, 2];
        self.graph.append(Op::UpsampleNearest(factor), &[self], self.repeated(factor)).blur()
    }

    /// Rows and columns each averaged with their neighbours, 1/4, 1/2, 1/4; border pixels are repeated outward.
    pub fn blur(self) -> Self {
        self.graph.append(Op::Blur, &[self], self.shape())
    }

    /// Each image moved by whole pixels: `offsets` is `[n, 1, 1, 2]`, down then right, and zeros come in. A fraction is
    /// rounded to the nearest whole number, halves to the even one; where an offset is NaN the image is zeros.
    ///
    /// # Errors
    /// If `offsets` has another shape.
    pub fn translate(self, offsets: Self) -> Result<Self> {
        let expected = Shape([self.shape().0[0], 1, 1, 2]);
        if offsets.shape() != expected {
            return mismatch(
                "translate",
                format!("x {} needs offsets {expected}, not {}", self.shape(), offsets.shape()),
            );
        }
        self.translate_with(offsets, false)
    }

    pub(in crate::graph) fn translate_with(self, offsets: Self, back: bool) -> Result<Self> {
        self.graph.push(Op::Translate { back }, &[self, offsets], self.shape())
    }

    /// Rows (images) taken from this tensor and `other`: number `rows[b]` of the two laid one after the other, `rows`
    /// being `[n, 1, 1, 1]`; a row below 0 or NaN is the first, one beyond the end the last. A constant to differentiation.
    ///
    /// # Errors
    /// If the two differ in more than their first extent, or `rows` has another shape.
    pub fn gather_rows(self, other: Self, rows: Self) -> Result<Self> {
        let ([_, h, w, c], [_, oh, ow, oc]) = (self.shape().0, other.shape().0);
        let count = rows.shape().0[0];
        if [h, w, c] != [oh, ow, oc] || rows.shape() != Shape([count, 1, 1, 1]) {
            return mismatch(
                "gather_rows",
                format!(
                    "{} and {} must agree but for the first extent, and rows {} be [n, 1, 1, 1]",
                    self.shape(),
                    other.shape(),
                    rows.shape()
                ),
            );
        }
        self.graph.push(Op::GatherRows, &[self, other, rows], Shape([count, h, w, c]))
    }
}
