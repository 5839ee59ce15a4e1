//! Adversarial losses on discriminator scores.

use crate::Result;
use crate::graph::{Var, gradients};
use serde::{Deserialize, Serialize};
use std::cmp::Ordering;

/// How scores are driven toward real (1) or fake (0).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Adversarial {
    /// Mean squared distance to the target (LSGAN, Mao 2017).
    Lsgan,
    /// Binary cross-entropy of scores taken as logits (Goodfellow 2014).
    Bce,
    /// Scores of real images below 1 and of fake ones above -1 count; the generator raises its scores without end
    /// (Lim and Ye 2017).
    Hinge,
}

impl Adversarial {
    /// How far `scores` are from what real or fake images should have: what [`Adversarial::of_errors`] takes.
    pub fn errors(self, scores: Var<'_>, real: bool) -> Var<'_> {
        match (self, real) {
            (Self::Lsgan, true) => scores.affine(1.0, -1.0),
            (Self::Lsgan | Self::Bce, false) => scores,
            (Self::Bce, true) => scores.scale(-1.0),
            (Self::Hinge, true) => scores.affine(-1.0, 1.0).relu(),
            (Self::Hinge, false) => scores.affine(1.0, 1.0).relu(),
        }
    }

    /// The mean loss of `errors`.
    pub fn of_errors(self, errors: Var<'_>) -> Var<'_> {
        match self {
            Self::Lsgan => errors.square().mean(),
            Self::Bce => errors.softplus().mean(),
            Self::Hinge => errors.mean(),
        }
    }

    /// What a discriminator minimises: the mean loss of `scores` toward real or fake.
    pub fn toward(self, scores: Var<'_>, real: bool) -> Var<'_> {
        self.of_errors(self.errors(scores, real))
    }

    /// The share of images that a discriminator with these `errors` is right about: their scores lie on the right side of
    /// 0.5 with least squares, of 0 with the others. One that lies there counts half: who says the same of all is at chance.
    pub fn accuracy(self, errors: &[f32], real: bool) -> f64 {
        // How far beyond the end of its own side a score may lie.
        let most = match self {
            Self::Lsgan => 0.5,
            Self::Bce => 0.0,
            Self::Hinge => 1.0,
        };
        let right = |&error: &f32| {
            let error = if real && self == Self::Lsgan { -error } else { error };
            match error.partial_cmp(&most) {
                Some(Ordering::Less) => 1.0,
                Some(Ordering::Equal) => 0.5,
                Some(Ordering::Greater) => 0.0,
                None => f64::NAN,
            }
        };
        errors.iter().map(right).sum::<f64>() / errors.len() as f64
    }

    /// What a generator minimises: the mean loss of its images' `scores`.
    pub fn generator(self, scores: Var<'_>) -> Var<'_> {
        match self {
            Self::Lsgan | Self::Bce => self.toward(scores, true),
            Self::Hinge => scores.mean().scale(-1.0),
        }
    }
}

/// How the R1 penalty enters what a discriminator minimises.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct R1 {
    /// Its weight; 0 turns it off.
    pub weight: f64,
    /// It is added at every this many updates of the discriminator, as many times as large (Karras 2020).
    pub every: u64,
}

impl R1 {
    /// No penalty.
    pub const OFF: Self = Self { weight: 0.0, every: 1 };

    /// The discriminator's steps that occur: without the penalty, with it, or one of each.
    pub fn variants(self) -> &'static [bool] {
        match (self.weight > 0.0, self.every) {
            (false, _) => &[false],
            (true, 1) => &[true],
            (true, _) => &[false, true],
        }
    }
}

/// The R1 penalty (Mescheder 2018) of a discriminator that gives `images`, real ones, `scores`: half the squared length
/// of the gradient of an image's score (where there are many, their mean) to the image, on average over images.
///
/// # Errors
/// If batch or instance norm stands between: their gradients cannot be differentiated again.
pub fn r1<'g>(scores: Var<'g>, images: Var<'g>) -> Result<Var<'g>> {
    let slopes = gradients(scores.spatial_mean().sum(), &[images])?[0];
    Ok(slopes.square().sum().scale(0.5 / images.shape().0[0] as f64))
}
