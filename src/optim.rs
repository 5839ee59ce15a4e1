//! Optimizers: what the host computes of them. The arithmetic per parameter is [`crate::graph::Update::Adam`].

use serde::{Deserialize, Serialize};

/// Adam (Kingma and Ba 2015), as PyTorch computes it.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Adam {
    /// Learning rate.
    pub lr: f64,
    /// Decay of the first moment.
    pub beta1: f64,
    /// Decay of the second moment.
    pub beta2: f64,
    /// Added to the root of the second moment.
    pub eps: f64,
}

impl Adam {
    /// The two numbers [`crate::graph::Update::Adam`] reads at update `t`, counted from 1.
    pub fn rates(&self, t: u64) -> [f64; 2] {
        let t = t as f64;
        [self.lr / (1.0 - self.beta1.powf(t)), 1.0 / (1.0 - self.beta2.powf(t)).sqrt()]
    }
}
