//! DCGAN's two networks (Radford 2016), their depth given by the image's size.

use crate::graph::Unary;
use crate::nn::{Layer, Network, Norm, Upsample};
use crate::shape::ConvOptions;
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

/// How often an image of `size` is halved until it is 4 pixels wide.
///
/// # Errors
/// If `size` is not 8, 16, 32, ...
pub fn stages(size: usize) -> Result<usize> {
    if size < 8 || !size.is_power_of_two() {
        let problem =
            format!("size {size}: DCGAN draws images of 8, 16, 32, 64, 128, ... pixels; choose one of these");
        return Err(Error::Setting { name: "size", problem });
    }
    Ok(size.ilog2() as usize - 2)
}

/// What a generator looks like: from noise `[n, 1, 1, noise]` to images `[n, size, size, channels]` in [-1, 1].
#[derive(Clone, Copy, Debug)]
pub struct Generator {
    /// Numbers in one noise vector.
    pub noise: usize,
    /// Channels in front of the last layer; each stage before has twice as many.
    pub width: usize,
    /// Height and width of the images: 8, 16, 32, ...
    pub size: usize,
    /// Colour channels of the images.
    pub channels: usize,
    /// What stands behind convolutions.
    pub norm: Norm,
    /// How the size is doubled.
    pub upsample: Upsample,
    /// Residual blocks of two 3x3 convolutions in front of each upsampling stage.
    pub blocks: usize,
    /// Whether features from 32x32 pixels on are excited by those of an eighth of their size (skip-layer excitation,
    /// Liu 2021): 4x4 ones gate those of 32x32, 8x8 ones those of 64x64, ..; the image itself is not gated.
    pub excite: bool,
}

/// So many upsampling stages lie between features and those that they gate.
const REACH: usize = 3;

/// The smallest image with features that are gated.
pub const LEAST_EXCITED: usize = 8 << REACH;

impl Generator {
    /// A transposed convolution to 4x4 pixels and `width * 2^(stages - 1)` channels, then upsampling stages that
    /// halve the channels down to `width`, then one to the image. Gates read and change features as the next stage
    /// reads them: behind the norm, which would undo a gate in front of it, and behind the residual blocks.
    ///
    /// # Errors
    /// If the size is not a power of two from 8.
    pub fn network(&self) -> Result<Network> {
        let Self { norm, upsample, .. } = *self;
        let stages = stages(self.size)?;
        let mut features = self.width << (stages - 1);
        let mut layers = vec![Layer::ConvTranspose2d {
            inputs: self.noise,
            outputs: features,
            kernel: 4,
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
                layers.push(excitation(from, inputs, 1 << (stage - REACH), features));
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

/// A gate for `outputs` channels, made of what layer `from` leaves: `inputs` channels of 4x4 blocks of `block` pixels both
/// ways.
fn excitation(from: usize, inputs: usize, block: usize, outputs: usize) -> Layer {
    let conv = |inputs, kernel| Layer::conv2d(inputs, outputs, kernel, WHOLE, false);
    let gate = vec![
        Layer::AvgPool(block),
        conv(inputs, 4),
        Layer::leaky_relu(0.1),
        conv(outputs, 1),
        Layer::Activation(Unary::Sigmoid),
    ];
    Layer::Excite { from, gate }
}

/// From images to raw scores `[n, 1, 1, 1]`: downsampling stages from `width` channels that double them, then a
/// convolution over the remaining 4x4 pixels. `slope` is that of the leaky ReLU; `first_norm` says whether a norm stands
/// behind the first layer as well.
///
/// # Errors
/// If `size` is not a power of two from 8.
pub fn discriminator(
    width: usize,
    size: usize,
    channels: usize,
    norm: Norm,
    first_norm: bool,
    slope: f64,
) -> Result<Network> {
    let conv = |inputs, outputs, options| Layer::conv2d(inputs, outputs, 4, options, false);
    let first = if first_norm { norm } else { Norm::None };
    let mut layers: Vec<Layer> = first.around(conv(channels, width, HALVE), width, slope).collect();
    let mut features = width;
    for _ in 1..stages(size)? {
        layers.extend(norm.around(conv(features, features * 2, HALVE), features * 2, slope));
        features *= 2;
    }
    layers.push(conv(features, 1, WHOLE));
    Ok(norm.network("discriminator", layers))
}
