//! Contractions whose results have few channels: the last layer of a generator, a discriminator's, and gradients to images.

use super::gemm::{Contraction, Kind};

/// Most channels of such a result.
const MOST_CHANNELS: usize = 8;

/// Most numbers that an invocation adds up, of a weight gradient too, and most fours of the image it holds: so many stay in
/// registers on every device looked at (docs/kernels/compiled.md).
const MOST_SUMS: [usize; 2] = [32, 48];
const MOST_SPAN: usize = 16;

/// What `shaders/conv/*_narrow.wgsl` are made of.
pub(super) struct Narrow {
    /// Channels of the result.
    pub channels: usize,
    /// Taps of a row that an invocation unrolls, and fours of the image they meet.
    pub taps: usize,
    pub span: usize,
    /// Rows of results, of the largest phase and all images, and blocks of pixels in each.
    pub grid: [usize; 2],
    /// Neighbouring invocations that share the channels of a pixel.
    pub lanes: usize,
}

impl Narrow {
    /// For a contraction that takes so many pixels of a row at a time.
    pub fn new(of: &Contraction, pixels: usize) -> Self {
        let g = &of.geometry;
        let phase = |extents: [usize; 2], axis: usize| extents[axis].div_ceil(g.stride[axis]);
        let channels = of.gemm().n;
        let [taps, step] = match of.kind {
            Kind::Conv2d => [g.kernel[1], g.stride[1]],
            Kind::ConvTranspose2d => [phase(g.kernel, 1), 1],
            Kind::WeightGrad => {
                let most = (MOST_SUMS[1] / (4 * channels)).max(1);
                [g.kernel[1].div_ceil(g.kernel[1].div_ceil(most)), g.stride[1]]
            }
        };
        let [height, width] = match of.kind {
            Kind::ConvTranspose2d => [phase(g.large, 0), phase(g.large, 1)],
            Kind::Conv2d | Kind::WeightGrad => g.small,
        };
        let lanes = 1 << (Self::read(of) / 4).clamp(1, 64).ilog2();
        let span = (pixels - 1) * step + taps;
        Self { channels, taps, span, grid: [of.batch * height, width.div_ceil(pixels)], lanes }
    }

    /// Channels of the image that is read in fours.
    fn read(of: &Contraction) -> usize {
        if of.kind == Kind::ConvTranspose2d { of.o } else { of.i }
    }

    /// Invocations; of a weight gradient, those of one part.
    pub fn threads(&self, of: &Contraction) -> usize {
        let [lines, blocks] = self.grid;
        let g = &of.geometry;
        match of.kind {
            Kind::WeightGrad => of.i / 4 * g.kernel[1].div_ceil(self.taps) * g.kernel[0],
            Kind::Conv2d | Kind::ConvTranspose2d => of.gemm().batch * lines * blocks * self.lanes,
        }
    }

    /// Numbers of pixels that may be taken at a time, most first: none where the kernels do not apply.
    pub fn pixels(of: &Contraction) -> Vec<usize> {
        let channels = of.gemm().n;
        if channels > MOST_CHANNELS || !Self::read(of).is_multiple_of(4) {
            return vec![];
        }
        let width = |pixels| Self::new(of, pixels).grid[1] * pixels;
        let full = |&pixels: &usize| match of.kind {
            Kind::WeightGrad => of.geometry.small[1].is_multiple_of(pixels),
            Kind::Conv2d | Kind::ConvTranspose2d => {
                2 * width(1) > pixels && pixels * channels <= MOST_SUMS[0]
            }
        };
        let fits = |&pixels: &usize| Self::new(of, pixels).span <= MOST_SPAN;
        [8, 4, 2, 1].into_iter().filter(full).filter(fits).collect()
    }
}
