//! How far the pixels lie that a network's result at a pixel depends on.

use super::{Layer, Network};

impl Network {
    /// The most pixels, up or down, left or right, that a pixel of the input is from a pixel of the result that it acts on other
    /// than by the statistics of norms. Both are counted in pixels of the input.
    pub fn reach(&self) -> usize {
        reach(&self.layers, &mut 1.0).ceil() as usize
    }
}

/// The reach of `layers` whose input has a pixel every `pitch` pixels, which becomes the pitch of their result.
fn reach(layers: &[Layer], pitch: &mut f64) -> f64 {
    layers.iter().map(|layer| reach_of(layer, pitch)).sum()
}

fn reach_of(layer: &Layer, pitch: &mut f64) -> f64 {
    let before = *pitch;
    match *layer {
        Layer::Conv2d { kernel, options, .. } => {
            *pitch *= options.stride[0] as f64;
            before * (kernel[0].max(kernel[1]) / 2) as f64
        }
        Layer::ConvTranspose2d { kernel, options, .. } => {
            *pitch /= options.stride[0] as f64;
            before * kernel[0].max(kernel[1]).div_ceil(options.stride[0]) as f64
        }
        Layer::UpsampleNearest(factor) => {
            *pitch /= factor as f64;
            before
        }
        Layer::UpsampleBilinear => {
            *pitch /= 2.0;
            before
        }
        Layer::AvgPool(block) => {
            *pitch *= block as f64;
            *pitch
        }
        // The convolution behind it counts the border.
        Layer::ReflectionPad(_) => 0.0,
        Layer::Residual(ref layers) | Layer::Skip(ref layers) => reach(layers, pitch),
        // Its gate is one number an image, of everything.
        Layer::Excite { .. } => f64::INFINITY,
        Layer::BatchNorm(_) | Layer::InstanceNorm(_) | Layer::Activation(_) | Layer::Dropout(_) => 0.0,
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Layer, Network};
    use crate::shape::ConvOptions;

    #[test]
    fn strides_widen_what_follows_and_doublings_narrow_it() {
        let conv =
            |kernel, stride, padding| Layer::conv2d(1, 1, kernel, ConvOptions::new(stride, padding), false);
        let reach = |layers: &[Layer]| Network::new("n", layers).reach();
        assert_eq!(reach(&[]), 0);
        assert_eq!(reach(&[conv(3, 1, 1)]), 1);
        assert_eq!(reach(&[Layer::ReflectionPad(3), conv(7, 1, 0)]), 3);
        assert_eq!(reach(&[conv(4, 2, 1), conv(3, 1, 1), conv(3, 1, 1)]), 2 + 2 + 2);
        assert_eq!(reach(&[conv(4, 2, 1), Layer::Residual(vec![conv(3, 1, 1)]), conv(4, 2, 1)]), 2 + 2 + 4);
        assert_eq!(reach(&[conv(4, 2, 1), Layer::UpsampleNearest(2), conv(3, 1, 1)]), 2 + 2 + 1);
    }
}
