//! Which fakes a discriminator is shown: new ones, or past ones out of a pool (Shrivastava 2017, as in Zhu 2017).

use crate::random::stream;
use rand::RngExt;
use std::collections::BTreeMap;

/// The pool's part in one step, one number an image of the batch.
#[derive(Clone, Debug, PartialEq)]
pub struct PoolDraws {
    /// What is shown: a row of the pool as it was before the step, or the length of the pool plus a row of the new fakes.
    pub rows: Vec<f32>,
    /// The pool's row that the new fake replaces after the step, or -1.
    pub store: Vec<f32>,
}

impl PoolDraws {
    /// Takes the images one after another: while the pool of `len` is not full, a new fake is stored and shown; later
    /// it is shown, or, one time in two, stored in place of a random one that is shown instead. `seen` fakes came before
    /// this batch; draws are from the stream of (seed, purpose, step), the coin then the row, for every image.
    ///
    /// # Panics
    /// If `purpose` is longer than 16 bytes, as [`stream`].
    pub fn new(seed: u64, purpose: &str, step: u64, seen: u64, len: usize, batch: usize) -> Self {
        let mut rng = stream(seed, purpose, step);
        let mut filled = usize::try_from(seen).unwrap_or(usize::MAX).min(len);
        let mut draws = Self { rows: Vec::with_capacity(batch), store: vec![-1.0; batch] };
        // The new fake that each row holds by now, where it is one of this batch.
        let mut holds = BTreeMap::new();
        for image in 0..batch {
            let (old, row) = (rng.random::<bool>(), rng.random_range(0..len.max(1)));
            let (shown, stored) = if filled < len {
                filled += 1;
                (len + image, Some(filled - 1))
            } else if old && len > 0 {
                (holds.get(&row).map_or(row, |fake| len + fake), Some(row))
            } else {
                (len + image, None)
            };
            draws.rows.push(shown as f32);
            if let Some(row) = stored {
                // Only what is stored last stays.
                if let Some(replaced) = holds.insert(row, image) {
                    draws.store[replaced] = -1.0;
                }
                draws.store[image] = row as f32;
            }
        }
        draws
    }
}

#[cfg(test)]
mod tests {
    use super::PoolDraws;
    use crate::random::stream;
    use rand::RngExt;

    /// The pool as junyanz's `ImagePool.query` has it, over numbered fakes.
    fn sequential(pool: &mut Vec<u64>, len: usize, fakes: &[u64], step: u64) -> Vec<u64> {
        let mut rng = stream(7, "pool.X", step);
        let query = |&fake: &u64| {
            let (old, row) = (rng.random::<bool>(), rng.random_range(0..len));
            if pool.len() < len {
                pool.push(fake);
                fake
            } else if old {
                std::mem::replace(&mut pool[row], fake)
            } else {
                fake
            }
        };
        fakes.iter().map(query).collect()
    }

    #[test]
    fn a_batch_is_as_images_one_after_another() {
        for (len, batch) in [(1, 1), (1, 8), (3, 8), (5, 2), (50, 1), (50, 16)] {
            let (mut expected, mut pool) = (Vec::new(), vec![u64::MAX; len]);
            for step in 1..80_u64 {
                let seen = (step - 1) * batch as u64;
                let fakes: Vec<u64> = (seen..seen + batch as u64).collect();
                let draws = PoolDraws::new(7, "pool.X", step, seen, len, batch);
                let both = [&pool[..], &fakes[..]].concat();
                let shown: Vec<u64> = draws.rows.iter().map(|&row| both[row as usize]).collect();
                assert_eq!(shown, sequential(&mut expected, len, &fakes, step), "pool {len}, step {step}");
                for (&fake, &row) in fakes.iter().zip(&draws.store).filter(|(_, row)| **row >= 0.0) {
                    pool[row as usize] = fake;
                }
                assert_eq!(pool[..expected.len()], expected[..], "pool {len}, step {step}");
            }
        }
    }

    #[test]
    fn no_two_fakes_are_stored_in_one_row() {
        for step in 0..200 {
            let mut stored = PoolDraws::new(1, "pool.Y", step, 100, 4, 16).store;
            stored.retain(|&row| row >= 0.0);
            let count = stored.len();
            stored.sort_by(f32::total_cmp);
            stored.dedup();
            assert_eq!(stored.len(), count);
        }
    }

    #[test]
    fn without_a_pool_every_fake_is_shown() {
        let draws = PoolDraws::new(1, "pool.X", 3, 40, 0, 3);
        assert_eq!((draws.rows, draws.store), (vec![0.0, 1.0, 2.0], vec![-1.0; 3]));
    }
}
