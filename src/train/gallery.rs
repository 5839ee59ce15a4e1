//! The pictures samples are held against while a run goes on: training pictures, small, so that it costs next to nothing.

use crate::Result;
use crate::data::{Pictures, to_unit};
use crate::quality::{PictureSet, diversity, median, nearest, thumbnail};
use rayon::prelude::*;

/// Height and width at which pictures are compared: small enough for thousands of comparisons a sample, large enough
/// that no two pictures that differ to the eye look alike.
const SIDE: usize = 16;
/// Of larger sets so many pictures are taken, evenly: sets of that size are not learned by heart.
const MOST: usize = 4096;
/// Training pictures that the yardsticks are taken of.
const YARDSTICKS: usize = 64;

/// Small training pictures, and how they compare with each other.
pub struct Gallery {
    /// `[count, small, small, channels]`.
    training: Vec<f32>,
    /// Height and width of the pictures in training.
    side: usize,
    channels: usize,
    /// [`diversity`] of training pictures.
    diversity: f64,
    /// The median distance of a training picture to the nearest other.
    nearest: f64,
}

impl Gallery {
    /// Of the pictures a run is trained on, at `side` pixels: where larger ones are stored to be cropped, of their centres.
    ///
    /// # Errors
    /// If a picture's numbers are none.
    pub fn new(pictures: &Pictures, side: usize) -> Result<Self> {
        let channels = pictures.channels();
        let small = |index: usize| thumbnail(&centre(pictures, index, side), side, channels, SIDE);
        let training: Vec<f32> = evenly(pictures.len(), MOST).into_par_iter().flat_map_iter(small).collect();
        let mut gallery = Self { training, side, channels, diversity: f64::NAN, nearest: f64::NAN };
        let count = gallery.training.len() / gallery.len();
        if count > 1 {
            let some = evenly(count, YARDSTICKS);
            let chosen: Vec<f32> = some.iter().flat_map(|&index| gallery.picture(index)).copied().collect();
            gallery.diversity = diversity(gallery.set(&chosen)?)?;
            let apart = some.par_iter().map(|&index| gallery.nearest_other(index));
            gallery.nearest = median(apart.collect::<Result<_>>()?);
        }
        Ok(gallery)
    }

    /// How much `pictures`, `[n, side, side, channels]` in [-1, 1], differ, and how near they are to training pictures: `diversity`
    /// and `nearest`, a root-mean-square distance each, and the same of training pictures as `diversity_real` and `nearest_real`. Nothing
    /// where there is nothing to compare, or a number is not finite.
    ///
    /// # Errors
    /// If there are more or fewer numbers than whole pictures have.
    pub fn figures(&self, pictures: &[f32]) -> Result<Vec<(&'static str, f64)>> {
        let len = self.side * self.side * self.channels;
        let finite = pictures.iter().all(|value| value.is_finite());
        if !finite || self.nearest.is_nan() || pictures.len() < 2 * len {
            return Ok(Vec::new());
        }
        let small = |picture: &[f32]| thumbnail(picture, self.side, self.channels, SIDE);
        let small: Vec<f32> = pictures.chunks(len).flat_map(small).collect();
        let near = nearest(self.set(&small)?, self.set(&self.training)?)?;
        Ok(vec![
            ("diversity", diversity(self.set(&small)?)?),
            ("diversity_real", self.diversity),
            ("nearest", median(near.into_iter().map(|(_, distance)| distance).collect())),
            ("nearest_real", self.nearest),
        ])
    }

    fn set<'a>(&self, values: &'a [f32]) -> Result<PictureSet<'a>> {
        PictureSet::new(values, self.side.min(SIDE), self.channels)
    }

    /// Numbers of a small picture.
    fn len(&self) -> usize {
        self.side.min(SIDE).pow(2) * self.channels
    }

    fn picture(&self, index: usize) -> &[f32] {
        &self.training[index * self.len()..][..self.len()]
    }

    /// How far a training picture is from the nearest other one.
    fn nearest_other(&self, index: usize) -> Result<f64> {
        let (before, rest) = self.training.split_at(index * self.len());
        let mut least = f64::INFINITY;
        for others in [before, &rest[self.len()..]].into_iter().filter(|others| !others.is_empty()) {
            for (_, distance) in nearest(self.set(self.picture(index))?, self.set(others)?)? {
                least = least.min(distance);
            }
        }
        Ok(least)
    }
}

/// The middle of picture `index` at `side` pixels, from -1 to 1.
fn centre(pictures: &Pictures, index: usize, side: usize) -> Vec<f32> {
    let (stored, channels) = (pictures.side(), pictures.channels());
    let margin = stored.saturating_sub(side) / 2;
    let rows = pictures.picture(index).chunks(stored * channels).skip(margin).take(side);
    rows.flat_map(|row| &row[margin * channels..(margin + side) * channels])
        .map(|&byte| to_unit(byte))
        .collect()
}

/// At most `most` of `0..count`, evenly.
fn evenly(count: usize, most: usize) -> Vec<usize> {
    let taken = count.min(most);
    (0..taken).map(|index| index * count / taken).collect()
}
