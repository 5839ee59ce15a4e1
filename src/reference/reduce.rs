//! Sums over axes and their transpose, all accumulated in f64 in a fixed order.

use super::{Real, vectorized};
use crate::executor::blocks;
use crate::shape::Shape;
use rayon::prelude::*;
use std::ops::Range;

/// Rows summed by one thread before partial sums meet.
const ROWS: usize = 512;

/// Adds up `width` numbers over `rows` rows: `add(row, sums)` adds one row. Blocks of rows run side by side.
pub fn sum_rows(rows: usize, width: usize, add: impl Fn(usize, &mut [f64]) + Sync) -> Vec<f64> {
    let sum = |block: Range<usize>| {
        let mut sums = vec![0.0; width];
        vectorized(|| block.for_each(|row| add(row, &mut sums)));
        sums
    };
    let parts: Vec<Vec<f64>> = blocks(rows, ROWS).into_par_iter().map(sum).collect();
    let mut parts = parts.into_iter();
    let mut total = parts.next().unwrap_or_else(|| vec![0.0; width]);
    for part in parts {
        total.iter_mut().zip(part).for_each(|(total, part)| *total += part);
    }
    total
}

/// See [`crate::graph::Op::Sum`].
pub fn sum<T: Real>(x: &[T], xs: Shape, y: &mut [T], ys: Shape) {
    let [_, height, width, channels] = xs.0;
    let strides = ys.broadcast_strides();
    let mut total = vec![0.0; y.len()];
    let add = |row: usize, at: usize, sums: &mut [f64]| {
        for (c, &x) in x[row * channels..(row + 1) * channels].iter().enumerate() {
            sums[at + c * strides[3]] += x.as_f64();
        }
    };
    if strides[..3] == [0, 0, 0] {
        let rows = xs.len() / channels;
        total = sum_rows(rows, y.len(), |row, sums| add(row, 0, sums));
    } else {
        for row in 0..xs.len() / channels {
            let (n, h, w) = (row / (height * width), row / width % height, row % width);
            add(row, n * strides[0] + h * strides[1] + w * strides[2], &mut total);
        }
    }
    y.iter_mut().zip(total).for_each(|(y, total)| *y = T::from_f64(total));
}

/// See [`crate::graph::Op::Broadcast`].
pub fn broadcast<T: Real>(x: &[T], xs: Shape, y: &mut [T], ys: Shape) {
    let [_, height, width, channels] = ys.0;
    let s = xs.broadcast_strides();
    y.par_chunks_mut(channels).enumerate().for_each(|(row, y)| {
        let (n, h, w) = (row / (height * width), row / width % height, row % width);
        let at = n * s[0] + h * s[1] + w * s[2];
        y.iter_mut().enumerate().for_each(|(c, y)| *y = x[at + c * s[3]]);
    });
}
