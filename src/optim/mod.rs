//! Optimizers: their settings, what the host computes of them, and the parameters they train. The arithmetic per parameter is
//! [`crate::graph::UpdateRule`].

mod modules;
mod optimizer;
mod params;
mod state;

pub use modules::{Modules, TrainStep};
pub use optimizer::{Adam, AdamW, Optimizer, RmsProp, Sgd};
pub use params::{Group, Params};
pub use state::OptimizerState;

use serde::{Deserialize, Serialize};

/// Share of the old average when weights are averaged for the `update`th time, counted from 1: `decay`, and less while the
/// average is young, so that it follows faster.
pub fn average_decay(decay: f64, update: u64) -> f64 {
    let update = update as f64;
    decay.min((1.0 + update) / (10.0 + update))
}

/// How a learning rate changes over a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Schedule {
    /// It stays.
    Constant,
    /// It stays for the first part of the run, then falls linearly to 0.
    Linear,
    /// It falls along half a cosine to 0 (Loshchilov 2017, without restarts).
    Cosine,
}

impl Schedule {
    /// The factor of the learning rate after `done` of `total` steps; the linear fall begins after step `from`.
    pub fn factor(self, done: u64, total: u64, from: u64) -> f64 {
        match self {
            Self::Constant => 1.0,
            Self::Linear if done <= from => 1.0,
            Self::Linear => total.saturating_sub(done) as f64 / total.saturating_sub(from).max(1) as f64,
            Self::Cosine => 0.5 + 0.5 * (std::f64::consts::PI * done as f64 / total.max(1) as f64).cos(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Schedule, average_decay};

    #[test]
    fn young_averages_follow_faster() {
        assert_eq!(average_decay(0.9, 1), 2.0 / 11.0);
        assert_eq!([79, 80, 81, 1000].map(|update| average_decay(0.9, update)), [80.0 / 89.0, 0.9, 0.9, 0.9]);
        assert_eq!(average_decay(0.0, 5), 0.0);
    }

    #[test]
    fn schedules_are_their_formulas() {
        let linear: Vec<f64> = (0..8).map(|done| Schedule::Linear.factor(done, 8, 4)).collect();
        assert_eq!(linear, [1.0, 1.0, 1.0, 1.0, 1.0, 0.75, 0.5, 0.25]);
        assert_eq!(Schedule::Linear.factor(8, 8, 4), 0.0);
        assert_eq!(Schedule::Constant.factor(7, 8, 4), 1.0);
        for (done, factor) in [(0, 1.0), (2, 0.75), (3, 0.5), (4, 0.25), (6, 0.0)] {
            assert!((Schedule::Cosine.factor(done, 6, 3) - factor).abs() < 1e-15);
        }
    }
}
