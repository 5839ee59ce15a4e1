//! DCGAN's two networks (Radford 2016), their depth given by the image's size.

use crate::graph::Unary;
use crate::nn::{Layer, Network, Norm, Upsample};
use crate::shape::ConvOptions;
use crate::size::Size;
use crate::{Error, Result};

/// `x` and what two 3x3 convolutions make of it.
fn residual(channels: usize, norm: Norm) -> Layer {
    let conv = Layer::conv2d(channels, channels, 3, ConvOptions::new(1, 1), false);
    let mut layers: Vec<Layer> = norm.around(conv.clone(), channels, 0.0).collect();
    layers.push(conv);
    layers.extend(norm.layer(channels));
    Layer::Residual(layers)
}

const HALVE: ConvOptions = ConvOptions::new(2, 1);
const WHOLE: ConvOptions = ConvOptions::new(1, 0);

/// The sides that the smallest features may have.
const BASE: std::ops::RangeInclusive<usize> = 3..=16;

/// How images of a size are made: the height and width of the smallest features, and how often these are doubled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stages {
    /// Height and width of the smallest features.
    pub base: [usize; 2],
    /// Doublings up to the image, at least 1.
    pub count: usize,
}

impl Stages {
    /// As many doublings as leave features of 3 pixels or more at the bottom: of 4x4 for 8, 16, 32, ..
    ///
    /// # Errors
    /// If the sides cannot be halved often enough; the text says which can.
    pub fn of(size: Size) -> Result<Self> {
        let of = |size: Size| {
            let fits = |count: &usize| {
                size.all(|side| side.is_multiple_of(1 << count) && side >> count >= *BASE.start())
            };
            let count = (1..usize::BITS as usize - 1).take_while(fits).last()?;
            let base = size.extents().map(|side| side >> count);
            base.iter().all(|side| BASE.contains(side)).then_some(Self { base, count })
        };
        of(size).ok_or_else(|| {
            // The nearest height that can be at all, and the nearest width beside it.
            let near = |side: usize, fits: &dyn Fn(usize) -> bool| {
                let side = side.min(4096);
                let mut all = (0..4096).flat_map(|off| [side.saturating_sub(off), side + off]);
                all.find(|&side| fits(side)).unwrap_or(64)
            };
            let height = near(size.height, &|side| of(side.into()).is_some());
            let width = near(size.width, &|width| of(Size { height, width }).is_some());
            let problem = format!(
                "size {size}: DCGAN doubles features of {} to {} pixels a side until they are an image; choose sides such as \
                 {} that can be halved so far, or a power of two from 8",
                BASE.start(),
                BASE.end(),
                Size { height, width }
            );
            Error::Setting { name: "size", problem }
        })
    }
}

/// What a generator looks like: from noise `[n, 1, 1, noise]` to images `[n, height, width, channels]` in [-1, 1].
#[derive(Clone, Copy, Debug)]
pub struct Generator {
    /// Numbers in one noise vector.
    pub noise: usize,
    /// Channels in front of the last layer; each stage before has twice as many.
    pub width: usize,
    /// Height and width of the images: see [`Stages::of`].
    pub size: Size,
    /// Colour channels of the images.
    pub channels: usize,
    /// What stands behind convolutions.
    pub norm: Norm,
    /// How the size is doubled.
    pub upsample: Upsample,
    /// Residual blocks of two 3x3 convolutions in front of each upsampling stage.
    pub blocks: usize,
    /// Whether features that were doubled three times or more are excited by those of an eighth of their size (skip-layer
    /// excitation, Liu 2021): 4x4 ones gate those of 32x32, 8x8 ones those of 64x64, ..; the image itself is not gated.
    pub excite: bool,
}

/// So many upsampling stages lie between features and those that they gate.
const REACH: usize = 3;

/// The fewest doublings of an image with features that are gated.
pub const LEAST_EXCITED: usize = REACH + 1;

impl Generator {
    /// A transposed convolution to the smallest features with `width * 2^(stages - 1)` channels, then upsampling stages that
    /// halve the channels down to `width`, then one to the image. Gates read and change features as the next stage
    /// reads them: behind the norm, which would undo a gate in front of it, and behind the residual blocks.
    ///
    /// # Errors
    /// As [`Stages::of`].
    pub fn network(&self) -> Result<Network> {
        let Self { norm, upsample, .. } = *self;
        let Stages { base, count: stages } = Stages::of(self.size)?;
        let mut features = self.width << (stages - 1);
        let mut layers = vec![Layer::ConvTranspose2d {
            inputs: self.noise,
            outputs: features,
            kernel: base,
            options: WHOLE,
            bias: false,
        }];
        // The last layer in front of each upsampling stage, and its channels.
        let mut ends: Vec<(usize, usize)> = Vec::new();
        for stage in 0..stages {
            layers.extend(norm.layer(features));
            layers.push(Layer::RELU);
            layers.extend(std::iter::repeat_n(residual(features, norm), self.blocks));
            if self.excite && stage >= REACH {
                let (from, inputs) = ends[stage - REACH];
                layers.push(excitation(from, inputs, (base, 1 << (stage - REACH)), features));
            }
            ends.push((layers.len() - 1, features));
            let outputs = if stage == stages - 1 { self.channels } else { features / 2 };
            layers.extend(upsample.double(features, outputs));
            features = outputs;
        }
        layers.push(Layer::Activation(Unary::Tanh));
        Ok(Network { name: "generator".into(), layers })
    }
}

/// A gate for `outputs` channels, made of what layer `from` leaves: `inputs` channels of `base` blocks of `block` pixels both
/// ways.
fn excitation(from: usize, inputs: usize, (base, block): ([usize; 2], usize), outputs: usize) -> Layer {
    let conv = |inputs, kernel| Layer::Conv2d {
        inputs,
        outputs,
        kernel,
        options: WHOLE,
        bias: false,
        spectral: false,
    };
    let gate = vec![
        Layer::AvgPool(block),
        conv(inputs, base),
        Layer::leaky_relu(0.1),
        conv(outputs, [1; 2]),
        Layer::Activation(Unary::Sigmoid),
    ];
    Layer::Excite { from, gate }
}

/// From images to raw scores `[n, 1, 1, 1]`: downsampling stages from `width` channels that double them, then a
/// convolution over the remaining pixels. `slope` is that of the leaky ReLU; `first_norm` says whether a norm stands
/// behind the first layer as well.
///
/// # Errors
/// As [`Stages::of`].
pub fn discriminator(
    width: usize,
    size: impl Into<Size>,
    channels: usize,
    norm: Norm,
    first_norm: bool,
    slope: f64,
) -> Result<Network> {
    let conv = |inputs, outputs, options| Layer::conv2d(inputs, outputs, 4, options, false);
    let first = if first_norm { norm } else { Norm::None };
    let mut layers: Vec<Layer> = first.around(conv(channels, width, HALVE), width, slope).collect();
    let mut features = width;
    let Stages { base, count } = Stages::of(size.into())?;
    for _ in 1..count {
        layers.extend(norm.around(conv(features, features * 2, HALVE), features * 2, slope));
        features *= 2;
    }
    layers.push(Layer::Conv2d {
        inputs: features,
        outputs: 1,
        kernel: base,
        options: WHOLE,
        bias: false,
        spectral: false,
    });
    Ok(norm.network("discriminator", layers))
}
