//! Batch and instance normalisation, forward and backward. Statistics are summed in f64, the variance about the
//! mean, so a large mean with a small spread loses nothing.

use super::Real;
use super::reduce::sum_rows;
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
    for (group, out) in out.chunks_exact_mut(2 * channels).enumerate() {
        let range = group * rows..(group + 1) * rows;
        let row = |row: usize| &x[row * channels..(row + 1) * channels];
        let mean: Vec<f64> = sum_rows(range.clone(), channels, |r, sums| {
            sums.iter_mut().zip(row(r)).for_each(|(sum, x)| *sum += x.wide());
        })
        .into_iter()
        .map(|sum| sum / rows as f64)
        .collect();
        let squares = sum_rows(range, channels, |r, sums| {
            for ((sum, x), mean) in sums.iter_mut().zip(row(r)).zip(&mean) {
                *sum += (x.wide() - mean).powi(2);
            }
        });
        for (c, (mean, squares)) in mean.into_iter().zip(squares).enumerate() {
            out[c] = T::of(mean);
            out[channels + c] = T::of(squares / rows as f64);
        }
    }
}

/// `1 / sqrt(variance + eps)` per channel of one group's moments.
fn inverse_deviation<T: Real>(moments: &[T], eps: f64) -> Vec<T> {
    let variance = &moments[moments.len() / 2..];
    variance.iter().map(|&variance| T::of(1.0) / (variance + T::of(eps)).sqrt()).collect()
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
    let (_, rows) = groups(per, shape);
    let pixels = shape.0[1] * shape.0[2];
    y.par_chunks_mut(pixels * channels).zip(x.par_chunks(pixels * channels)).enumerate().for_each(
        |(picture, (y, x))| {
            let moments = &moments[picture * pixels / rows * 2 * channels..][..2 * channels];
            let inverse = inverse_deviation(moments, eps);
            for (y, x) in y.chunks_exact_mut(channels).zip(x.chunks_exact(channels)) {
                for c in 0..channels {
                    y[c] = (x[c] - moments[c]) * inverse[c];
                }
                if let Some(affine) = affine {
                    for c in 0..channels {
                        y[c] = y[c] * affine[c] + affine[channels + c];
                    }
                }
            }
        },
    );
}

/// See [`crate::graph::Op::NormalizeGradSums`].
pub fn grad_sums<T: Real>(per: Per, eps: f64, x: &[T], shape: Shape, moments: &[T], gy: &[T], out: &mut [T]) {
    let channels = shape.channels();
    let (_, rows) = groups(per, shape);
    for (group, out) in out.chunks_exact_mut(2 * channels).enumerate() {
        let moments = &moments[group * 2 * channels..][..2 * channels];
        let inverse = inverse_deviation(moments, eps);
        let sums = sum_rows(group * rows..(group + 1) * rows, 2 * channels, |row, sums| {
            let (x, gy) = (&x[row * channels..], &gy[row * channels..]);
            let (weight, bias) = sums.split_at_mut(channels);
            for c in 0..channels {
                weight[c] += (gy[c] * (x[c] - moments[c]) * inverse[c]).wide();
                bias[c] += gy[c].wide();
            }
        });
        out.iter_mut().zip(sums).for_each(|(out, sum)| *out = T::of(sum));
    }
}

/// See [`crate::graph::Op::NormalizeGrad`]; operands as listed there. With `n` rows a group,
/// `dx = weight * inverse / n * (n * gy - sum(gy) - xhat * sum(gy * xhat))`; with fixed moments only the first term.
pub fn grad<T: Real>(per: Per, eps: f64, fixed: bool, operands: &[&[T]], shape: Shape, dx: &mut [T]) {
    let channels = shape.channels();
    let (_, rows) = groups(per, shape);
    let (x, gy) = (operands[0], operands[2]);
    let pixels = shape.0[1] * shape.0[2];
    let share = T::of(if fixed { 0.0 } else { 1.0 / rows as f64 });
    dx.par_chunks_mut(pixels * channels).enumerate().for_each(|(picture, dx)| {
        let group = picture * pixels / rows * 2 * channels;
        let moments = &operands[1][group..][..2 * channels];
        let sums = &operands[3][group..][..2 * channels];
        let inverse = inverse_deviation(moments, eps);
        let factor: Vec<T> = match operands.get(4) {
            Some(affine) => inverse.iter().zip(*affine).map(|(&inverse, &weight)| inverse * weight).collect(),
            None => inverse.clone(),
        };
        for (pixel, dx) in dx.chunks_exact_mut(channels).enumerate() {
            let at = (picture * pixels + pixel) * channels;
            for c in 0..channels {
                let xhat = (x[at + c] - moments[c]) * inverse[c];
                dx[c] = factor[c] * (gy[at + c] - share * (sums[channels + c] + xhat * sums[c]));
            }
        }
    });
}
