//! A rank's part of a batch.

use std::ops::Range;

/// The images of a batch that one process computes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Shard {
    /// The first, by its place in the whole batch.
    pub first: usize,
    /// How many; at least 1.
    pub len: usize,
    /// Images of the whole batch.
    pub whole: usize,
    /// Their share of the whole batch's means, where others compute the rest; none of a process by itself.
    pub share: Option<f64>,
    /// Whether batch norms go by the statistics of the whole batch, not by those of this part of it.
    pub synced: bool,
}

impl Shard {
    /// The part of rank `rank` of `size`: the batch is cut evenly, and where it does not divide some have one image more. A rank
    /// that is left without any computes on another's, with a share of 0.
    pub fn of(batch: usize, rank: usize, size: usize) -> Self {
        if size == 1 {
            return batch.into();
        }
        let (first, end) = (batch * rank / size, batch * (rank + 1) / size);
        let share = Some((end - first) as f64 / batch as f64);
        match end - first {
            0 => Self { first: first.min(batch - 1), len: 1, whole: batch, share, synced: false },
            len => Self { first, len, whole: batch, share, synced: false },
        }
    }

    /// Its places in the whole batch.
    pub fn range(self) -> Range<usize> {
        self.first..self.first + self.len
    }

    /// Its part of what the whole batch has, a run of numbers an image.
    pub fn slice<T>(self, values: &[T]) -> &[T] {
        let per_image = values.len() / self.whole;
        &values[self.first * per_image..][..self.len * per_image]
    }

    /// How many of its images count.
    pub fn counted(self) -> usize {
        if self.share == Some(0.0) { 0 } else { self.len }
    }
}

/// A whole batch of so many images.
impl From<usize> for Shard {
    fn from(batch: usize) -> Self {
        Self { first: 0, len: batch, whole: batch, share: None, synced: false }
    }
}

#[cfg(test)]
mod tests {
    use super::Shard;

    #[test]
    fn every_image_counts_once() {
        for batch in 1..40 {
            for size in 2..9 {
                let shards: Vec<Shard> = (0..size).map(|rank| Shard::of(batch, rank, size)).collect();
                let counted = shards.iter().filter(|shard| shard.counted() > 0);
                assert!(counted.flat_map(|shard| shard.range()).eq(0..batch), "{batch} by {size}");
                let shares: f64 = shards.iter().filter_map(|shard| shard.share).sum();
                assert!((shares - 1.0).abs() < 1e-12);
                let lens = shards.iter().map(|shard| shard.len);
                assert!(lens.clone().max().unwrap() <= lens.min().unwrap() + 1, "{batch} by {size}: evenly");
                assert!(shards.iter().all(|shard| shard.len > 0 && shard.range().end <= batch));
            }
        }
        assert_eq!(Shard::of(5, 0, 1), 5.into());
        assert_eq!(Shard::of(5, 1, 2).slice(&[0, 0, 1, 1, 2, 2, 3, 3, 4, 4]), [2, 2, 3, 3, 4, 4]);
    }
}
