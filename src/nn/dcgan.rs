//! DCGAN's two networks (Radford 2016), their depth given by the picture's size.

use super::{Layer, Network, Upsample};
use crate::shape::ConvOptions;
use crate::{Error, Result};
use serde::{Deserialize, Serialize};

/// How convolutions are normalised.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Norm {
    /// Not at all.
    None,
    /// Batch norm behind them, with weight and bias.
    Batch,
    /// Instance norm behind them, without.
    Instance,
    /// Their weights divided by the largest singular value (Miyato 2018), in all layers; for discriminators.
    Spectral,
}

impl Norm {
    /// What stands behind a convolution to so many channels.
    pub(super) fn layer(self, channels: usize) -> Option<Layer> {
        match self {
            Self::Batch => Some(Layer::BatchNorm(channels)),
            Self::Instance => Some(Layer::InstanceNorm(channels)),
            Self::None | Self::Spectral => None,
        }
    }

    /// A convolution to so many channels, what normalises it, and its leaky ReLU.
    pub(super) fn around(self, conv: Layer, channels: usize, slope: f64) -> impl Iterator<Item = Layer> {
        [Some(conv), self.layer(channels), Some(Layer::LeakyRelu(slope))].into_iter().flatten()
    }

    /// A network of `layers` whose convolutions are normalised as this says where that is not layers of its own.
    pub(super) fn network(self, name: &str, mut layers: Vec<Layer>) -> Network {
        for layer in &mut layers {
            if let Layer::Conv2d { spectral, .. } = layer {
                *spectral = self == Self::Spectral;
            }
        }
        Network { name: name.into(), layers }
    }
}

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

/// How often a picture of `size` is halved until it is 4 pixels wide.
///
/// # Errors
/// If `size` is not 8, 16, 32, ...
pub fn halvings(size: usize) -> Result<usize> {
    if size < 8 || !size.is_power_of_two() {
        return Err(Error::Input(format!(
            "size {size}: DCGAN draws pictures of 8, 16, 32, 64, 128, ... pixels; choose one of these"
        )));
    }
    Ok(size.ilog2() as usize - 2)
}

/// From noise `[n, 1, 1, noise]` to pictures `[n, size, size, channels]` in [-1, 1]: a transposed convolution to 4x4
/// pixels and `width * 2^(halvings - 1)` channels, then doublings of the size that halve the channels down to
/// `width`, then one to the picture. `blocks` residual blocks of two 3x3 convolutions stand in front of each doubling.
///
/// # Errors
/// If `size` is not a power of two from 8.
pub fn generator(
    noise: usize,
    width: usize,
    size: usize,
    channels: usize,
    norm: Norm,
    upsample: Upsample,
    blocks: usize,
) -> Result<Network> {
    let halvings = halvings(size)?;
    let mut features = width << (halvings - 1);
    let mut layers = vec![Layer::ConvTranspose2d {
        inputs: noise,
        outputs: features,
        kernel: 4,
        options: WHOLE,
        bias: false,
    }];
    for halving in (0..halvings).rev() {
        layers.extend(norm.layer(features));
        layers.push(Layer::LeakyRelu(0.0));
        layers.extend(std::iter::repeat_n(residual(features, norm), blocks));
        let outputs = if halving == 0 { channels } else { features / 2 };
        layers.extend(upsample.double(features, outputs));
        features = outputs;
    }
    layers.push(Layer::Tanh);
    Ok(Network { name: "generator".into(), layers })
}

/// From pictures to raw scores `[n, 1, 1, 1]`: halvings of the size from `width` channels that double them, then a
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
    for _ in 1..halvings(size)? {
        layers.extend(norm.around(conv(features, features * 2, HALVE), features * 2, slope));
        features *= 2;
    }
    layers.push(conv(features, 1, WHOLE));
    Ok(norm.network("discriminator", layers))
}
