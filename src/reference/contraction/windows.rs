//! Convolution and transposed convolution: sums over windows, on one grid or on several that interlock.

use super::BLOCK;
use super::layout::{bordered, transpose};
use super::tile::{FEW, Factors, LANES, ROWS, Run, Sums, WIDTH, panel, tile};
use crate::executor::blocks;
use crate::reference::number::Element;
use crate::shape::ConvGeometry;
use pulp::{Arch, Simd, WithSimd};
use rayon::prelude::*;
use std::ops::Range;

/// Terms of a window summed at a time: so many rows of a panel of weights stay in a core's cache.
const DEPTH: usize = 1024;

/// The extents of an image.
#[derive(Clone, Copy, Debug)]
pub struct Image {
    pub size: [usize; 2],
    pub channels: usize,
}

impl Image {
    fn line(&self) -> usize {
        self.size[1] * self.channels
    }

    fn len(&self) -> usize {
        self.size[0] * self.line()
    }
}

/// Where the windows of a grid lie along one axis: the result at `first + i * spacing` sees `taps` inputs from
/// `from + i * step` on; what lies outside the image is zero.
#[derive(Clone, Copy, Debug)]
pub struct Axis {
    first: usize,
    spacing: usize,
    from: isize,
    step: usize,
    taps: usize,
}

impl Axis {
    /// Of a convolution.
    pub fn forward(g: &ConvGeometry, axis: usize) -> Self {
        let from = -(g.padding[axis] as isize);
        Self { first: 0, spacing: 1, from, step: g.stride[axis], taps: g.kernel[axis] }
    }

    /// Of a transposed convolution, the results at remainder `first` by the stride.
    pub fn backward(g: &ConvGeometry, axis: usize, first: usize) -> Self {
        let (spacing, reach) = (g.stride[axis], first + g.padding[axis]);
        let taps = g.kernel[axis].saturating_sub(reach % spacing).div_ceil(spacing);
        Self { first, spacing, from: (reach / spacing + 1) as isize - taps as isize, step: 1, taps }
    }
}

/// Windows on one grid, and their weights: for every number of a window, those of all results, padded to [`LANES`].
pub struct Pass<'a, T> {
    pub axes: [Axis; 2],
    pub weights: &'a [T],
}

/// The inputs all passes together read along one axis.
struct Reach {
    from: isize,
    step: usize,
    taps: usize,
}

impl Reach {
    fn of<T>(passes: &[Pass<'_, T>], axis: usize) -> Self {
        let axes = passes.iter().map(|pass| pass.axes[axis]).filter(|axis| axis.taps > 0);
        let from = axes.clone().map(|axis| axis.from).min().unwrap_or(0);
        let end = axes.map(|axis| axis.from + axis.taps as isize).max().unwrap_or(0);
        Self { from, step: passes[0].axes[axis].step, taps: (end - from) as usize }
    }

    fn inputs(&self, windows: &Range<usize>) -> Range<isize> {
        let from = self.from + (windows.start * self.step) as isize;
        from..from + ((windows.len() - 1) * self.step + self.taps) as isize
    }
}

/// Sums every window of every pass.
pub fn windows<T: Element>(passes: &[Pass<'_, T>], x: &[T], xs: Image, y: &mut [T], ys: Image) {
    let [down, across] = passes[0].axes;
    let reach = [0, 1].map(|axis| Reach::of(passes, axis));
    let columns = reach[1].inputs(&(0..ys.size[1].div_ceil(across.spacing)));
    let line = columns.len() * xs.channels;
    let few = ys.channels <= FEW && [down.step, across.step] == [1, 1];
    bands(y, ys, down.spacing, down.step * line).into_par_iter().for_each_init(
        || (Vec::new(), Vec::new()),
        |(numbers, planes), band| {
            let lines = reach[0].inputs(&band.rows);
            numbers.resize(band.images.len() * lines.len() * line, T::from_f64(0.0));
            for (image, numbers) in band.images.clone().zip(numbers.chunks_exact_mut(lines.len() * line)) {
                bordered(x, image, xs, lines.clone(), &columns, numbers);
            }
            if few {
                let plane = numbers.len() / xs.channels;
                planes.resize(numbers.len() + WIDTH, T::from_f64(0.0));
                transpose(numbers, xs.channels, planes, plane);
            }
            for pass in passes {
                let offset = [0, 1].map(|axis| (pass.axes[axis].from - reach[axis].from).max(0) as usize);
                Arch::new().dispatch(Grid {
                    pass,
                    inputs: if few { planes } else { numbers },
                    few,
                    lines: lines.len(),
                    columns: columns.len(),
                    channels: xs.channels,
                    start: offset[0] * columns.len() + offset[1],
                    images: band.images.len(),
                    y: band.y,
                    ys,
                });
            }
        },
    );
}

/// Results that one core computes at a time: rows of some images.
struct Band<'a, T> {
    images: Range<usize>,
    /// Rows of windows.
    rows: Range<usize>,
    y: &'a mut [T],
}

/// Cuts `y` into bands enough for all cores, whose inputs fit a core's cache: `line` numbers for `spacing` rows.
fn bands<T>(y: &mut [T], ys: Image, spacing: usize, line: usize) -> Vec<Band<'_, T>> {
    let (count, rows) = (y.len() / ys.len(), ys.size[0].div_ceil(spacing));
    let wanted = 4 * rayon::current_num_threads();
    let cuts = (rows * line).div_ceil(BLOCK).max(wanted / count).min(rows);
    if cuts == 1 {
        // One row of windows may read more than a block.
        let images = (count / wanted).min(BLOCK / (rows * line)).max(1);
        let bands = y.chunks_mut(images * ys.len()).zip(blocks(count, images));
        return bands.map(|(y, images)| Band { images, rows: 0..rows, y }).collect();
    }
    let height = rows.div_ceil(cuts);
    let images = y.chunks_exact_mut(ys.len()).enumerate();
    let bands = images.flat_map(|(image, y)| {
        let bands = y.chunks_mut(height * spacing * ys.line()).zip(blocks(rows, height));
        bands.map(move |(y, rows)| Band { images: image..image + 1, rows, y })
    });
    bands.collect()
}

/// The windows of one pass in one band.
struct Grid<'a, T> {
    pass: &'a Pass<'a, T>,
    /// The band's bordered images; by channels if the results have `few`.
    inputs: &'a [T],
    few: bool,
    /// Of each bordered image.
    lines: usize,
    columns: usize,
    channels: usize,
    /// The pixel at which the first window starts.
    start: usize,
    images: usize,
    y: &'a mut [T],
    ys: Image,
}

impl<T: Element> Grid<'_, T> {
    /// Of every window: the pixel at which it starts, and where its result begins in `y`.
    fn places(&self) -> Vec<(usize, usize)> {
        let [down, across] = self.pass.axes;
        let (width, height) = (self.ys.size[1], self.y.len() / self.images / self.ys.line());
        let mut places = Vec::with_capacity(self.y.len() / self.ys.channels);
        for image in 0..self.images {
            let mut line = self.start + image * self.lines * self.columns;
            for row in (down.first..height).step_by(down.spacing) {
                let mut start = line;
                for column in (across.first..width).step_by(across.spacing) {
                    places.push((start, ((image * height + row) * width + column) * self.ys.channels));
                    start += across.step;
                }
                line += down.step * self.columns;
            }
        }
        places
    }

    /// Rows are windows, columns the results' channels.
    #[inline(always)]
    fn many<S: Simd>(self, simd: S) {
        let outputs = self.ys.channels;
        let stride = outputs.next_multiple_of(LANES);
        let [height, width] = self.pass.axes.map(|axis| axis.taps);
        let len = width * self.channels;
        let line = self.columns * self.channels;
        let runs = (0..height).flat_map(|ky| {
            blocks(len, DEPTH).into_iter().map(move |part| Run {
                start: ky * line + part.start,
                from: (ky * len + part.start) * stride,
                len: part.len(),
            })
        });
        let mut runs: Vec<Run> = runs.collect();
        if runs.is_empty() {
            // No tap reaches these results: they are sums of nothing.
            runs.push(Run { start: 0, from: 0, len: 0 });
        }
        let factors = Factors { a: self.inputs, step: 1, b: self.pass.weights, stride };
        let places = self.places();
        let mut sums: Sums<T> = [T::from_f64(0.0); ROWS * WIDTH];
        let parts = runs.chunks((DEPTH / len.max(1)).max(1)).enumerate();
        let panels = (0..outputs).step_by(panel::<T, S>());
        for (first, (part, runs)) in panels.flat_map(|first| parts.clone().map(move |part| (first, part))) {
            let count = (outputs - first).min(panel::<T, S>());
            for places in places.chunks(ROWS) {
                let rows: [usize; ROWS] =
                    std::array::from_fn(|row| places[row.min(places.len() - 1)].0 * self.channels);
                tile(simd, factors, rows, runs, first, count, &mut sums);
                for ((_, at), sums) in places.iter().zip(sums.chunks_exact(WIDTH)) {
                    let y = &mut self.y[at + first..][..count];
                    if part == 0 {
                        y.copy_from_slice(&sums[..count]);
                    } else {
                        y.iter_mut().zip(sums).for_each(|(y, sum)| *y += *sum);
                    }
                }
            }
        }
    }

    /// Rows are the results' channels, columns windows that start one pixel after the other; where they would reach
    /// over the border the sums are not used.
    #[inline(always)]
    fn few<S: Simd>(self, simd: S) {
        let outputs = self.ys.channels;
        let [height, width] = self.pass.axes.map(|axis| axis.taps);
        let terms = height * width * self.channels;
        let mut weights = vec![T::from_f64(0.0); terms * LANES];
        transpose(self.pass.weights, LANES, &mut weights, terms);
        let run = |tap| {
            let from = tap / width * self.columns + tap % width;
            Run { start: tap * self.channels, from, len: self.channels }
        };
        let runs: Vec<Run> = (0..height * width).map(run).collect();
        let stride = self.images * self.lines * self.columns;
        let factors = Factors { a: &weights, step: 1, b: self.inputs, stride };
        let rows: [usize; FEW] = std::array::from_fn(|row| row.min(outputs - 1) * terms);
        let places = self.places();
        let mut sums: Sums<T> = [T::from_f64(0.0); ROWS * WIDTH];
        let mut rest = &places[..];
        while let Some(&(first, _)) = rest.first() {
            let reached = rest.partition_point(|(start, _)| start - first < panel::<T, S>());
            let (places, after) = rest.split_at(reached);
            rest = after;
            tile(simd, factors, rows, &runs, first, panel::<T, S>(), &mut sums);
            for (start, at) in places {
                for (channel, y) in self.y[*at..*at + outputs].iter_mut().enumerate() {
                    *y = sums[channel * WIDTH + start - first];
                }
            }
        }
    }
}

impl<T: Element> WithSimd for Grid<'_, T> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        if self.few { self.few(simd) } else { self.many(simd) }
    }
}
