//! A contraction as a matrix product: what the choice of its kernel depends on.

use crate::Result;
use crate::gpu::program::{Dispatch, Program};
use crate::graph::{NodeId, Op, Step, Var};
use crate::shape::{ConvGeometry, ConvOptions, Shape};
use serde::{Deserialize, Serialize};

/// Which of the three contractions over one index set.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// [`Op::Conv2d`].
    Conv2d,
    /// [`Op::ConvTranspose2d`].
    ConvTranspose2d,
    /// [`Op::Conv2dWeightGrad`].
    WeightGrad,
}

/// A contraction and the extents of everything in it. [`Contraction::of`] and [`Contraction::all`] find those of a step, as
/// [`super::TuningTable`] have them.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
pub struct Contraction {
    /// Which of the three.
    pub kind: Kind,
    /// The index set.
    pub geometry: ConvGeometry,
    /// Images.
    pub batch: usize,
    /// Channels on the large side.
    pub i: usize,
    /// Channels on the small side.
    pub o: usize,
}

/// Extents of the matrix product that a contraction is, `m x k` by `k x n`, once for every phase of a transposed convolution.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct GemmShape {
    /// Rows of the result, of the largest product.
    pub m: usize,
    /// Columns of the result.
    pub n: usize,
    /// Length of the contraction, of the longest product.
    pub k: usize,
    /// Products side by side.
    pub batch: usize,
}

impl Contraction {
    /// The contraction of operands of shapes `a` and `b`, as `Op` has them.
    pub(super) fn new(kind: Kind, geometry: &ConvGeometry, a: Shape, b: Shape) -> Self {
        let [batch, ..] = a.0;
        let (i, o) = match kind {
            Kind::Conv2d | Kind::ConvTranspose2d => (b.0[2], b.0[3]),
            Kind::WeightGrad => (a.0[3], b.0[3]),
        };
        Self { kind, geometry: *geometry, batch, i, o }.flat()
    }

    /// The contraction that node `id` of `step` is, if it is one.
    pub fn of(step: &Step, id: NodeId) -> Option<Self> {
        let node = &step.nodes[id];
        let (kind, geometry) = match &node.op {
            Op::Conv2d(geometry) => (Kind::Conv2d, geometry),
            Op::ConvTranspose2d(geometry) => (Kind::ConvTranspose2d, geometry),
            Op::Conv2dWeightGrad(geometry) => (Kind::WeightGrad, geometry),
            _ => return None,
        };
        let [a, b] = [0, 1].map(|index| step.nodes[node.operands[index]].shape);
        Some(Self::new(kind, geometry, a, b))
    }

    /// The contraction that a dispatch of `program` computes, if it does.
    pub fn of_dispatch(program: &Program, dispatch: &Dispatch) -> Option<Self> {
        let kernel = program.kernel(dispatch).strip_prefix("conv/")?;
        let (kind, _) = ["_tiled", "_direct", "_narrow"].iter().find_map(|form| kernel.split_once(form))?;
        let kind = match kind {
            "conv2d" => Kind::Conv2d,
            "conv_transpose2d" => Kind::ConvTranspose2d,
            _ => Kind::WeightGrad,
        };
        let number = |name: &str| program.constant(dispatch, name).map(|number| number as usize);
        let axes = |height, width| Some([number(height)?, number(width)?]);
        let geometry = ConvGeometry {
            large: axes("LARGE_H", "LARGE_W")?,
            small: axes("SMALL_H", "SMALL_W")?,
            kernel: axes("KERNEL_H", "KERNEL_W")?,
            stride: axes("STRIDE_H", "STRIDE_W")?,
            padding: axes("PAD_H", "PAD_W")?,
        };
        Some(Self { kind, geometry, batch: number("BATCH")?, i: number("I")?, o: number("O")? })
    }

    /// Every contraction of `steps`, each once.
    pub fn all(steps: &[Step]) -> Vec<Self> {
        let mut all = Vec::new();
        for step in steps {
            for found in (0..step.nodes.len()).filter_map(|id| Self::of(step, id)) {
                if !all.contains(&found) {
                    all.push(found);
                }
            }
        }
        all
    }

    /// A kernel that covers the whole large side meets it in one place: a plain product, whose taps count as channels.
    /// In memory nothing changes. By phases, a transposed convolution would try every tap for every pixel, all but one in
    /// vain. A convolution gains nothing by it.
    fn flat(self) -> Self {
        let g = self.geometry;
        if self.kind == Kind::Conv2d || g.small != [1, 1] || g.padding != [0, 0] || g.large != g.kernel {
            return self;
        }
        let one = [1, 1];
        let geometry = ConvGeometry { large: one, small: one, kernel: one, stride: one, padding: [0, 0] };
        Self { geometry, i: g.taps() * self.i, ..self }
    }

    /// The matrix product.
    pub fn gemm(&self) -> GemmShape {
        let g = &self.geometry;
        let pixels = self.batch * g.small[0] * g.small[1];
        let per_phase = |extents: [usize; 2]| -> usize {
            (0..2).map(|axis| extents[axis].div_ceil(g.stride[axis])).product()
        };
        match self.kind {
            Kind::Conv2d => GemmShape { m: pixels, n: self.o, k: g.taps() * self.i, batch: 1 },
            Kind::ConvTranspose2d => GemmShape {
                m: self.batch * per_phase(g.large),
                n: self.i,
                k: per_phase(g.kernel) * self.o,
                batch: g.stride[0] * g.stride[1],
            },
            Kind::WeightGrad => GemmShape { m: g.taps() * self.i, n: self.o, k: pixels, batch: 1 },
        }
    }

    /// The contraction of two values of its operands' shapes, as a node of their graph.
    ///
    /// # Errors
    /// If they have other shapes.
    pub fn build<'g>(&self, a: Var<'g>, b: Var<'g>) -> Result<Var<'g>> {
        let g = &self.geometry;
        let options = ConvOptions { stride: g.stride, padding: g.padding, output_padding: [0, 0] };
        match self.kind {
            Kind::Conv2d => a.conv2d(b, options),
            Kind::ConvTranspose2d => {
                let without = |axis: usize| (g.small[axis] - 1) * g.stride[axis] + g.kernel[axis];
                let output_padding = [0, 1].map(|axis| g.large[axis] + 2 * g.padding[axis] - without(axis));
                a.conv_transpose2d(b, ConvOptions { output_padding, ..options })
            }
            Kind::WeightGrad => a.conv2d_weight_grad(b, *g),
        }
    }

    /// The constants of `shaders/lib/conv.wgsl`.
    pub(crate) fn constants(&self) -> [(&'static str, usize); 13] {
        let g = &self.geometry;
        [
            ("BATCH", self.batch),
            ("LARGE_H", g.large[0]),
            ("LARGE_W", g.large[1]),
            ("SMALL_H", g.small[0]),
            ("SMALL_W", g.small[1]),
            ("KERNEL_H", g.kernel[0]),
            ("KERNEL_W", g.kernel[1]),
            ("STRIDE_H", g.stride[0]),
            ("STRIDE_W", g.stride[1]),
            ("PAD_H", g.padding[0]),
            ("PAD_W", g.padding[1]),
            ("I", self.i),
            ("O", self.o),
        ]
    }

    /// Multiplications, each with an addition.
    pub fn multiply_adds(&self) -> usize {
        let g = &self.geometry;
        self.batch * g.small[0] * g.small[1] * g.taps() * self.i * self.o
    }

    /// Shapes of both operands and of the result.
    pub fn shapes(&self) -> [Shape; 3] {
        let g = &self.geometry;
        let large = Shape([self.batch, g.large[0], g.large[1], self.i]);
        let small = Shape([self.batch, g.small[0], g.small[1], self.o]);
        let weight = Shape([g.kernel[0], g.kernel[1], self.i, self.o]);
        match self.kind {
            Kind::Conv2d => [large, weight, small],
            Kind::ConvTranspose2d => [small, weight, large],
            Kind::WeightGrad => [large, small, weight],
        }
    }
}
