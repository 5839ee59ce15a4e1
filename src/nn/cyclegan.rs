//! CycleGAN's networks (Zhu 2017): translators and patch discriminators. The whole-picture discriminators are
//! [`super::dcgan::discriminator`].

use super::dcgan::Norm;
use super::{Layer, Network};
use crate::shape::ConvOptions;
use crate::{Error, Result};
use serde::{Deserialize, Serialize};

/// How a translator doubles the size of its features.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Upsample {
    /// Transposed convolution.
    Transposed,
    /// Every pixel repeated, then a 3x3 convolution: no checkerboards.
    Nearest,
}

/// What a translator looks like.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Translator {
    /// Two halvings by 4x4 convolutions, residual blocks of one 3x3 convolution, two doublings; no biases. A block's
    /// convolution is followed by instance norm, or by nothing with batch norm; one ReLU follows the last block.
    Plain,
    /// A 7x7 convolution, two halvings by 3x3 ones, residual blocks of two 3x3 convolutions, two doublings, a 7x7
    /// convolution; reflected borders, biases (Johnson 2016, as in Zhu 2017).
    Resnet,
}

/// Halvings of the size in either translator: pictures must divide by 2 to this power.
pub const HALVINGS: u32 = 2;

fn conv(inputs: usize, outputs: usize, kernel: usize, options: ConvOptions, bias: bool) -> Layer {
    Layer::Conv2d { inputs, outputs, kernel, options, bias }
}

/// A translator from pictures to pictures of the same size, in [-1, 1]: `width` channels behind its first layer,
/// `blocks` residual blocks.
///
/// # Errors
/// If the width or the number of channels is 0.
pub fn generator(
    name: &str,
    kind: Translator,
    width: usize,
    blocks: usize,
    channels: usize,
    norm: Norm,
    upsample: Upsample,
) -> Result<Network> {
    if width == 0 || channels == 0 {
        return Err(Error::Input(format!(
            "{name}: width {width} and channels {channels} must be at least 1"
        )));
    }
    let layers = match kind {
        Translator::Plain => plain(width, blocks, channels, norm, upsample),
        Translator::Resnet => resnet(width, blocks, channels, norm, upsample),
    };
    Ok(Network { name: name.into(), layers })
}

fn plain(width: usize, blocks: usize, channels: usize, norm: Norm, upsample: Upsample) -> Vec<Layer> {
    let relu = Layer::LeakyRelu(0.0);
    let halve = ConvOptions::new(2, 1);
    let same = ConvOptions::new(1, 1);
    let double = |inputs, outputs| match upsample {
        Upsample::Transposed => {
            vec![Layer::ConvTranspose2d { inputs, outputs, kernel: 4, options: halve, bias: false }]
        }
        Upsample::Nearest => vec![Layer::UpsampleNearest(2), conv(inputs, outputs, 3, same, false)],
    };
    let mut block = vec![conv(2 * width, 2 * width, 3, same, false)];
    if norm == Norm::Instance {
        block.push(norm.layer(2 * width));
    }
    let mut layers = vec![conv(channels, width, 4, halve, false), norm.layer(width), relu.clone()];
    layers.extend([conv(width, 2 * width, 4, halve, false), norm.layer(2 * width), relu.clone()]);
    layers.extend(std::iter::repeat_n(Layer::Residual(block), blocks));
    layers.push(relu.clone());
    layers.extend(double(2 * width, width));
    layers.extend([norm.layer(width), relu]);
    layers.extend(double(width, channels));
    layers.push(Layer::Tanh);
    layers
}

fn resnet(width: usize, blocks: usize, channels: usize, norm: Norm, upsample: Upsample) -> Vec<Layer> {
    let relu = Layer::LeakyRelu(0.0);
    let whole = ConvOptions::new(1, 0);
    let halve = ConvOptions::new(2, 1);
    let double = |inputs, outputs| match upsample {
        Upsample::Transposed => vec![Layer::ConvTranspose2d {
            inputs,
            outputs,
            kernel: 3,
            options: halve.output_padding(1),
            bias: true,
        }],
        Upsample::Nearest => {
            vec![Layer::UpsampleNearest(2), conv(inputs, outputs, 3, ConvOptions::new(1, 1), true)]
        }
    };
    let features = 4 * width;
    let convolved = [Layer::ReflectionPad(1), conv(features, features, 3, whole, true), norm.layer(features)];
    let block = [&convolved[..], std::slice::from_ref(&relu), &convolved[..]].concat();
    let mut layers = vec![Layer::ReflectionPad(3), conv(channels, width, 7, whole, true)];
    layers.extend([norm.layer(width), relu.clone()]);
    for inputs in [width, 2 * width] {
        layers.extend([conv(inputs, 2 * inputs, 3, halve, true), norm.layer(2 * inputs), relu.clone()]);
    }
    layers.extend(std::iter::repeat_n(Layer::Residual(block), blocks));
    for outputs in [2 * width, width] {
        layers.extend(double(2 * outputs, outputs));
        layers.extend([norm.layer(outputs), relu.clone()]);
    }
    layers.extend([Layer::ReflectionPad(3), conv(width, channels, 7, whole, true), Layer::Tanh]);
    layers
}

/// A patch discriminator of 4x4 convolutions without biases: three halvings, each with norm and leaky ReLU, then a
/// fourth to scores.
pub fn patch_discriminator(name: &str, width: usize, channels: usize, norm: Norm, slope: f64) -> Network {
    let halve = ConvOptions::new(2, 1);
    let mut layers = Vec::new();
    for (inputs, outputs) in [(channels, width), (width, 2 * width), (2 * width, 4 * width)] {
        layers.extend([conv(inputs, outputs, 4, halve, false), norm.layer(outputs), Layer::LeakyRelu(slope)]);
    }
    layers.push(conv(4 * width, 1, 4, halve, false));
    Network { name: name.into(), layers }
}

/// The 70x70 patch discriminator (Isola 2017): three halvings, two 4x4 convolutions of stride 1, biases, no norm on the
/// first layer; each score sees 70x70 pixels.
pub fn patch70_discriminator(name: &str, width: usize, channels: usize, norm: Norm, slope: f64) -> Network {
    let (halve, same) = (ConvOptions::new(2, 1), ConvOptions::new(1, 1));
    let mut layers = vec![conv(channels, width, 4, halve, true), Layer::LeakyRelu(slope)];
    for (inputs, options) in [(width, halve), (2 * width, halve), (4 * width, same)] {
        layers.extend([
            conv(inputs, 2 * inputs, 4, options, true),
            norm.layer(2 * inputs),
            Layer::LeakyRelu(slope),
        ]);
    }
    layers.push(conv(8 * width, 1, 4, same, true));
    Network { name: name.into(), layers }
}
