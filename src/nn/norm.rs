//! How convolutions are normalised.

use super::{Layer, Network};
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
    pub(crate) fn layer(self, channels: usize) -> Option<Layer> {
        match self {
            Self::Batch => Some(Layer::BatchNorm(channels)),
            Self::Instance => Some(Layer::InstanceNorm(channels)),
            Self::None | Self::Spectral => None,
        }
    }

    /// A convolution to so many channels, what normalises it, and its leaky ReLU.
    pub(crate) fn around(self, conv: Layer, channels: usize, slope: f64) -> impl Iterator<Item = Layer> {
        [Some(conv), self.layer(channels), Some(Layer::leaky_relu(slope))].into_iter().flatten()
    }

    /// A network of `layers` whose convolutions are normalised as this says where that is not layers of its own.
    pub(crate) fn network(self, name: &str, mut layers: Vec<Layer>) -> Network {
        for layer in &mut layers {
            if let Layer::Conv2d { spectral, .. } = layer {
                *spectral = self == Self::Spectral;
            }
        }
        Network { name: name.into(), layers }
    }
}
