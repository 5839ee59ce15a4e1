use rand::RngExt;
use rayon::prelude::*;

use super::ImageSet;
use super::image_set::squared_distance;
use crate::random::stream;
use crate::{Error, Result};

/// How many pairs [`diversity`] looks at, at most.
const MOST_PAIRS: usize = 20_000;

/// How much the images differ: the mean, over pairs of them, of the root-mean-square distance
/// `sqrt(mean (a - b)^2)`.
///
/// Where there are more than 20,000 pairs, as many are drawn at random, the same in every call. A generator that makes
/// one image only scores 0; compare with the score of as many real images.
///
/// # Errors
/// If there are fewer than two images.
pub fn diversity(images: ImageSet) -> Result<f64> {
    let count = images.count();
    if count < 2 {
        return Err(Error::Input("diversity: one image has nothing to differ from; give two or more".into()));
    }
    let pairs: Vec<(usize, usize)> = if count * (count - 1) / 2 <= MOST_PAIRS {
        (0..count).flat_map(|a| (0..a).map(move |b| (a, b))).collect()
    } else {
        let mut rng = stream(0, "diversity pairs", 0);
        let mut pair = || {
            let a = rng.random_range(0..count);
            (a, (a + rng.random_range(1..count)) % count)
        };
        (0..MOST_PAIRS).map(|_| pair()).collect()
    };
    let distance = |&(a, b): &(usize, usize)| {
        (squared_distance(images.image(a), images.image(b)) / images.image_len() as f64).sqrt()
    };
    // Collected first: a parallel sum would depend on how the threads share the pairs.
    let distances: Vec<f64> = pairs.par_iter().map(distance).collect();
    Ok(distances.iter().sum::<f64>() / distances.len() as f64)
}

/// For each image, the training image nearest to it: its index and its root-mean-square distance
/// `sqrt(mean (a - b)^2)`, the smaller of that to the training image and that to its mirror image.
///
/// A generator that learned its training images by heart has distances near 0; held-out real images show what
/// distance to expect. Of equally near ones, the first counts.
///
/// # Errors
/// If the images of the two sets differ in size.
pub fn nearest(images: ImageSet, training: ImageSet) -> Result<Vec<(usize, f64)>> {
    images.check_same_size(&training, "nearest")?;
    let find = |index: usize| {
        let image = images.image(index);
        let mirrored = flip(image, images.size().width, images.channels());
        let mut best = (0, f64::INFINITY);
        for candidate in 0..training.count() {
            // As far from the mirrored image as the mirrored candidate is from the image.
            for view in [image, &mirrored] {
                if let Some(distance) = squared_distance_below(best.1, view, training.image(candidate)) {
                    best = (candidate, distance);
                }
            }
        }
        (best.0, (best.1 / images.image_len() as f64).sqrt())
    };
    Ok((0..images.count()).into_par_iter().map(find).collect())
}

/// The middle of some figures, of an even number the upper one; NaN of none.
pub fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}

/// The squared distance if it is below `limit`; gives up as soon as it cannot be.
fn squared_distance_below(limit: f64, a: &[f32], b: &[f32]) -> Option<f64> {
    const RUN: usize = 1024;
    let mut sum = 0.0;
    for (a, b) in a.chunks(RUN).zip(b.chunks(RUN)) {
        sum += squared_distance(a, b);
        if sum >= limit {
            return None;
        }
    }
    Some(sum)
}

/// The image `[height, width, channels]`, left and right exchanged.
fn flip(image: &[f32], width: usize, channels: usize) -> Vec<f32> {
    image.chunks(width * channels).flat_map(|row| row.chunks(channels).rev().flatten()).copied().collect()
}
