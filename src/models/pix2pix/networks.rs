//! pix2pix's networks (Isola 2017), as its authors' PyTorch version has them: a U-Net, and a discriminator of patches of pairs.

use crate::graph::Unary;
use crate::nn::{Layer, Network, Norm, Upsample};
use crate::shape::ConvOptions;
use crate::{Error, Result};

/// Negative slope of the leaky ReLU on the way down.
const SLOPE: f64 = 0.2;
/// Stages become wider up to this many times the width of the first.
const WIDEST: usize = 8;
/// Every convolution that halves or doubles.
const KERNEL: usize = 4;
const HALVE: ConvOptions = ConvOptions::new(2, 1);

/// A U-Net: images are halved `depth` times, then doubled as often, and each stage up also reads what the stage down of its size
/// has made. Sides are multiples of 2 to the power of `depth`.
#[derive(Clone, Copy, Debug)]
pub struct UNet {
    /// Channels after the first stage; each next one has twice as many, up to 8 times.
    pub width: usize,
    /// Stages down, and up; at least 2.
    pub depth: usize,
    /// Channels of images that it reads and writes.
    pub channels: [usize; 2],
    /// Behind every convolution but the first, the innermost of the way down, and the last.
    pub norm: Norm,
    /// How stages double.
    pub upsample: Upsample,
    /// The share of numbers that dropout drops behind full-width stages up, the innermost left out: three of `depth` 8, and one
    /// of `depth` 6 or less. 0 leaves dropout out.
    pub dropout: f64,
}

impl UNet {
    /// The network, called `name`.
    ///
    /// # Errors
    /// If it has no channels or fewer than 2 stages.
    pub fn network(self, name: &str) -> Result<Network> {
        let Self { width, depth, channels: [reads, writes], .. } = self;
        if width == 0 || depth < 2 || reads == 0 || writes == 0 {
            return Err(Error::Input(format!(
                "{name}: width {width}, channels {reads} and {writes}, depth {depth}; expected 1 or more, and a depth of 2 or more"
            )));
        }
        let mut layers = vec![self.down(reads, width), Layer::Skip(self.stage(1)), Layer::RELU];
        layers.extend(self.up(2 * width, writes, true));
        layers.push(Layer::Activation(Unary::Tanh));
        Ok(Network { name: name.into(), layers })
    }

    /// Channels that stage `level` writes on the way down.
    fn features(self, level: usize) -> usize {
        self.width * WIDEST.min(1 << level)
    }

    /// Stage `level` down, all within it, and the stage up of its size.
    fn stage(self, level: usize) -> Vec<Layer> {
        let (outer, inner) = (self.features(level - 1), self.features(level));
        let innermost = level + 1 == self.depth;
        let mut layers = vec![Layer::leaky_relu(SLOPE), self.down(outer, inner)];
        if !innermost {
            layers.extend(self.norm.layer(inner));
            layers.push(Layer::Skip(self.stage(level + 1)));
        }
        layers.push(Layer::RELU);
        layers.extend(self.up(if innermost { inner } else { 2 * inner }, outer, self.has_bias()));
        layers.extend(self.norm.layer(outer));
        if self.drops(level) {
            layers.push(Layer::Dropout(self.dropout));
        }
        layers
    }

    /// Whether dropout follows stage `level` up.
    fn drops(self, level: usize) -> bool {
        let count = self.depth.saturating_sub(5).max(1);
        self.dropout > 0.0 && level + 1 < self.depth && level + 1 + count >= self.depth
    }

    fn has_bias(self) -> bool {
        self.norm != Norm::Batch
    }

    fn down(self, inputs: usize, outputs: usize) -> Layer {
        Layer::conv2d(inputs, outputs, KERNEL, HALVE, self.has_bias())
    }

    fn up(self, inputs: usize, outputs: usize, bias: bool) -> Vec<Layer> {
        let transposed =
            Layer::ConvTranspose2d { inputs, outputs, kernel: [KERNEL; 2], options: HALVE, bias };
        self.upsample.layers(transposed)
    }
}

/// A discriminator of pairs of images, one behind the other in `channels` in all: `stages` halvings, the first without norm, then two
/// convolutions of stride 1. Each score sees patches of 70x70 pixels with 3 stages, 34x34 with 2, 16x16 with 1.
pub fn discriminator(
    name: &str,
    width: usize,
    channels: usize,
    stages: usize,
    norm: Norm,
    slope: f64,
) -> Network {
    let conv = |inputs, outputs, options, bias| Layer::conv2d(inputs, outputs, KERNEL, options, bias);
    let same = ConvOptions::new(1, 1);
    let features = |stage: usize| width * WIDEST.min(1 << stage);
    let mut layers = vec![conv(channels, width, HALVE, true), Layer::leaky_relu(slope)];
    for stage in 1..=stages {
        let options = if stage == stages { same } else { HALVE };
        let (inputs, outputs) = (features(stage - 1), features(stage));
        layers.extend(norm.around(conv(inputs, outputs, options, norm != Norm::Batch), outputs, slope));
    }
    layers.push(conv(features(stages), 1, same, true));
    norm.network(name, layers)
}

#[cfg(test)]
mod tests {
    use super::UNet;
    use crate::nn::{Norm, Upsample};

    #[test]
    fn dropout_stands_where_the_published_network_has_it() {
        let of = |depth| UNet {
            width: 1,
            depth,
            channels: [3; 2],
            norm: Norm::Batch,
            upsample: Upsample::Transposed,
            dropout: 0.5,
        };
        let counts = [2, 3, 5, 6, 7, 8].map(|depth| of(depth).network("g").unwrap().dropouts().len());
        // Two stages have no full-width one but the innermost.
        assert_eq!(counts, [0, 1, 1, 1, 2, 3]);
    }
}
