//! The arithmetic of optimizers.

/// How an optimizer changes a parameter `p` by its gradient `g`, as PyTorch computes it. What stands in `rates` is read at every
/// update; all else is fixed.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub enum UpdateRule {
    /// Adam (Kingma and Ba 2015): `first = beta1 * first + (1 - beta1) * g`, `second = beta2 * second + (1 - beta2) * g^2`,
    /// `p -= rates[0] * first / (sqrt(second) * rates[1] + eps)`. At update `t`, `rates` are `lr / (1 - beta1^t)` and
    /// `1 / sqrt(1 - beta2^t)`.
    Adam {
        /// Decay of the first moment.
        beta1: f64,
        /// Decay of the second moment.
        beta2: f64,
        /// Added to the root of the second moment.
        eps: f64,
    },
    /// AdamW (Loshchilov and Hutter 2019): `p *= rates[2]`, then Adam. `rates[2]` is `1 - lr * weight_decay`.
    AdamW {
        /// Decay of the first moment.
        beta1: f64,
        /// Decay of the second moment.
        beta2: f64,
        /// Added to the root of the second moment.
        eps: f64,
    },
    /// RMSProp (Tieleman and Hinton 2012): `g += weight_decay * p`, `square = alpha * square + (1 - alpha) * g^2`,
    /// `step = g / (sqrt(square) + eps)`; with momentum `step = buffer = momentum * buffer + step`; `p -= rates[0] * step`.
    RmsProp {
        /// Decay of the mean square.
        alpha: f64,
        /// Added to the root of the mean square.
        eps: f64,
        /// Decay of the sum of steps; at 0 there is none.
        momentum: f64,
        /// Share of the parameter added to its gradient.
        weight_decay: f64,
    },
    /// Stochastic gradient descent: `step = g + weight_decay * p`; with momentum `buffer = momentum * buffer + rates[1] * step`
    /// and `step = buffer`, by Nesterov `step += momentum * buffer`; `p -= rates[0] * step`. `rates[1]` is `1 - dampening`, at the
    /// first update 1.
    Sgd {
        /// Decay of the sum of gradients; at 0 there is none.
        momentum: f64,
        /// Whether the step looks ahead along the buffer (Nesterov 1983).
        nesterov: bool,
        /// Share of the parameter added to its gradient.
        weight_decay: f64,
    },
}

impl UpdateRule {
    /// The names of the state buffers it keeps beside the parameters, in order.
    pub const fn state(&self) -> &'static [&'static str] {
        match *self {
            Self::Adam { .. } | Self::AdamW { .. } => &["first", "second"],
            Self::RmsProp { momentum, .. } if momentum != 0.0 => &["square", "momentum"],
            Self::RmsProp { .. } => &["square"],
            Self::Sgd { momentum, .. } if momentum != 0.0 => &["momentum"],
            Self::Sgd { .. } => &[],
        }
    }

    /// How many numbers it reads at every update.
    pub const fn rates(&self) -> usize {
        match self {
            Self::Adam { .. } | Self::Sgd { .. } => 2,
            Self::AdamW { .. } => 3,
            Self::RmsProp { .. } => 1,
        }
    }

    /// Its fixed numbers, by name.
    pub(super) fn numbers(&self) -> Vec<(&'static str, f64)> {
        match *self {
            Self::Adam { beta1, beta2, eps } | Self::AdamW { beta1, beta2, eps } => {
                vec![("beta1", beta1), ("beta2", beta2), ("eps", eps)]
            }
            Self::RmsProp { alpha, eps, momentum, weight_decay } => {
                vec![("alpha", alpha), ("eps", eps), ("momentum", momentum), ("weight_decay", weight_decay)]
            }
            Self::Sgd { momentum, weight_decay, .. } => {
                vec![("momentum", momentum), ("weight_decay", weight_decay)]
            }
        }
    }
}
