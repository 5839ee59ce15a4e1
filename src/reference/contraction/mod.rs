//! The three contractions, each as sums of [`tile`]s over images copied with their border of zeros, in which a row of
//! a window lies side by side.
//!
//! Every number of a result is summed in a fixed order, however the work is shared out among the cores.

mod layout;
mod tile;
mod weight_grad;
mod windows;

pub use weight_grad::conv2d_weight_grad;

use super::number::Element;
use crate::shape::{ConvGeometry, Shape};
use layout::{padded, transpose};
use rayon::prelude::*;
use tile::LANES;
use windows::{Axis, Image, Pass, windows};

/// Numbers of bordered images worked on at a time: they stay in a core's cache, beside as many weights.
const BLOCK: usize = 64 * 1024;

/// See [`crate::graph::Op::Conv2d`].
pub fn conv2d<T: Element>(g: &ConvGeometry, x: &[T], xs: Shape, w: &[T], y: &mut [T], ys: Shape) {
    let (g, inputs) = as_one_pixel(g, xs.channels());
    let outputs = ys.channels();
    let axes = [0, 1].map(|axis| Axis::forward(&g, axis));
    let weights = padded(w, outputs);
    let (from, to) = (Image { size: g.large, channels: inputs }, Image { size: g.small, channels: outputs });
    windows(&[Pass { axes, weights: &weights }], x, from, y, to);
}

/// See [`crate::graph::Op::ConvTranspose2d`]. The results at each remainder by the stride are a convolution of stride
/// 1: of the taps that reach them, in reverse order.
pub fn conv_transpose2d<T: Element>(g: &ConvGeometry, x: &[T], xs: Shape, w: &[T], y: &mut [T], ys: Shape) {
    let (g, outputs) = as_one_pixel(g, ys.channels());
    let inputs = xs.channels();
    let remainders = (0..g.stride[0]).flat_map(|py| (0..g.stride[1]).map(move |px| [py, px]));
    let taps: Vec<Vec<usize>> = remainders.clone().map(|at| reaching(&g, at)).collect();
    let tap_len = inputs * outputs.next_multiple_of(LANES);
    let mut weights = vec![T::from_f64(0.0); taps.iter().map(Vec::len).sum::<usize>() * tap_len];
    weights.par_chunks_mut(tap_len).zip(taps.concat()).for_each(|(to, tap)| {
        let from = &w[tap * outputs * inputs..][..outputs * inputs];
        transpose(from, inputs, to, outputs.next_multiple_of(LANES));
    });
    let mut rest = &weights[..];
    let passes: Vec<Pass<'_, T>> = remainders
        .zip(&taps)
        .map(|(at, taps)| {
            let (weights, after) = rest.split_at(taps.len() * tap_len);
            rest = after;
            Pass { axes: [0, 1].map(|axis| Axis::backward(&g, axis, at[axis])), weights }
        })
        .collect();
    let (from, to) = (Image { size: g.small, channels: inputs }, Image { size: g.large, channels: outputs });
    windows(&passes, x, from, y, to);
}

/// The taps through which inputs reach results at the remainders `at`, in the order of the inputs.
fn reaching(g: &ConvGeometry, at: [usize; 2]) -> Vec<usize> {
    let [down, across] = [0, 1].map(|axis| {
        let nearest = (at[axis] + g.padding[axis]) % g.stride[axis];
        (nearest..g.kernel[axis]).step_by(g.stride[axis]).rev()
    });
    down.flat_map(|ky| across.clone().map(move |kx| ky * g.kernel[1] + kx)).collect()
}

/// An image that is one window, without a border, is one pixel of more channels: its geometry and channels as such.
fn as_one_pixel(g: &ConvGeometry, channels: usize) -> (ConvGeometry, usize) {
    if g.small == [1, 1] && g.padding == [0, 0] && g.large == g.kernel {
        let one = [1, 1];
        (
            ConvGeometry { large: one, small: one, kernel: one, stride: one, padding: [0, 0] },
            g.taps() * channels,
        )
    } else {
        (*g, channels)
    }
}
