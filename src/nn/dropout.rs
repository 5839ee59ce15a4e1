//! Where a network's dropouts stand.

use super::{Layer, Network};

impl Network {
    /// The shares that its dropouts drop, in the order of the layers.
    pub fn dropouts(&self) -> Vec<f64> {
        fn walk(layers: &[Layer], found: &mut Vec<f64>) {
            for layer in layers {
                match layer {
                    Layer::Dropout(share) => found.push(*share),
                    Layer::Residual(layers) | Layer::Skip(layers) | Layer::Excite { gate: layers, .. } => {
                        walk(layers, found);
                    }
                    _ => {}
                }
            }
        }
        let mut found = Vec::new();
        walk(&self.layers, &mut found);
        found
    }
}
