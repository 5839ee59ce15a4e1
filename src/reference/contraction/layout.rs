//! Matrices and images copied into other layouts.

use super::tile::LANES;
use super::windows::Image;
use crate::real::Real;
use std::borrow::Cow;
use std::ops::Range;

/// Rows of `width` numbers, made longer by zeros to a multiple of [`LANES`].
pub fn padded<T: Real>(matrix: &[T], width: usize) -> Cow<'_, [T]> {
    let wide = width.next_multiple_of(LANES);
    if wide == width {
        return Cow::Borrowed(matrix);
    }
    let mut rows = vec![T::from_f64(0.0); matrix.len() / width * wide];
    for (to, from) in rows.chunks_exact_mut(wide).zip(matrix.chunks_exact(width)) {
        to[..width].copy_from_slice(from);
    }
    Cow::Owned(rows)
}

/// The matrix `from` of rows of `width` numbers, its columns as rows of `to`, which are `row` numbers apart.
pub fn transpose<T: Real>(from: &[T], width: usize, to: &mut [T], row: usize) {
    for (i, from) in from.chunks(LANES * width).enumerate() {
        for first in (0..width).step_by(LANES) {
            let mut block = [[T::from_f64(0.0); LANES]; LANES];
            let (rows, columns) = (from.len() / width, LANES.min(width - first));
            for (block, from) in block.iter_mut().zip(from.chunks_exact(width)) {
                block[..columns].copy_from_slice(&from[first..first + columns]);
            }
            for column in 0..columns {
                let turned: [T; LANES] = std::array::from_fn(|row| block[row][column]);
                to[(first + column) * row + i * LANES..][..rows].copy_from_slice(&turned[..rows]);
            }
        }
    }
}

/// Writes the rows `lines` and columns `columns` of an image of `x`; outside it are zeros.
pub fn bordered<T: Real>(
    x: &[T],
    image: usize,
    Image { size: [height, width], channels }: Image,
    lines: Range<isize>,
    columns: &Range<isize>,
    to: &mut [T],
) {
    let zero = T::from_f64(0.0);
    let inside = [columns.start, columns.end].map(|column| column.clamp(0, width as isize));
    let before = (inside[0] - columns.start) as usize * channels;
    for (line, to) in lines.zip(to.chunks_exact_mut(columns.len() * channels)) {
        if (0..height as isize).contains(&line) {
            let row = (image * height + line as usize) * width;
            let [from, end] = inside.map(|column| (row + column as usize) * channels);
            to[..before].fill(zero);
            to[before..before + end - from].copy_from_slice(&x[from..end]);
            to[before + end - from..].fill(zero);
        } else {
            to.fill(zero);
        }
    }
}
