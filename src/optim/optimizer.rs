//! Optimizers and their settings.

use crate::graph::UpdateRule;
use crate::{Error, Result};
use serde::{Deserialize, Serialize};

/// Adam (Kingma and Ba 2015), as PyTorch computes it.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
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

/// AdamW (Loshchilov and Hutter 2019), as PyTorch computes it: Adam after every parameter is multiplied by
/// `1 - lr * weight_decay`.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct AdamW {
    /// Learning rate.
    pub lr: f64,
    /// Decay of the first moment.
    pub beta1: f64,
    /// Decay of the second moment.
    pub beta2: f64,
    /// Added to the root of the second moment.
    pub eps: f64,
    /// Share of a parameter that is taken off, times the learning rate.
    pub weight_decay: f64,
}

/// RMSProp (Tieleman and Hinton 2012), as PyTorch computes it, not centered.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RmsProp {
    /// Learning rate.
    pub lr: f64,
    /// Decay of the mean square of gradients.
    pub alpha: f64,
    /// Added to the root of the mean square.
    pub eps: f64,
    /// Decay of the sum of steps; at 0 there is none.
    pub momentum: f64,
    /// Share of a parameter that is added to its gradient.
    pub weight_decay: f64,
}

/// Stochastic gradient descent with momentum, as PyTorch computes it.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Sgd {
    /// Learning rate.
    pub lr: f64,
    /// Decay of the sum of gradients; at 0 there is none.
    pub momentum: f64,
    /// What is taken off a gradient's share of 1 in that sum; nothing at the first update.
    pub dampening: f64,
    /// Whether steps look ahead along the sum (Nesterov 1983); needs momentum, and no dampening.
    pub nesterov: bool,
    /// Share of a parameter that is added to its gradient.
    pub weight_decay: f64,
}

impl Default for Adam {
    /// PyTorch's.
    fn default() -> Self {
        Self { lr: 1e-3, beta1: 0.9, beta2: 0.999, eps: 1e-8 }
    }
}

impl Default for AdamW {
    /// PyTorch's.
    fn default() -> Self {
        Self { lr: 1e-3, beta1: 0.9, beta2: 0.999, eps: 1e-8, weight_decay: 1e-2 }
    }
}

impl Default for RmsProp {
    /// PyTorch's.
    fn default() -> Self {
        Self { lr: 1e-2, alpha: 0.99, eps: 1e-8, momentum: 0.0, weight_decay: 0.0 }
    }
}

impl Default for Sgd {
    /// PyTorch's.
    fn default() -> Self {
        Self { lr: 1e-3, momentum: 0.0, dampening: 0.0, nesterov: false, weight_decay: 0.0 }
    }
}

impl Adam {
    /// The two numbers [`UpdateRule::Adam`] reads at update `t`, counted from 1.
    pub fn rates(&self, t: u64) -> [f64; 2] {
        let t = t as f64;
        [self.lr / (1.0 - self.beta1.powf(t)), 1.0 / (1.0 - self.beta2.powf(t)).sqrt()]
    }
}

/// Any of them, with its settings. As text a table whose `name` says which; settings left out are PyTorch's defaults.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "name", rename_all = "lowercase")]
#[non_exhaustive]
pub enum Optimizer {
    /// See [`Adam`].
    Adam(Adam),
    /// See [`AdamW`].
    AdamW(AdamW),
    /// See [`RmsProp`].
    RmsProp(RmsProp),
    /// See [`Sgd`].
    Sgd(Sgd),
}

impl Optimizer {
    /// What it is called in settings and listings.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Adam(_) => "adam",
            Self::AdamW(_) => "adamw",
            Self::RmsProp(_) => "rmsprop",
            Self::Sgd(_) => "sgd",
        }
    }

    /// Its arithmetic.
    pub const fn rule(&self) -> UpdateRule {
        match *self {
            Self::Adam(Adam { beta1, beta2, eps, .. }) => UpdateRule::Adam { beta1, beta2, eps },
            Self::AdamW(AdamW { beta1, beta2, eps, .. }) => UpdateRule::AdamW { beta1, beta2, eps },
            Self::RmsProp(RmsProp { alpha, eps, momentum, weight_decay, .. }) => {
                UpdateRule::RmsProp { alpha, eps, momentum, weight_decay }
            }
            Self::Sgd(Sgd { momentum, nesterov, weight_decay, .. }) => {
                UpdateRule::Sgd { momentum, nesterov, weight_decay }
            }
        }
    }

    /// The numbers its rule reads at update `t`, counted from 1.
    pub fn rates(&self, t: u64) -> Vec<f64> {
        match *self {
            Self::Adam(adam) => adam.rates(t).into(),
            Self::AdamW(AdamW { lr, beta1, beta2, eps, weight_decay }) => {
                let [step_size, correction] = Adam { lr, beta1, beta2, eps }.rates(t);
                vec![step_size, correction, 1.0 - lr * weight_decay]
            }
            Self::RmsProp(RmsProp { lr, .. }) => vec![lr],
            Self::Sgd(Sgd { lr, dampening, .. }) => vec![lr, if t == 1 { 1.0 } else { 1.0 - dampening }],
        }
    }

    /// The learning rate, to be read or set.
    pub const fn lr_mut(&mut self) -> &mut f64 {
        match self {
            Self::Adam(Adam { lr, .. })
            | Self::AdamW(AdamW { lr, .. })
            | Self::RmsProp(RmsProp { lr, .. })
            | Self::Sgd(Sgd { lr, .. }) => lr,
        }
    }

    /// Refuses settings that PyTorch refuses.
    ///
    /// # Errors
    /// If a setting is negative or not finite, a beta is 1 or more, or Nesterov's step comes without momentum or with dampening.
    pub fn check(&self) -> Result<()> {
        let problem = |name: &'static str, value: f64, allowed: &str| {
            let problem = format!("{} of {} is {value}; it must be {allowed}", name, self.name());
            Err(Error::Setting { name, problem })
        };
        let (positive, shares) = match *self {
            Self::Adam(Adam { lr, beta1, beta2, eps }) => {
                (vec![("lr", lr), ("eps", eps)], vec![("beta1", beta1), ("beta2", beta2)])
            }
            Self::AdamW(AdamW { lr, beta1, beta2, eps, weight_decay }) => (
                vec![("lr", lr), ("eps", eps), ("weight_decay", weight_decay)],
                vec![("beta1", beta1), ("beta2", beta2)],
            ),
            Self::RmsProp(RmsProp { lr, alpha, eps, momentum, weight_decay }) => (
                vec![
                    ("lr", lr),
                    ("alpha", alpha),
                    ("eps", eps),
                    ("momentum", momentum),
                    ("weight_decay", weight_decay),
                ],
                vec![],
            ),
            Self::Sgd(Sgd { lr, momentum, dampening, nesterov, weight_decay }) => {
                if nesterov && momentum == 0.0 {
                    return problem("momentum", momentum, "above 0 with `nesterov`");
                }
                if nesterov && dampening != 0.0 {
                    return problem("dampening", dampening, "0 with `nesterov`");
                }
                // PyTorch leaves the dampening free.
                if !dampening.is_finite() {
                    return problem("dampening", dampening, "finite");
                }
                (vec![("lr", lr), ("momentum", momentum), ("weight_decay", weight_decay)], vec![])
            }
        };
        if let Some(&(name, value)) = positive.iter().find(|(_, value)| !(0.0..f64::INFINITY).contains(value))
        {
            return problem(name, value, "finite and not negative");
        }
        if let Some(&(name, value)) = shares.iter().find(|(_, value)| !(0.0..1.0).contains(value)) {
            return problem(name, value, "at least 0 and below 1");
        }
        Ok(())
    }
}

macro_rules! from {
    ($($settings:ident)+) => {
        $(impl From<$settings> for Optimizer {
            fn from(settings: $settings) -> Self {
                Self::$settings(settings)
            }
        })+
    };
}
from!(Adam AdamW RmsProp Sgd);
