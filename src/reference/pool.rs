//! Max pooling, and its transpose.

use super::Real;
use crate::shape::ConvGeometry;
use rayon::prelude::*;

/// The number of an image `x` that is largest in channel `c` of window `at`, by its place: the first of equal ones, and NaN
/// before all numbers, the last of several, as PyTorch has it.
fn largest<T: Real>(g: &ConvGeometry, x: &[T], channels: usize, at: usize, c: usize) -> usize {
    let window = [at / g.small[1], at % g.small[1]];
    let [rows, columns] = [0, 1].map(|axis| {
        let start = window[axis] * g.stride[axis];
        let end = (start + g.kernel[axis] - g.padding[axis]).min(g.large[axis]);
        start.saturating_sub(g.padding[axis])..end
    });
    let place = |row: usize, column: usize| (row * g.large[1] + column) * channels + c;
    let mut best = place(rows.start, columns.start);
    for row in rows {
        for column in columns.clone() {
            let place = place(row, column);
            if x[place] > x[best] || x[place].is_nan() {
                best = place;
            }
        }
    }
    best
}

/// See [`crate::graph::Op::MaxPool`].
pub fn max_pool<T: Real>(g: &ConvGeometry, x: &[T], v: &[T], channels: usize, y: &mut [T]) {
    let [image, pooled] = [g.large, g.small].map(|[h, w]| h * w * channels);
    let images = y.par_chunks_exact_mut(pooled).zip(x.par_chunks_exact(image));
    images.zip(v.par_chunks_exact(image)).for_each(|((y, x), v)| {
        for (at, y) in y.chunks_exact_mut(channels).enumerate() {
            y.iter_mut().enumerate().for_each(|(c, y)| *y = v[largest(g, x, channels, at, c)]);
        }
    });
}

/// See [`crate::graph::Op::MaxPoolGrad`].
pub fn max_pool_grad<T: Real>(g: &ConvGeometry, x: &[T], gy: &[T], channels: usize, dv: &mut [T]) {
    let [image, pooled] = [g.large, g.small].map(|[h, w]| h * w * channels);
    dv.fill(T::from_f64(0.0));
    let images = dv.par_chunks_exact_mut(image).zip(x.par_chunks_exact(image));
    images.zip(gy.par_chunks_exact(pooled)).for_each(|((dv, x), gy)| {
        for (at, gy) in gy.chunks_exact(channels).enumerate() {
            gy.iter().enumerate().for_each(|(c, gy)| dv[largest(g, x, channels, at, c)] += *gy);
        }
    });
}
