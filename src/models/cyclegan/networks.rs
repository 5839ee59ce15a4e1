//! CycleGAN's networks (Zhu 2017): translators and patch discriminators. The whole-image discriminators are
//! [`crate::models::dcgan::networks::discriminator`].

use crate::graph::Unary;
use crate::nn::{Layer, Network, Norm, Upsample};
use crate::shape::ConvOptions;
use crate::{Error, Result};
use serde::{Deserialize, Serialize};

/// What a translator looks like.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Translator {
    /// Two downsampling stages of 4x4 convolutions, residual blocks of one 3x3 convolution, two upsampling stages; no biases. A block's
    /// convolution is followed by instance norm, or by nothing with batch norm; one ReLU follows the last block.
    Plain,
    /// A 7x7 convolution, two downsampling stages of 3x3 ones, residual blocks of two 3x3 convolutions, two upsampling stages, a 7x7
    /// convolution; reflected borders, biases (Johnson 2016, as in Zhu 2017).
    Resnet,
}

/// Downsampling stages of either translator: images must divide by 2 to this power.
pub const DOWNSAMPLINGS: u32 = 2;

/// A translator from images to images of the same size, in [-1, 1], of so many `channels` in and out: `width` channels behind its
/// first layer, `blocks` residual blocks.
///
/// # Errors
/// If the width or the number of channels is 0.
pub fn generator(
    name: &str,
    kind: Translator,
    width: usize,
    blocks: usize,
    channels: [usize; 2],
    norm: Norm,
    upsample: Upsample,
) -> Result<Network> {
    if width == 0 || channels.contains(&0) {
        return Err(Error::Input(format!(
            "{name}: width {width} and channels {channels:?} must be at least 1"
        )));
    }
    let layers = match kind {
        Translator::Plain => plain(width, blocks, channels, norm, upsample),
        Translator::Resnet => resnet(width, blocks, channels, norm, upsample),
    };
    Ok(Network { name: name.into(), layers })
}

fn plain(
    width: usize,
    blocks: usize,
    [reads, writes]: [usize; 2],
    norm: Norm,
    upsample: Upsample,
) -> Vec<Layer> {
    let relu = Layer::RELU;
    let halve = |inputs, outputs| Layer::conv2d(inputs, outputs, 4, ConvOptions::new(2, 1), false);
    let mut block = vec![Layer::conv2d(2 * width, 2 * width, 3, ConvOptions::new(1, 1), false)];
    if norm == Norm::Instance {
        block.extend(norm.layer(2 * width));
    }
    let mut layers: Vec<Layer> = norm.around(halve(reads, width), width, 0.0).collect();
    layers.extend(norm.around(halve(width, 2 * width), 2 * width, 0.0));
    layers.extend(std::iter::repeat_n(Layer::Residual(block), blocks));
    layers.push(relu.clone());
    layers.extend(upsample.double(2 * width, width));
    layers.extend(norm.layer(width));
    layers.push(relu);
    layers.extend(upsample.double(width, writes));
    layers.push(Layer::Activation(Unary::Tanh));
    layers
}

fn resnet(
    width: usize,
    blocks: usize,
    [reads, writes]: [usize; 2],
    norm: Norm,
    upsample: Upsample,
) -> Vec<Layer> {
    let relu = Layer::RELU;
    let conv = |inputs, outputs, kernel, options| Layer::conv2d(inputs, outputs, kernel, options, true);
    let (whole, halve) = (ConvOptions::new(1, 0), ConvOptions::new(2, 1));
    let double = |inputs, outputs| {
        let options = halve.output_padding(1);
        upsample.layers(Layer::ConvTranspose2d { inputs, outputs, kernel: [3; 2], options, bias: true })
    };
    let features = 4 * width;
    let mut convolved = vec![Layer::ReflectionPad(1), conv(features, features, 3, whole)];
    convolved.extend(norm.layer(features));
    let block = [&convolved[..], std::slice::from_ref(&relu), &convolved[..]].concat();
    let mut layers = vec![Layer::ReflectionPad(3)];
    layers.extend(norm.around(conv(reads, width, 7, whole), width, 0.0));
    for inputs in [width, 2 * width] {
        layers.extend(norm.around(conv(inputs, 2 * inputs, 3, halve), 2 * inputs, 0.0));
    }
    layers.extend(std::iter::repeat_n(Layer::Residual(block), blocks));
    for outputs in [2 * width, width] {
        layers.extend(double(2 * outputs, outputs));
        layers.extend(norm.layer(outputs));
        layers.push(relu.clone());
    }
    layers.extend([Layer::ReflectionPad(3), conv(width, writes, 7, whole), Layer::Activation(Unary::Tanh)]);
    layers
}

/// A patch discriminator of 4x4 convolutions without biases: three downsampling stages, each with norm and leaky ReLU, then a
/// fourth to scores.
pub fn patch_discriminator(name: &str, width: usize, channels: usize, norm: Norm, slope: f64) -> Network {
    let halve = |inputs, outputs| Layer::conv2d(inputs, outputs, 4, ConvOptions::new(2, 1), false);
    let mut layers = Vec::new();
    for (inputs, outputs) in [(channels, width), (width, 2 * width), (2 * width, 4 * width)] {
        layers.extend(norm.around(halve(inputs, outputs), outputs, slope));
    }
    layers.push(halve(4 * width, 1));
    norm.network(name, layers)
}

/// The 70x70 patch discriminator (Isola 2017): three downsampling stages, two 4x4 convolutions of stride 1, biases, no norm behind
/// the first layer; each score sees 70x70 pixels.
pub fn patch70_discriminator(name: &str, width: usize, channels: usize, norm: Norm, slope: f64) -> Network {
    let (halve, same) = (ConvOptions::new(2, 1), ConvOptions::new(1, 1));
    let conv = |inputs, outputs, options| Layer::conv2d(inputs, outputs, 4, options, true);
    let mut layers = vec![conv(channels, width, halve), Layer::leaky_relu(slope)];
    for (inputs, options) in [(width, halve), (2 * width, halve), (4 * width, same)] {
        layers.extend(norm.around(conv(inputs, 2 * inputs, options), 2 * inputs, slope));
    }
    layers.push(conv(8 * width, 1, same));
    norm.network(name, layers)
}
