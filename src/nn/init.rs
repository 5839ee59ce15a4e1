//! Initial values of parameters.

use super::{Parameter, ParameterKind};
use rand::Rng;
use rand_distr::{Distribution, Normal, Uniform};
use serde::{Deserialize, Serialize};

/// How parameters are drawn before training.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Init {
    /// PyTorch's default: weights and biases uniform in +-1/sqrt(fan_in), norm weight 1 and bias 0.
    Uniform,
    /// The DCGAN paper's: weights normal(0, 0.02), biases 0, norm weight normal(1, 0.02) and bias 0.
    Normal,
}

impl Init {
    /// Draws the values of one tensor, in the graph's layout.
    pub fn draw(self, parameter: &Parameter, rng: &mut impl Rng) -> Vec<f32> {
        let len = parameter.shape.len();
        let channels = parameter.shape.channels();
        let row = |index: usize| index < channels;
        let normal = |mean: f32, deviation: f32| {
            Normal::new(mean, deviation).expect("a constant positive deviation is valid")
        };
        match (self, parameter.kind) {
            (
                Self::Uniform,
                ParameterKind::ConvWeight { fan_in, .. } | ParameterKind::ConvBias { fan_in },
            ) => {
                let bound = 1.0 / (fan_in as f32).sqrt();
                let uniform = Uniform::new(-bound, bound).expect("a fan-in is positive and finite");
                uniform.sample_iter(rng).take(len).collect()
            }
            (Self::Normal, ParameterKind::ConvWeight { .. }) => {
                normal(0.0, 0.02).sample_iter(rng).take(len).collect()
            }
            (Self::Normal, ParameterKind::ConvBias { .. }) => vec![0.0; len],
            (Self::Uniform, ParameterKind::NormAffine) => {
                (0..len).map(|index| if row(index) { 1.0 } else { 0.0 }).collect()
            }
            (Self::Normal, ParameterKind::NormAffine) => {
                let weight = normal(1.0, 0.02);
                (0..len).map(|index| if row(index) { weight.sample(rng) } else { 0.0 }).collect()
            }
            (_, ParameterKind::NormRunning) => {
                (0..len).map(|index| if row(index) { 0.0 } else { 1.0 }).collect()
            }
            (_, ParameterKind::SpectralU | ParameterKind::SpectralV) => {
                let direction: Vec<f32> = normal(0.0, 1.0).sample_iter(rng).take(len).collect();
                let length = direction.iter().map(|x| x * x).sum::<f32>().sqrt();
                direction.iter().map(|x| x / length).collect()
            }
        }
    }
}
