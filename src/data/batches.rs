use rand::seq::SliceRandom;

use super::augment::Augment;
use super::images::Images;
use crate::random::stream;
use crate::ranks::Shard;
use crate::size::Size;
use crate::{Error, Result};

/// The order in which images are seen: each epoch is one shuffle of them all, cut into batches.
///
/// Everything is a function of `seed`, `name` and the step; steps count from 0 and run on over the epochs.
#[derive(Debug, Clone, PartialEq)]
pub struct Batching {
    /// Images a batch.
    pub batch: usize,
    /// Whether to leave out an epoch's last batch where it is short.
    pub drop_last: bool,
    /// The run's seed.
    pub seed: u64,
    /// Names the random streams, at most 8 bytes. Two sets in one run need two names, unless their images are partners: sets of
    /// one name are seen in one order and changed in the same way.
    pub name: &'static str,
    /// How stored images become training images.
    pub augment: Augment,
    /// Height and width of training images.
    pub size: Size,
    /// This rank, of how many; each makes its part of every batch.
    pub rank: (usize, usize),
}

/// Training images for one step.
#[derive(Debug, Clone, PartialEq)]
pub struct Batch {
    /// Which step this is for.
    pub step: u64,
    /// How many images; fewer than asked for in a short last batch.
    pub count: usize,
    /// `[shard.len, height, width, channels]`, from -1 to 1.
    pub images: Vec<f32>,
    /// Which of the images the whole batch has.
    pub indices: Vec<usize>,
    /// Which of those `images` are: all of them, unless other ranks have the rest.
    pub shard: Shard,
}

impl Batching {
    /// Steps in an epoch of `count` images.
    ///
    /// # Errors
    /// If there are no images, `batch` is 0, or short batches are left out and there is no other.
    pub fn steps_per_epoch(&self, count: usize) -> Result<u64> {
        let Self { batch, name, .. } = self;
        if count == 0 || *batch == 0 {
            return Err(Error::Input(format!(
                "{name}: {count} images in batches of {batch}; both must be at least 1"
            )));
        }
        if self.drop_last && count < *batch {
            return Err(Error::Input(format!(
                "{name}: {count} images do not fill a batch of {batch}, and short batches are left out; choose a \
                 smaller `batch`, or more images"
            )));
        }
        let steps = if self.drop_last { count / batch } else { count.div_ceil(*batch) };
        Ok(steps as u64)
    }

    /// The batch of `step`. Shuffles with the stream `<name>.shuffle` of the epoch; augments, image by image in the
    /// batch's order, with the stream `<name>.augment` of the step. A rank makes the same of its part of the batch as one that makes
    /// all of it.
    ///
    /// # Errors
    /// As [`steps_per_epoch`](Self::steps_per_epoch), or if the images are not stored at
    /// [`Augment::stored_size`], the name is too long or an augmentation is out of range.
    pub fn batch_at(&self, images: &Images, step: u64) -> Result<Batch> {
        let steps = self.check(images)?;
        self.batch_of(images, step, step % steps, &self.order(images.len(), step / steps))
    }

    /// The order of an epoch's images.
    pub(super) fn order(&self, count: usize, epoch: u64) -> Vec<usize> {
        let mut order: Vec<usize> = (0..count).collect();
        order.shuffle(&mut stream(self.seed, &format!("{}.shuffle", self.name), epoch));
        order
    }

    /// The batch of `step`, which is number `place` of the epoch whose order is given.
    pub(super) fn batch_of(&self, images: &Images, step: u64, place: u64, order: &[usize]) -> Result<Batch> {
        let start = place as usize * self.batch;
        let end = order.len().min(start + self.batch);
        let indices = order[start..end].to_vec();

        let mut rng = stream(self.seed, &format!("{}.augment", self.name), step);
        let shard = Shard::of(indices.len(), self.rank.0, self.rank.1);
        let len = self.size.area() * images.channels();
        let mut values = vec![0.0; shard.len * len];
        for &index in &indices[..shard.first] {
            self.augment.skip([images.size_of(index), self.size], &mut rng);
        }
        for (&index, image) in shard.slice(&indices).iter().zip(values.chunks_exact_mut(len)) {
            let sizes = [images.size_of(index), self.size];
            self.augment.apply(images.image(index), images.channels(), sizes, &mut rng, image)?;
        }
        Ok(Batch { step, count: indices.len(), images: values, indices, shard })
    }

    /// The steps in an epoch of `images`, if batches can be made of them.
    pub(super) fn check(&self, images: &Images) -> Result<u64> {
        let Self { name, size, .. } = self;
        self.augment.check()?;
        if name.len() > 8 {
            return Err(Error::Input(format!("{name}: a name of {} bytes; at most 8", name.len())));
        }
        let stored = if images.varied() { *size } else { self.augment.stored_size(*size) };
        if images.size() != stored {
            return Err(Error::Input(format!(
                "{name}: images stored at size {0}; training images of size {size} with {1:?} augmentation need \
                 them at {stored}",
                images.size(),
                self.augment.kind
            )));
        }
        self.steps_per_epoch(images.len())
    }
}
