//! Batch and instance normalisation, forward and backward. Statistics are summed in f64, the variance about the
//! mean, so a large mean with a small spread loses nothing.

use super::pointwise::CHUNK;
use super::reduce::sum_rows;
use super::{Real, vectorized};
use crate::graph::Per;
use crate::shape::Shape;
use rayon::prelude::*;

/// Groups that share statistics, and rows of channels in each.
fn groups(per: Per, shape: Shape) -> (usize, usize) {
    let [n, h, w, _] = shape.0;
    match per {
        Per::Batch => (1, n * h * w),
        Per::Instance => (n, h * w),
    }
}

/// See [`crate::graph::Op::Moments`].
pub fn moments<T: Real>(per: Per, x: &[T], shape: Shape, out: &mut [T]) {
    let channels = shape.channels();
    let (_, rows) = groups(per, shape);
    let groups = out.par_chunks_exact_mut(2 * channels).zip(x.par_chunks_exact(rows * channels));
    groups.for_each(|(out, x)| {
        let row = |row: usize| &x[row * channels..][..channels];
        let mut mean = sum_rows(rows, channels, |r, sums| {
            sums.iter_mut().zip(row(r)).for_each(|(sum, x)| *sum += x.as_f64());
        });
        mean.iter_mut().for_each(|mean| *mean /= rows as f64);
        let squares = sum_rows(rows, channels, |r, sums| {
            for ((sum, x), mean) in sums.iter_mut().zip(row(r)).zip(&mean) {
                let apart = x.as_f64() - mean;
                *sum += apart * apart;
            }
        });
        for (c, (mean, squares)) in mean.into_iter().zip(squares).enumerate() {
            out[c] = T::from_f64(mean);
            out[channels + c] = T::from_f64(squares / rows as f64);
        }
    });
}

/// `1 / sqrt(variance + eps)` per channel of every group's moments.
fn inverse_deviations<T: Real>(moments: &[T], channels: usize, eps: f64) -> Vec<T> {
    let variances = moments.chunks_exact(2 * channels).flat_map(|group| &group[channels..]);
    variances.map(|&variance| T::from_f64(1.0) / (variance + T::from_f64(eps)).sqrt()).collect()
}

/// Calls `line(group, first number, numbers)` for all lines of pixels of `y`, side by side.
fn for_lines<T: Real>(per: Per, shape: Shape, y: &mut [T], line: impl Fn(usize, usize, &mut [T]) + Sync) {
    let (_, rows) = groups(per, shape);
    let len = shape.0[2] * shape.channels();
    y.par_chunks_exact_mut(len).with_min_len(CHUNK.div_ceil(len)).enumerate().for_each(|(index, y)| {
        vectorized(|| line(index * shape.0[2] / rows, index * len, y));
    });
}

/// See [`crate::graph::Op::Normalize`].
pub fn normalize<T: Real>(
    per: Per,
    eps: f64,
    x: &[T],
    shape: Shape,
    moments: &[T],
    affine: Option<&[T]>,
    y: &mut [T],
) {
    let channels = shape.channels();
    let inverse = inverse_deviations(moments, channels, eps);
    for_lines(per, shape, y, |group, first, y| {
        let mean = &moments[group * 2 * channels..][..channels];
        let inverse = &inverse[group * channels..][..channels];
        for (y, x) in y.chunks_exact_mut(channels).zip(x[first..].chunks_exact(channels)) {
            for c in 0..channels {
                y[c] = (x[c] - mean[c]) * inverse[c];
            }
            if let Some(affine) = affine {
                let (weight, bias) = affine.split_at(channels);
                for c in 0..channels {
                    y[c] = y[c] * weight[c] + bias[c];
                }
            }
        }
    });
}

/// See [`crate::graph::Op::NormalizeGradSums`].
pub fn grad_sums<T: Real>(per: Per, eps: f64, x: &[T], shape: Shape, moments: &[T], gy: &[T], out: &mut [T]) {
    let channels = shape.channels();
    let (_, rows) = groups(per, shape);
    let inverse = inverse_deviations(moments, channels, eps);
    out.par_chunks_exact_mut(2 * channels).enumerate().for_each(|(group, out)| {
        let mean = &moments[group * 2 * channels..][..channels];
        let inverse = &inverse[group * channels..][..channels];
        let sums = sum_rows(rows, 2 * channels, |row, sums| {
            let at = (group * rows + row) * channels;
            let (x, gy) = (&x[at..][..channels], &gy[at..][..channels]);
            let (weight, bias) = sums.split_at_mut(channels);
            for c in 0..channels {
                weight[c] += (gy[c] * (x[c] - mean[c]) * inverse[c]).as_f64();
            }
            for c in 0..channels {
                bias[c] += gy[c].as_f64();
            }
        });
        out.iter_mut().zip(sums).for_each(|(out, sum)| *out = T::from_f64(sum));
    });
}

/// See [`crate::graph::Op::NormalizeGrad`]; operands as listed there. With `n` rows a group,
/// `dx = weight * inverse / n * (n * gy - sum(gy) - xhat * sum(gy * xhat))`; with fixed moments only the first term.
pub fn grad<T: Real>(per: Per, eps: f64, fixed: bool, operands: &[&[T]], shape: Shape, dx: &mut [T]) {
    let channels = shape.channels();
    let (_, rows) = groups(per, shape);
    let share = T::from_f64(1.0 / rows as f64);
    let (x, moments, gy, sums) = (operands[0], operands[1], operands[2], operands[3]);
    let inverse = inverse_deviations(moments, channels, eps);
    let mut factor = inverse.clone();
    if let Some(affine) = operands.get(4) {
        let weights = affine[..channels].iter().cycle();
        factor.iter_mut().zip(weights).for_each(|(factor, &weight)| *factor *= weight);
    }
    for_lines(per, shape, dx, |group, first, dx| {
        let mean = &moments[group * 2 * channels..][..channels];
        let (weight, bias) = sums[group * 2 * channels..][..2 * channels].split_at(channels);
        let inverse = &inverse[group * channels..][..channels];
        let factor = &factor[group * channels..][..channels];
        let pixels = x[first..].chunks_exact(channels).zip(gy[first..].chunks_exact(channels));
        for (dx, (x, gy)) in dx.chunks_exact_mut(channels).zip(pixels) {
            // No 0 * NaN: with fixed moments the gradient is none of x.
            if fixed {
                dx.iter_mut().zip(gy).zip(factor).for_each(|((dx, &gy), &factor)| *dx = factor * gy);
                continue;
            }
            for c in 0..channels {
                let xhat = (x[c] - mean[c]) * inverse[c];
                dx[c] = factor[c] * (gy[c] - share * (bias[c] + xhat * weight[c]));
            }
        }
    });
}
