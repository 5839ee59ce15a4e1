//! The images samples are held against while a run goes on: training images, small, so that it costs next to nothing.

use crate::Result;
use crate::data::{Images, centre, to_unit};
use crate::quality::{ImageSet, diversity, median, nearest, thumbnail, thumbnail_size};
use crate::size::Size;
use rayon::prelude::*;

/// Height and width at which images are compared: small enough for thousands of comparisons a sample, large enough
/// that no two images that differ to the eye look alike.
const SIDE: usize = 16;
/// Of larger sets so many images are taken, evenly: sets of that size are not learned by heart.
const MOST: usize = 4096;
/// Training images that the yardsticks are taken of.
const YARDSTICKS: usize = 64;

/// Small training images, and how they compare with each other.
pub struct Gallery {
    /// Thumbnails, one after another.
    training: Vec<f32>,
    /// Height and width of the images in training.
    size: Size,
    channels: usize,
    /// [`diversity`] of training images.
    diversity: f64,
    /// The median distance of a training image to the nearest other.
    nearest: f64,
}

impl Gallery {
    /// Of the images a run is trained on, at `size`: where larger ones are stored to be cropped, of their centres.
    ///
    /// # Errors
    /// If an image's numbers are none.
    pub fn new(images: &Images, size: Size) -> Result<Self> {
        let channels = images.channels();
        let small = |index: usize| {
            let middle = centre(images.image(index), images.size_of(index), size, channels);
            thumbnail(&middle.map(to_unit).collect::<Vec<_>>(), size, channels, SIDE)
        };
        let training: Vec<f32> = evenly(images.len(), MOST).into_par_iter().flat_map_iter(small).collect();
        let mut gallery = Self { training, size, channels, diversity: f64::NAN, nearest: f64::NAN };
        let count = gallery.training.len() / gallery.len();
        if count > 1 {
            let some = evenly(count, YARDSTICKS);
            let chosen: Vec<f32> = some.iter().flat_map(|&index| gallery.image(index)).copied().collect();
            gallery.diversity = diversity(gallery.set(&chosen)?)?;
            let apart = some.par_iter().map(|&index| gallery.nearest_other(index));
            gallery.nearest = median(apart.collect::<Result<_>>()?);
        }
        Ok(gallery)
    }

    /// How much `images`, `[n, height, width, channels]` in [-1, 1], differ, and how near they are to training images: `diversity`
    /// and `nearest`, a root-mean-square distance each, and the same of training images as `diversity_real` and `nearest_real`. Nothing
    /// where there is nothing to compare, or a number is not finite.
    ///
    /// # Errors
    /// If there are more or fewer numbers than whole images have.
    pub fn figures(&self, images: &[f32]) -> Result<Vec<(&'static str, f64)>> {
        let len = self.size.area() * self.channels;
        let finite = images.iter().all(|value| value.is_finite());
        if !finite || self.nearest.is_nan() || images.len() < 2 * len {
            return Ok(Vec::new());
        }
        let small = |image: &[f32]| thumbnail(image, self.size, self.channels, SIDE);
        let small: Vec<f32> = images.chunks(len).flat_map(small).collect();
        let near = nearest(self.set(&small)?, self.set(&self.training)?)?;
        Ok(vec![
            ("diversity", diversity(self.set(&small)?)?),
            ("diversity_real", self.diversity),
            ("nearest", median(near.into_iter().map(|(_, distance)| distance).collect())),
            ("nearest_real", self.nearest),
        ])
    }

    fn set<'a>(&self, values: &'a [f32]) -> Result<ImageSet<'a>> {
        ImageSet::new(values, thumbnail_size(self.size, SIDE), self.channels)
    }

    /// Numbers of a small image.
    fn len(&self) -> usize {
        thumbnail_size(self.size, SIDE).area() * self.channels
    }

    fn image(&self, index: usize) -> &[f32] {
        &self.training[index * self.len()..][..self.len()]
    }

    /// How far a training image is from the nearest other one.
    fn nearest_other(&self, index: usize) -> Result<f64> {
        let (before, rest) = self.training.split_at(index * self.len());
        let mut least = f64::INFINITY;
        for others in [before, &rest[self.len()..]].into_iter().filter(|others| !others.is_empty()) {
            for (_, distance) in nearest(self.set(self.image(index))?, self.set(others)?)? {
                least = least.min(distance);
            }
        }
        Ok(least)
    }
}

/// At most `most` of `0..count`, evenly.
fn evenly(count: usize, most: usize) -> Vec<usize> {
    let taken = count.min(most);
    (0..taken).map(|index| index * count / taken).collect()
}
