//! Counter-based random streams: every draw is a function of (seed, purpose, step), so any device sees the
//! same numbers and a resumed run repeats an uninterrupted one.

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// The stream for one `purpose` (at most 16 bytes, such as `"noise"` or `"crop"`) at one `step`.
///
/// The three names are the cipher's key itself, so distinct names never share numbers.
///
/// # Panics
/// If `purpose` is longer than 16 bytes; purposes are literals in this crate.
pub fn stream(seed: u64, purpose: &str, step: u64) -> ChaCha8Rng {
    let mut key = [0u8; 32];
    key[..8].copy_from_slice(&seed.to_le_bytes());
    key[8..16].copy_from_slice(&step.to_le_bytes());
    key[16..16 + purpose.len()].copy_from_slice(purpose.as_bytes());
    ChaCha8Rng::from_seed(key)
}

/// `count` numbers from `from` to 1, of the stream (0, purpose, 0): something to measure with.
///
/// # Panics
/// As [`stream`].
pub fn uniform(purpose: &str, from: f32, count: usize) -> Vec<f32> {
    let mut rng = stream(0, purpose, 0);
    (0..count).map(|_| rng.random_range(from..1.0)).collect()
}

#[cfg(test)]
mod tests {
    use super::stream;
    use rand::RngExt;

    #[test]
    fn streams_repeat_and_differ() {
        let draw = |seed, purpose, step| stream(seed, purpose, step).random::<u64>();
        assert_eq!(draw(1, "noise", 2), draw(1, "noise", 2));
        assert_ne!(draw(1, "noise", 2), draw(1, "noise", 3));
        assert_ne!(draw(1, "noise", 2), draw(1, "crop", 2));
        assert_ne!(draw(1, "noise", 2), draw(2, "noise", 2));
    }
}
