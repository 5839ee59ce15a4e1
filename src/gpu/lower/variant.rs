//! The kernels that can compute a contraction.

use super::gemm::GemmShape;
use crate::real::Precision;
use serde::{Deserialize, Serialize};

/// One way to compute a contraction.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
pub struct Variant {
    /// The kernel.
    pub form: Form,
    /// Parts of the contraction, summed one by one and then added up in order.
    #[serde(alias = "parts")]
    pub split_k: usize,
}

/// A kernel and what one invocation or workgroup of it computes.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Form {
    /// Straight from storage, `shaders/conv/*_direct.wgsl`: for software drivers, and for few channels.
    Direct {
        /// Pixels an invocation; of a weight gradient, lanes of channels on the large side.
        rows: usize,
        /// Lanes of channels an invocation.
        lanes: usize,
    },
    /// Through workgroup memory, `shaders/conv/*_tiled.wgsl`.
    Tiled(Tile),
    /// Tiles by matrix units, `shaders/lib/matrix.wgsl`; in mixed precision.
    Matrix(Matrix),
    /// For results of few channels, all of them in one invocation, `shaders/conv/*_narrow.wgsl`.
    Narrow {
        /// Pixels of a row that an invocation computes; of a weight gradient, that it takes at a time.
        pixels: usize,
    },
}

/// The part of a product that a workgroup computes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Block {
    /// Rows of the product.
    pub rows: usize,
    /// Columns of the product.
    pub columns: usize,
    /// Numbers of the contraction staged at a time.
    pub slice: usize,
}

/// A tile of `shaders/lib/matrix.wgsl`.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
pub struct Matrix {
    /// Rows of the product a workgroup computes.
    pub rows: usize,
    /// Columns of the product a workgroup computes.
    pub columns: usize,
    /// Rows and columns of the results that a subgroup holds.
    pub patch: [usize; 2],
    /// Numbers of the contraction staged at a time.
    pub slice: usize,
    /// What computes it.
    pub units: MatrixUnits,
}

/// Units that multiply two matrices of f16 and add the product to one of f32.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
pub struct MatrixUnits {
    /// Rows and columns of all three: 8 or 16.
    pub size: usize,
    /// Invocations of the smallest and of the largest subgroup.
    pub subgroup: [usize; 2],
}

/// Rows, columns, patches and slices of tiles for matrix units, those that read least for each result first.
const MATRICES: [([usize; 2], [usize; 2], usize); 7] = [
    ([128, 128], [64, 32], 32),
    ([128, 64], [32, 32], 32),
    ([64, 64], [32, 32], 32),
    ([64, 64], [32, 32], 16),
    ([64, 32], [32, 16], 32),
    ([32, 64], [16, 32], 32),
    ([32, 32], [16, 16], 32),
];

impl Matrix {
    /// Every tile for `units`, those that read least for each result first.
    pub fn all(units: MatrixUnits) -> [Self; MATRICES.len()] {
        MATRICES.map(|([rows, columns], patch, slice)| Self { rows, columns, patch, slice, units })
    }

    /// What a workgroup computes.
    pub fn block(&self) -> Block {
        Block { rows: self.rows, columns: self.columns, slice: self.slice }
    }

    /// Patches down and across.
    pub(super) fn patches(&self) -> [usize; 2] {
        [self.rows / self.patch[0], self.columns / self.patch[1]]
    }

    /// Invocations of a workgroup: a subgroup for each patch where they are smallest.
    pub fn invocations(&self) -> usize {
        self.patches().iter().product::<usize>() * self.units.subgroup[0]
    }

    /// Bytes of workgroup memory: a slice in f16, and a matrix of results of each patch.
    pub fn bytes(&self) -> usize {
        let results = self.patches().iter().product::<usize>() * self.units.size * self.units.size;
        2 * (self.rows + self.columns) * (self.slice + 8) + 4 * results
    }
}

/// A tile of `shaders/lib/tile.wgsl`.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
pub struct Tile {
    /// Rows of the product a workgroup computes.
    pub rows: usize,
    /// Columns of the product a workgroup computes.
    pub columns: usize,
    /// Blocks of 4 x 4 results that an invocation holds, down.
    pub down: usize,
    /// Such blocks across.
    pub across: usize,
    /// Numbers of the contraction staged at a time.
    pub slice: usize,
}

const fn tile([rows, columns]: [usize; 2], [down, across]: [usize; 2], slice: usize) -> Tile {
    Tile { rows, columns, down, across, slice }
}

/// Every tile, those that read least for each result first.
pub const TILES: [Tile; 11] = [
    tile([128, 128], [2, 2], 16),
    tile([128, 128], [2, 2], 8),
    tile([128, 64], [2, 2], 16),
    tile([128, 64], [2, 1], 16),
    tile([64, 64], [2, 1], 16),
    tile([64, 64], [1, 1], 16),
    tile([128, 32], [2, 1], 16),
    tile([64, 32], [1, 1], 16),
    tile([32, 64], [1, 1], 16),
    tile([16, 64], [1, 1], 16),
    tile([32, 32], [1, 1], 16),
];

impl std::fmt::Display for Variant {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.form {
            Form::Direct { rows, lanes } => write!(f, "direct {rows}x{lanes}")?,
            Form::Narrow { pixels } => write!(f, "narrow {pixels}")?,
            Form::Tiled(Tile { rows, columns, down, across, slice }) => {
                write!(f, "tile {rows}x{columns}, {}x{} each, slice {slice}", 4 * down, 4 * across)?;
            }
            Form::Matrix(Matrix { rows, columns, patch: [down, across], slice, units }) => {
                let size = units.size;
                write!(f, "matrix {size}x{size}, {rows}x{columns}, {down}x{across} each, slice {slice}")?;
            }
        }
        if self.split_k > 1 { write!(f, ", split_k {}", self.split_k) } else { Ok(()) }
    }
}

impl Tile {
    /// Invocations of a workgroup.
    pub fn invocations(&self) -> usize {
        self.rows * self.columns / (16 * self.down * self.across)
    }

    /// Bytes of workgroup memory, of the contraction that takes most.
    pub fn bytes(&self, precision: Precision) -> usize {
        let four = if precision.is_single() { 16 } else { 8 };
        self.slice / 4 * (self.rows + self.columns + 2) * four
    }

    /// What a workgroup computes.
    pub fn block(&self) -> Block {
        Block { rows: self.rows, columns: self.columns, slice: self.slice }
    }
}

impl Block {
    /// Fours that each of so many invocations stages of every slice of an operand with so many rows or columns.
    pub(super) fn staged(&self, extent: usize, invocations: usize) -> usize {
        (extent * self.slice / 4).div_ceil(invocations)
    }

    /// Whether so many invocations can stage a slice by `shaders/lib/stage.wgsl`: each as many fours as the others, and always
    /// of the same rows or columns.
    pub(super) fn staged_evenly(&self, invocations: usize) -> bool {
        let even = |extent: usize| {
            (extent * self.slice / 4).is_multiple_of(invocations) && invocations.is_multiple_of(extent / 4)
        };
        even(self.rows) && even(self.columns) && invocations.is_multiple_of(self.slice / 4)
    }

    /// Tiles down and across.
    pub(super) fn grid(&self, gemm: &GemmShape) -> [usize; 2] {
        [gemm.m.div_ceil(self.rows), gemm.n.div_ceil(self.columns)]
    }

    /// Numbers of the contraction in each of so many parts.
    pub(super) fn share(&self, gemm: &GemmShape, split_k: usize) -> usize {
        gemm.k.div_ceil(split_k).next_multiple_of(self.slice).max(self.slice)
    }

    pub(super) fn workgroups(&self, gemm: &GemmShape) -> usize {
        let [down, across] = self.grid(gemm);
        down * across * gemm.batch
    }

    /// Results computed for a product, those outside it counted too.
    pub(super) fn computed(&self, gemm: &GemmShape) -> usize {
        self.workgroups(gemm) * self.rows * self.columns
    }
}
