//! DCGAN's two networks (Radford 2016), their depth given by the picture's size.

use super::{Layer, Network};
use crate::shape::ConvOptions;
use crate::{Error, Result};
use serde::{Deserialize, Serialize};

/// Which normalisation follows the convolutions.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Norm {
    /// Batch norm, with weight and bias.
    Batch,
    /// Instance norm, without.
    Instance,
}

impl Norm {
    pub(super) fn layer(self, channels: usize) -> Layer {
        match self {
            Self::Batch => Layer::BatchNorm(channels),
            Self::Instance => Layer::InstanceNorm(channels),
        }
    }
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
/// `width`, then one to the picture.
///
/// # Errors
/// If `size` is not a power of two from 8.
pub fn generator(noise: usize, width: usize, size: usize, channels: usize, norm: Norm) -> Result<Network> {
    let halvings = halvings(size)?;
    let conv = |inputs, outputs, options| Layer::ConvTranspose2d {
        inputs,
        outputs,
        kernel: 4,
        options,
        bias: false,
    };
    let mut features = width << (halvings - 1);
    let mut layers = vec![conv(noise, features, WHOLE), norm.layer(features), Layer::LeakyRelu(0.0)];
    for _ in 1..halvings {
        layers.extend([conv(features, features / 2, HALVE), norm.layer(features / 2), Layer::LeakyRelu(0.0)]);
        features /= 2;
    }
    layers.extend([conv(features, channels, HALVE), Layer::Tanh]);
    Ok(Network { name: "generator".into(), layers })
}

/// From pictures to raw scores `[n, 1, 1, 1]`: halvings of the size from `width` channels that double them, then a
/// convolution over the remaining 4x4 pixels. `slope` is that of the leaky ReLU; `first_norm` says whether the
/// first layer is normalised as well.
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
    let conv = |inputs, outputs, options| Layer::Conv2d { inputs, outputs, kernel: 4, options, bias: false };
    let mut layers = vec![conv(channels, width, HALVE)];
    if first_norm {
        layers.push(norm.layer(width));
    }
    layers.push(Layer::LeakyRelu(slope));
    let mut features = width;
    for _ in 1..halvings(size)? {
        layers.extend([
            conv(features, features * 2, HALVE),
            norm.layer(features * 2),
            Layer::LeakyRelu(slope),
        ]);
        features *= 2;
    }
    layers.push(conv(features, 1, WHOLE));
    Ok(Network { name: "discriminator".into(), layers })
}
