//! Adversarial losses on discriminator scores.

use crate::graph::Var;
use serde::{Deserialize, Serialize};

/// How scores are driven toward real (1) or fake (0).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Adversarial {
    /// Mean squared distance to the target (LSGAN, Mao 2017).
    Lsgan,
    /// Binary cross-entropy of scores taken as logits (Goodfellow 2014).
    Bce,
}

impl Adversarial {
    /// The mean loss of `scores` toward real or fake.
    pub fn toward(self, scores: Var<'_>, real: bool) -> Var<'_> {
        match (self, real) {
            (Self::Lsgan, true) => scores.affine(1.0, -1.0).square().mean(),
            (Self::Lsgan, false) => scores.square().mean(),
            (Self::Bce, true) => scores.scale(-1.0).softplus().mean(),
            (Self::Bce, false) => scores.softplus().mean(),
        }
    }
}
