//! The heart of the contractions: a few rows of a matrix product, summed in registers.

use crate::reference::number::Element;
use pulp::Simd;

/// Rows of a tile.
pub const ROWS: usize = 6;

/// Rows of a tile for results of few channels, which then lie along the rows.
pub const FEW: usize = 3;

/// Numbers that vectors of every instruction set fill.
pub const LANES: usize = 16;

/// Vectors in a row of a tile.
const VECTORS: usize = 4;

/// Numbers in a row of the widest tile.
pub const WIDTH: usize = VECTORS * LANES;

/// A stretch of a sum: terms `0..len`. Term `t` is the product of `a[row + start + t * step]`, for each row, and
/// `b[from + column + t * stride]`, for each column.
#[derive(Clone, Copy, Debug)]
pub struct Run {
    pub start: usize,
    pub from: usize,
    pub len: usize,
}

/// What a tile multiplies: see [`Run`].
#[derive(Clone, Copy)]
pub struct Factors<'a, T> {
    pub a: &'a [T],
    pub step: usize,
    pub b: &'a [T],
    pub stride: usize,
}

/// A tile's sums, in rows of [`WIDTH`].
pub type Sums<T> = [T; ROWS * WIDTH];

/// Columns of the widest tile with this instruction set: its sums must fit the registers, beside its factors.
#[inline(always)]
pub fn panel<T: Element, S: Simd>() -> usize {
    lanes::<T, S>() * if S::REGISTER_COUNT >= 32 { VECTORS } else { VECTORS / 2 }
}

#[inline(always)]
fn lanes<T: Element, S: Simd>() -> usize {
    size_of::<T::Vector<S>>() / size_of::<T>()
}

/// Sums all terms of all runs, for each of `rows` and `columns` columns from `column` on, at most [`panel`]. `b` is read
/// up to the next multiple of [`LANES`] columns.
#[inline(always)]
pub fn tile<T: Element, S: Simd, const R: usize>(
    simd: S,
    factors: Factors<'_, T>,
    rows: [usize; R],
    runs: &[Run],
    column: usize,
    columns: usize,
    sums: &mut Sums<T>,
) {
    match columns.div_ceil(lanes::<T, S>()) {
        1 => sum::<T, S, R, 1>(simd, factors, rows, runs, column, sums),
        2 => sum::<T, S, R, 2>(simd, factors, rows, runs, column, sums),
        3 => sum::<T, S, R, 3>(simd, factors, rows, runs, column, sums),
        _ => sum::<T, S, R, 4>(simd, factors, rows, runs, column, sums),
    }
}

#[inline(always)]
fn sum<T: Element, S: Simd, const R: usize, const V: usize>(
    simd: S,
    Factors { a, step, b, stride }: Factors<'_, T>,
    rows: [usize; R],
    runs: &[Run],
    column: usize,
    out: &mut Sums<T>,
) {
    let lanes = lanes::<T, S>();
    let last = rows.into_iter().fold(0, usize::max);
    let mut sums = [[T::splat(simd, T::from_f64(0.0)); V]; R];
    for run in runs.iter().filter(|run| run.len > 0) {
        assert!(last + run.start + (run.len - 1) * step < a.len());
        assert!(run.from + column + (run.len - 1) * stride + V * lanes <= b.len());
        for term in 0..run.len {
            // SAFETY: the assertions bound the indices of the last term, row and vector.
            unsafe {
                let b = b.as_ptr().add(run.from + column + term * stride).cast::<T::Vector<S>>();
                let vector = |v| b.add(v).read_unaligned();
                let b: [T::Vector<S>; V] = std::array::from_fn(vector);
                for (row, sums) in rows.into_iter().zip(&mut sums) {
                    let a = T::splat(simd, *a.get_unchecked(row + run.start + term * step));
                    for (sum, b) in sums.iter_mut().zip(b) {
                        *sum = T::fused(simd, a, b, *sum);
                    }
                }
            }
        }
    }
    for (out, sums) in out.chunks_exact_mut(WIDTH).zip(&sums) {
        out[..V * lanes].copy_from_slice(bytemuck::cast_slice(sums));
    }
}
