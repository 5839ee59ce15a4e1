//! The gradient of a convolution to its weights.

use super::layout::{bordered, padded};
use super::tile::{FEW, Factors, LANES, ROWS, Run, Sums, WIDTH, panel, tile};
use super::windows::Image;
use super::{BLOCK, as_one_pixel};
use crate::reference::number::Element;
use crate::reference::pointwise::CHUNK;
use crate::shape::{ConvGeometry, Shape};
use pulp::{Arch, Simd, WithSimd};
use rayon::prelude::*;

/// See [`crate::graph::Op::Conv2dWeightGrad`]. Each core sums some rows of the result over all pixels. `inputs` is room
/// for all bordered images, kept from one call to the next.
pub fn conv2d_weight_grad<T: Element>(
    g: &ConvGeometry,
    x: &[T],
    xs: Shape,
    gy: &[T],
    dw: &mut [T],
    ws: Shape,
    inputs: &mut Vec<T>,
) {
    let (g, channels) = as_one_pixel(g, xs.channels());
    let (images, outputs) = (xs.0[0], ws.channels());
    let [lines, columns] = [0, 1].map(|axis| {
        let from = -(g.padding[axis] as isize);
        from..from + ((g.small[axis] - 1) * g.stride[axis] + g.kernel[axis]) as isize
    });
    let line = columns.len() * channels;
    inputs.resize(images * lines.len() * line + WIDTH, T::from_f64(0.0));
    let copies = inputs.par_chunks_exact_mut(line).take(images * lines.len()).enumerate();
    copies.with_min_len(CHUNK.div_ceil(line)).for_each(|(index, to)| {
        let at = lines.start + (index % lines.len()) as isize;
        let size = Image { size: g.large, channels };
        bordered(x, index / lines.len(), size, at..at + 1, &columns, to);
    });
    let few = outputs <= FEW;
    let (gy, step) =
        if few { (gy.into(), outputs) } else { (padded(gy, outputs), outputs.next_multiple_of(LANES)) };
    let window = (&inputs[..], g.stride[1] * channels);
    let ((a, step), (b, stride)) = if few { ((&gy[..], step), window) } else { (window, (&gy[..], step)) };
    let rows = (0..images * g.small[0]).map(|row| {
        let (image, sy) = (row / g.small[0], row % g.small[0]);
        let window = (image * lines.len() + sy * g.stride[0]) * line;
        let gradient = row * g.small[1] * if few { step } else { stride };
        let (start, from) = if few { (gradient, window) } else { (window, gradient) };
        Run { start, from, len: g.small[1] }
    });
    let runs: Vec<Run> = rows.collect();
    let mut parts: Vec<(usize, &mut [T])> = Vec::new();
    let width = if few { WIDTH } else { ROWS };
    for (ky, dw) in dw.chunks_exact_mut(g.kernel[1] * channels * outputs).enumerate() {
        let chunks = dw.chunks_mut(width * outputs).enumerate();
        parts.extend(chunks.map(|(chunk, dw)| (ky * line + chunk * width, dw)));
    }
    let share = parts.len().div_ceil(4 * rayon::current_num_threads());
    let runs_at_once = (BLOCK / (g.stride[0] * line + g.small[1] * outputs)).max(1);
    parts.par_chunks_mut(share).for_each(|parts| {
        let factors = Factors { a, step, b, stride };
        Arch::new().dispatch(Part { factors, runs: &runs, runs_at_once, parts, outputs, few });
    });
}

/// Rows of a weight gradient: for each number of a window, those of all outputs.
struct Part<'a, 'y, T> {
    factors: Factors<'a, T>,
    /// One for every row of pixels.
    runs: &'a [Run],
    /// Rows of pixels that stay in a core's cache.
    runs_at_once: usize,
    /// The number of the window the first row belongs to, and the rows.
    parts: &'a mut [(usize, &'y mut [T])],
    outputs: usize,
    few: bool,
}

impl<T: Element> Part<'_, '_, T> {
    /// Rows are numbers of the window, columns outputs.
    #[inline(always)]
    fn many<S: Simd>(&mut self, simd: S, runs: &[Run]) {
        let mut sums: Sums<T> = [T::from_f64(0.0); ROWS * WIDTH];
        for first in (0..self.outputs).step_by(panel::<T, S>()) {
            let count = (self.outputs - first).min(panel::<T, S>());
            for (number, dw) in self.parts.iter_mut() {
                let last = dw.len() / self.outputs - 1;
                let rows: [usize; ROWS] = std::array::from_fn(|row| *number + row.min(last));
                tile(simd, self.factors, rows, runs, first, count, &mut sums);
                for (dw, sums) in dw.chunks_exact_mut(self.outputs).zip(sums.chunks_exact(WIDTH)) {
                    dw[first..first + count].iter_mut().zip(sums).for_each(|(dw, sum)| *dw += *sum);
                }
            }
        }
    }

    /// Rows are outputs, columns numbers of the window.
    #[inline(always)]
    fn few<S: Simd>(&mut self, simd: S, runs: &[Run]) {
        let mut sums: Sums<T> = [T::from_f64(0.0); ROWS * WIDTH];
        let rows: [usize; FEW] = std::array::from_fn(|row| row.min(self.outputs - 1));
        for (number, dw) in self.parts.iter_mut() {
            let panels = dw.chunks_mut(panel::<T, S>() * self.outputs).enumerate();
            for (index, dw) in panels {
                let first = *number + index * panel::<T, S>();
                tile(simd, self.factors, rows, runs, first, dw.len() / self.outputs, &mut sums);
                for (column, dw) in dw.chunks_exact_mut(self.outputs).enumerate() {
                    for (output, dw) in dw.iter_mut().enumerate() {
                        *dw += sums[output * WIDTH + column];
                    }
                }
            }
        }
    }
}

impl<T: Element> WithSimd for Part<'_, '_, T> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(mut self, simd: S) {
        self.parts.iter_mut().for_each(|(_, dw)| dw.fill(T::from_f64(0.0)));
        for runs in self.runs.chunks(self.runs_at_once) {
            if self.few { self.few(simd, runs) } else { self.many(simd, runs) }
        }
    }
}
