use rand::RngExt;
use rand_distr::StandardNormal;
use serde::{Deserialize, Serialize};

use crate::random::stream;

/// The distribution a generator's input is drawn from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum NoiseKind {
    /// Uniform from -1 to 1.
    Uniform,
    /// Normal, mean 0 and variance 1.
    Normal,
}

/// `len` independent draws of `kind` from the stream of (seed, purpose, step); a shorter draw is a prefix of a longer.
///
/// # Panics
/// If `purpose` is longer than 16 bytes, as [`stream`].
pub fn noise(kind: NoiseKind, seed: u64, purpose: &str, step: u64, len: usize) -> Vec<f32> {
    let mut rng = stream(seed, purpose, step);
    let draw = || match kind {
        NoiseKind::Uniform => rng.random_range(-1.0..1.0),
        NoiseKind::Normal => rng.sample(StandardNormal),
    };
    std::iter::repeat_with(draw).take(len).collect()
}

/// What a dropout of the share `rate` multiplies `len` numbers by: 0 or `1 / (1 - rate)`, each drawn on its own from the stream of
/// (seed, purpose, step); a shorter draw is a prefix of a longer.
///
/// # Panics
/// If `purpose` is longer than 16 bytes, as [`stream`].
pub fn dropout(rate: f64, seed: u64, purpose: &str, step: u64, len: usize) -> Vec<f32> {
    let mut rng = stream(seed, purpose, step);
    let (rate, kept) = (rate as f32, (1.0 / (1.0 - rate)) as f32);
    let draw = || if rng.random::<f32>() < rate { 0.0 } else { kept };
    std::iter::repeat_with(draw).take(len).collect()
}

#[cfg(test)]
mod tests {
    use super::{NoiseKind, dropout, noise};

    #[test]
    fn noise_has_its_distribution() {
        for (kind, variance) in [(NoiseKind::Uniform, 1.0 / 3.0), (NoiseKind::Normal, 1.0)] {
            let draws = noise(kind, 3, "noise", 0, 100_000);
            let mean = draws.iter().sum::<f32>() / 1e5;
            let spread = draws.iter().map(|x| x * x).sum::<f32>() / 1e5;
            // Five standard errors of each, at most.
            assert!(mean.abs() < 0.016 && (spread - variance).abs() < 0.023, "{kind:?}: {mean} {spread}");
            assert_eq!(draws[..10], noise(kind, 3, "noise", 0, 10));
            assert_ne!(draws[..10], noise(kind, 3, "noise", 1, 10));
        }
        let kept = dropout(0.2, 3, "dropout", 0, 100_000).iter().filter(|&&mask| mask == 1.25).count();
        assert!(
            kept.abs_diff(80_000) < 650
                && kept == dropout(0.2, 3, "dropout", 0, 100_000).iter().filter(|&&mask| mask > 0.0).count()
        );
        assert!(noise(NoiseKind::Uniform, 3, "noise", 0, 10_000).iter().all(|x| (-1.0..1.0).contains(x)));
    }
}
