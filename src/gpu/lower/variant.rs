//! The kernels that can compute a contraction.

use super::gemm::GemmShape;
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
    /// For results of few channels, all of them in one invocation, `shaders/conv/*_narrow.wgsl`.
    Narrow {
        /// Pixels of a row that an invocation computes; of a weight gradient, that it takes at a time.
        pixels: usize,
    },
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
    pub fn bytes(&self) -> usize {
        self.slice / 4 * (self.rows + self.columns + 2) * 16
    }

    /// Fours that an invocation stages of every slice of an operand with so many rows or columns.
    pub(super) fn staged(&self, extent: usize) -> usize {
        (extent * self.slice / 4).div_ceil(self.invocations())
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
