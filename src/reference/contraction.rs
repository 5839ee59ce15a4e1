//! The three contractions, as matrix products over windows gathered into rows (im2col), on faer's matrix product.
//!
//! Work is cut into blocks of fixed size, side by side on all cores; the result does not depend on how many there are.

use super::Real;
use crate::executor::blocks;
use crate::shape::{ConvGeometry, Shape};
use faer::linalg::matmul::matmul;
use faer::{Accum, MatMut, MatRef, Par};
use rayon::prelude::*;
use std::ops::Range;

/// Numbers of a block's gathered windows: small enough to stay in a core's cache.
const BLOCK: usize = 128 * 1024;

/// How many partial sums a weight gradient is cut into.
const PARTS: usize = 8;

/// `[kh, kw, i, o]` weights seen as a matrix of `kh*kw*i` rows.
fn rows_of_taps<T: Real>(weight: &[T], outputs: usize) -> MatRef<'_, T> {
    MatRef::from_row_major_slice(weight, weight.len() / outputs, outputs)
}

/// Rows of `small` in one block, such that their windows fill about [`BLOCK`] numbers.
fn block_rows(g: &ConvGeometry, channels: usize) -> usize {
    (BLOCK / (g.taps() * channels * g.small[1])).max(1)
}

/// See [`crate::graph::Op::Conv2d`].
pub fn conv2d<T: Real>(g: &ConvGeometry, x: &[T], xs: Shape, w: &[T], y: &mut [T], ys: Shape) {
    let (channels, outputs) = (xs.channels(), ys.channels());
    let rows = block_rows(g, channels);
    let row_len = g.small[1] * outputs;
    y.par_chunks_mut(rows * row_len).enumerate().for_each_init(Vec::new, |windows, (block, y)| {
        let first = block * rows;
        let range = first..first + y.len() / row_len;
        gather(g, x, channels, range, windows);
        let pixels = y.len() / outputs;
        matmul(
            MatMut::from_row_major_slice_mut(y, pixels, outputs),
            Accum::Replace,
            MatRef::from_row_major_slice(windows, pixels, g.taps() * channels),
            rows_of_taps(w, outputs),
            T::of(1.0),
            Par::Seq,
        );
    });
}

/// See [`crate::graph::Op::ConvTranspose2d`]. Each block is a band of result rows; it computes the windows of every
/// input row that reaches the band and adds the part that falls inside.
pub fn conv_transpose2d<T: Real>(g: &ConvGeometry, x: &[T], xs: Shape, w: &[T], y: &mut [T], ys: Shape) {
    let (inputs, channels) = (xs.channels(), ys.channels());
    let [height, width] = g.large;
    let bands_rows = (block_rows(g, channels) * g.stride[0]).min(height);
    let bands = blocks(height, bands_rows);
    let row_len = width * channels;
    let mut parts: Vec<(usize, Range<usize>, &mut [T])> = Vec::new();
    for (picture, mut rest) in y.chunks_exact_mut(height * row_len).enumerate() {
        for band in &bands {
            let (part, after) = rest.split_at_mut(band.len() * row_len);
            parts.push((picture, band.clone(), part));
            rest = after;
        }
    }
    parts.into_par_iter().for_each_init(Vec::new, |windows: &mut Vec<T>, (picture, band, y)| {
        y.fill(T::of(0.0));
        // Input row r reaches result rows r*s - p .. r*s - p + k.
        let (s, p, k) = (g.stride[0], g.padding[0], g.kernel[0]);
        let from = (band.start + p + 1).saturating_sub(k).div_ceil(s);
        let to = ((band.end - 1 + p) / s + 1).min(g.small[0]);
        if from >= to {
            return;
        }
        let pixels = (to - from) * g.small[1];
        let start = (picture * g.small[0] + from) * g.small[1] * inputs;
        windows.resize(pixels * g.taps() * channels, T::of(0.0));
        matmul(
            MatMut::from_row_major_slice_mut(windows, pixels, g.taps() * channels),
            Accum::Replace,
            MatRef::from_row_major_slice(&x[start..start + pixels * inputs], pixels, inputs),
            rows_of_taps(w, inputs).transpose(),
            T::of(1.0),
            Par::Seq,
        );
        scatter(g, windows, channels, from..to, band, y);
    });
}

/// See [`crate::graph::Op::Conv2dWeightGrad`].
pub fn conv2d_weight_grad<T: Real>(g: &ConvGeometry, x: &[T], xs: Shape, gy: &[T], dw: &mut [T], ws: Shape) {
    let (channels, outputs) = (xs.channels(), ws.channels());
    let total = xs.0[0] * g.small[0];
    let rows = block_rows(g, channels);
    let row_len = g.small[1] * outputs;
    let sums: Vec<Vec<T>> = blocks(total, total.div_ceil(PARTS))
        .into_par_iter()
        .map_init(Vec::new, |windows, part| {
            let mut sum = vec![T::of(0.0); dw.len()];
            for range in blocks(part.len(), rows) {
                let range = part.start + range.start..part.start + range.end;
                gather(g, x, channels, range.clone(), windows);
                let pixels = range.len() * g.small[1];
                matmul(
                    MatMut::from_row_major_slice_mut(&mut sum, g.taps() * channels, outputs),
                    Accum::Add,
                    MatRef::from_row_major_slice(windows, pixels, g.taps() * channels).transpose(),
                    MatRef::from_row_major_slice(
                        &gy[range.start * row_len..range.end * row_len],
                        pixels,
                        outputs,
                    ),
                    T::of(1.0),
                    Par::Seq,
                );
            }
            sum
        })
        .collect();
    dw.fill(T::of(0.0));
    for sum in sums {
        dw.iter_mut().zip(sum).for_each(|(total, part)| *total += part);
    }
}

/// Copies the window of every pixel in `rows` of `small` (counted over all pictures) into one row of `windows`, with
/// zeros where the window leaves the picture.
fn gather<T: Real>(g: &ConvGeometry, x: &[T], channels: usize, rows: Range<usize>, windows: &mut Vec<T>) {
    let row_len = g.kernel[1] * channels;
    windows.clear();
    windows.resize(rows.len() * g.small[1] * g.taps() * channels, T::of(0.0));
    let mut targets = windows.chunks_exact_mut(row_len);
    for row in rows {
        let (picture, sy) = (row / g.small[0], row % g.small[0]);
        for sx in 0..g.small[1] {
            let columns = span(sx, g, 1);
            for (ky, target) in (0..g.kernel[0]).zip(&mut targets) {
                let ly = (sy * g.stride[0] + ky).wrapping_sub(g.padding[0]);
                if ly < g.large[0] {
                    let line = (picture * g.large[0] + ly) * g.large[1];
                    let source = (line + columns.first) * channels;
                    let len = columns.taps.len() * channels;
                    target[columns.taps.start * channels..][..len].copy_from_slice(&x[source..source + len]);
                }
            }
        }
    }
}

/// Adds `windows` of input rows `rows` of one picture to the result rows `band`; the inverse walk of [`gather`].
fn scatter<T: Real>(
    g: &ConvGeometry,
    windows: &[T],
    channels: usize,
    rows: Range<usize>,
    band: Range<usize>,
    y: &mut [T],
) {
    let mut sources = windows.chunks_exact(g.kernel[1] * channels);
    for sy in rows {
        for sx in 0..g.small[1] {
            let columns = span(sx, g, 1);
            for (ky, source) in (0..g.kernel[0]).zip(&mut sources) {
                let ly = (sy * g.stride[0] + ky).wrapping_sub(g.padding[0]);
                if band.contains(&ly) {
                    let target = ((ly - band.start) * g.large[1] + columns.first) * channels;
                    let len = columns.taps.len() * channels;
                    let source = &source[columns.taps.start * channels..][..len];
                    y[target..target + len].iter_mut().zip(source).for_each(|(y, part)| *y += *part);
                }
            }
        }
    }
}

/// The taps of a window that fall inside the picture along one axis, and where the first of them falls.
struct Span {
    taps: Range<usize>,
    first: usize,
}

fn span(small: usize, g: &ConvGeometry, axis: usize) -> Span {
    let start = small * g.stride[axis];
    let before = g.padding[axis].saturating_sub(start).min(g.kernel[axis]);
    let end = (g.large[axis] + g.padding[axis]).saturating_sub(start).min(g.kernel[axis]);
    let first = (start + before).saturating_sub(g.padding[axis]).min(g.large[axis]);
    Span { taps: before..end.max(before), first }
}
