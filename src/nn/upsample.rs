//! How generators double the size of their features.

use super::Layer;
use crate::shape::ConvOptions;
use serde::{Deserialize, Serialize};

/// How a generator doubles the size of its features.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Upsample {
    /// Transposed convolution.
    Transposed,
    /// Every pixel repeated, then a 3x3 convolution: no checkerboards (Odena 2016).
    Nearest,
    /// Pixels interpolated linearly, then a 3x3 convolution.
    Bilinear,
}

impl Upsample {
    /// Layers that double the size: `transposed`, or what takes its place.
    pub(crate) fn layers(self, transposed: Layer) -> Vec<Layer> {
        let Layer::ConvTranspose2d { inputs, outputs, bias, .. } = transposed else {
            return vec![transposed];
        };
        let conv = Layer::conv2d(inputs, outputs, 3, ConvOptions::new(1, 1), bias);
        match self {
            Self::Transposed => vec![transposed],
            Self::Nearest => vec![Layer::UpsampleNearest(2), conv],
            Self::Bilinear => vec![Layer::UpsampleBilinear, conv],
        }
    }

    /// As [`Upsample::layers`] for a transposed convolution of 4x4 taps without bias.
    pub(crate) fn double(self, inputs: usize, outputs: usize) -> Vec<Layer> {
        let options = ConvOptions::new(2, 1);
        self.layers(Layer::ConvTranspose2d { inputs, outputs, kernel: [4; 2], options, bias: false })
    }
}
