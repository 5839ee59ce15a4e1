use rand::RngExt;
use rayon::prelude::*;

use super::PictureSet;
use super::picture_set::squared_distance;
use crate::random::stream;
use crate::{Error, Result};

/// How many pairs [`diversity`] looks at, at most.
const MOST_PAIRS: usize = 20_000;

/// How much the pictures differ: the mean, over pairs of them, of the root-mean-square distance
/// `sqrt(mean (a - b)^2)`.
///
/// Where there are more than 20,000 pairs, as many are drawn at random, the same in every call. A generator that makes
/// one picture only scores 0; compare with the score of as many real pictures.
///
/// # Errors
/// If there are fewer than two pictures.
pub fn diversity(pictures: PictureSet) -> Result<f64> {
    let count = pictures.count();
    if count < 2 {
        return Err(Error::Input(
            "diversity: one picture has nothing to differ from; give two or more".into(),
        ));
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
        (squared_distance(pictures.picture(a), pictures.picture(b)) / pictures.picture_len() as f64).sqrt()
    };
    // Collected first: a parallel sum would depend on how the threads share the pairs.
    let distances: Vec<f64> = pairs.par_iter().map(distance).collect();
    Ok(distances.iter().sum::<f64>() / distances.len() as f64)
}

/// For each picture, the training picture nearest to it: its index and its root-mean-square distance
/// `sqrt(mean (a - b)^2)`, the smaller of that to the training picture and that to its mirror image.
///
/// A generator that learned its training pictures by heart has distances near 0; held-out real pictures show what
/// distance to expect. Of equally near ones, the first counts.
///
/// # Errors
/// If the pictures of the two sets differ in size.
pub fn nearest(pictures: PictureSet, training: PictureSet) -> Result<Vec<(usize, f64)>> {
    pictures.check_same_size(&training, "nearest")?;
    let find = |index: usize| {
        let picture = pictures.picture(index);
        let mirrored = flip(picture, pictures.side(), pictures.channels());
        let mut best = (0, f64::INFINITY);
        for candidate in 0..training.count() {
            // As far from the mirrored picture as the mirrored candidate is from the picture.
            for view in [picture, &mirrored] {
                if let Some(distance) = squared_distance_below(best.1, view, training.picture(candidate)) {
                    best = (candidate, distance);
                }
            }
        }
        (best.0, (best.1 / pictures.picture_len() as f64).sqrt())
    };
    Ok((0..pictures.count()).into_par_iter().map(find).collect())
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

/// The picture `[side, side, channels]`, left and right exchanged.
fn flip(picture: &[f32], side: usize, channels: usize) -> Vec<f32> {
    picture.chunks(side * channels).flat_map(|row| row.chunks(channels).rev().flatten()).copied().collect()
}
