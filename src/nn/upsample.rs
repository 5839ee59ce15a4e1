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
}

impl Upsample {
    /// Layers without biases that double the size, the transposed convolution being of 4x4 taps.
    pub(super) fn double(self, inputs: usize, outputs: usize) -> Vec<Layer> {
        let (double, same) = (ConvOptions::new(2, 1), ConvOptions::new(1, 1));
        match self {
            Self::Transposed => {
                vec![Layer::ConvTranspose2d { inputs, outputs, kernel: 4, options: double, bias: false }]
            }
            Self::Nearest => {
                vec![Layer::UpsampleNearest(2), Layer::conv2d(inputs, outputs, 3, same, false)]
            }
        }
    }
}
