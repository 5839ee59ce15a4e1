use rand::RngExt;
use rand::distr::Distribution;
use rand::distr::weighted::WeightedIndex;
use rand_distr::StandardNormal;
use rayon::prelude::*;

use super::ImageSet;
use super::pyramid::{Level, laplacian};
use crate::random::stream;
use crate::size::Size;
use crate::{Error, Result};

/// Side of the square patches.
const PATCH: usize = 7;
/// The paper gives its figures times 1000.
const SCALE: f64 = 1e3;
/// Directions are measured along in groups of this many.
const GROUP: usize = 8;
/// One step of an 8-bit image.
const STEP: f64 = 2.0 / 255.0;
/// Neither option goes beyond: a level of side 64 has 3364 patches in all.
const MOST: usize = 4096;

/// How closely [`sliced_wasserstein`] looks. The default is the paper's 128 patches and 4 x 128 directions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SlicedWassersteinOptions {
    /// Patches drawn from each image (on average, where one set has more images) at each level.
    pub patches: usize,
    /// Directions along which the patches of the two sets are compared.
    pub directions: usize,
    /// Decides which patches and which directions.
    pub seed: u64,
}

impl Default for SlicedWassersteinOptions {
    fn default() -> Self {
        Self { patches: 128, directions: 512, seed: 0 }
    }
}

/// Multi-scale sliced Wasserstein distance (after Karras et al. 2018, "Progressive Growing of GANs", section 5), times
/// 1000: per level of the images' Laplacian pyramids, from the finest on, its size and the distance. Less is better.
///
/// Levels have the images' size, half of it, .. for as long as the half is whole and at least 8, where a patch is nearly the
/// whole image: the fine levels see texture, the coarse ones where things are. At each, patches of 7 x 7 pixels are
/// drawn from both sets, at the same places. Along a unit vector, the distance of two equally large sets of patches is the
/// mean difference of their sorted projections; the figure is its mean over many such vectors.
///
/// Two things differ from the paper, both because the eye sees what its figure does not:
/// - It scales each set by its own mean and deviation per channel, and misses a contrast or a tint that all images of
///   a set share. Here both sets are scaled by those of `real`, of a deviation of at least one step of an 8-bit image.
/// - Its vectors are random. Along those, 147 numbers of an edge and of noise add up to nearly the same bell curve. Here
///   every second one points to a patch of `real`: edges answer strongly to those like them, noise does not.
///
/// A set against itself gives 0, but no two samples of the same images do: judge by the distance between two halves of
/// the real images. It falls with the number of images, so compare figures of equal counts only. From the larger set
/// as many patches are drawn as from the smaller, over all of its images.
///
/// # Errors
/// If the images of the two sets differ in size or are smaller than a patch, or an option is not from 1 to 4096.
pub fn sliced_wasserstein(
    images: ImageSet,
    real: ImageSet,
    options: &SlicedWassersteinOptions,
) -> Result<Vec<(Size, f64)>> {
    images.check_same_size(&real, "sliced Wasserstein distance")?;
    check(real, options)?;
    let channels = real.channels();
    let places = images.count().min(real.count()) * options.patches;
    let compare = |(found, real): (Level, Level)| {
        let size = real.size;
        let [mut found, mut real] =
            [found, real].map(|level| Patches::draw(&level, channels, places, options.seed));
        let scales = real.scales(channels);
        found.normalize(&scales);
        real.normalize(&scales);
        let directions = directions(&real, options, size);
        (size, SCALE * distance(&found, &real, &directions) / options.directions as f64)
    };
    Ok(laplacian(images).into_iter().zip(laplacian(real)).map(compare).collect())
}

/// The geometric mean of the distances that [`sliced_wasserstein`] gives, so that a level which is twice as far counts the
/// same whichever it is; the paper takes the arithmetic mean, which the level of the largest figures rules.
pub fn average_over_levels(levels: &[(Size, f64)]) -> f64 {
    (levels.iter().map(|(_, distance)| distance.ln()).sum::<f64>() / levels.len() as f64).exp()
}

fn check(images: ImageSet, options: &SlicedWassersteinOptions) -> Result<()> {
    if images.size().least() < PATCH {
        return Err(Error::Input(format!(
            "sliced Wasserstein distance: images of size {} are smaller than its patches of side {PATCH}",
            images.size()
        )));
    }
    for (name, value) in [("patches", options.patches), ("directions", options.directions)] {
        if !(1..=MOST).contains(&value) {
            return Err(Error::Input(format!(
                "sliced Wasserstein distance: {name} is {value}; it must be from 1 to {MOST}"
            )));
        }
    }
    Ok(())
}

/// Patches `[count, 7, 7, channels]` of one level of a set.
struct Patches {
    values: Vec<f32>,
    len: usize,
}

impl Patches {
    /// One patch per place; the images take turns.
    fn draw(level: &Level, channels: usize, places: usize, seed: u64) -> Self {
        let row = level.size.width * channels;
        let images = level.values.len() / (level.size.height * row);
        let len = PATCH * PATCH * channels;
        let mut values = Vec::with_capacity(places * len);
        let mut rng = stream(seed, "swd patches", key(level.size));
        for place in 0..places {
            let [top, left] = level.size.extents().map(|side| rng.random_range(0..=side - PATCH));
            let corner = (place % images) * level.size.height * row + top * row + left * channels;
            for y in 0..PATCH {
                values.extend_from_slice(&level.values[corner + y * row..][..PATCH * channels]);
            }
        }
        Self { values, len }
    }

    fn iter(&self) -> impl Iterator<Item = &[f32]> {
        self.values.chunks(self.len)
    }

    /// Mean and deviation of each channel, the latter of at least one step of an 8-bit image.
    fn scales(&self, channels: usize) -> Vec<(f64, f64)> {
        let count = (self.values.len() / channels) as f64;
        let scale = |channel| {
            let values = || self.values[channel..].iter().step_by(channels).copied().map(f64::from);
            let mean = values().sum::<f64>() / count;
            let variance = values().map(|value| (value - mean).powi(2)).sum::<f64>() / count;
            (mean, variance.sqrt().max(STEP))
        };
        (0..channels).map(scale).collect()
    }

    /// Subtracts each channel's mean and divides by its deviation.
    fn normalize(&mut self, scales: &[(f64, f64)]) {
        for pixel in self.values.chunks_mut(scales.len()) {
            for (value, (mean, deviation)) in pixel.iter_mut().zip(scales) {
                *value = ((f64::from(*value) - mean) / deviation) as f32;
            }
        }
    }

    /// How far each patch lies along each direction of a group, sorted.
    fn projected(&self, group: &Group) -> [Vec<f32>; GROUP] {
        let mut sorted = [(); GROUP].map(|()| Vec::with_capacity(self.values.len() / self.len));
        for patch in self.iter() {
            let mut along = [0f32; GROUP];
            for (value, weights) in patch.iter().zip(group) {
                along.iter_mut().zip(weights).for_each(|(sum, weight)| *sum += value * weight);
            }
            sorted.iter_mut().zip(along).for_each(|(values, value)| values.push(value));
        }
        sorted.iter_mut().for_each(|values| values.sort_unstable_by(f32::total_cmp));
        sorted
    }
}

/// Up to eight directions, as columns.
type Group = Vec<[f32; GROUP]>;

/// Which level draws which numbers.
fn key(size: Size) -> u64 {
    if size.is_square() { size.width as u64 } else { (size.height as u64) << 32 | size.width as u64 }
}

/// Unit vectors, by turns random and toward a real patch, the latter drawn in proportion to their squared length; the last
/// group is filled up with zeros, along which nothing differs.
fn directions(real: &Patches, options: &SlicedWassersteinOptions, size: Size) -> Vec<Group> {
    let mut rng = stream(options.seed, "swd directions", key(size));
    // None where all patches are those of flat images, without any length: then all vectors are random.
    let chances = WeightedIndex::new(real.iter().map(squared_length)).ok();
    let mut direction = |index: usize| {
        let patch = chances.as_ref().filter(|_| index % 2 == 1);
        let patch = patch.and_then(|chances| real.iter().nth(chances.sample(&mut rng)));
        match patch {
            Some(patch) => unit(patch.to_vec()),
            None => unit((0..real.len).map(|_| rng.sample(StandardNormal)).collect()),
        }
    };
    let group = |first: usize| {
        let mut columns = vec![[0.0; GROUP]; real.len];
        for column in 0..GROUP.min(options.directions - first) {
            let vector = direction(first + column);
            columns.iter_mut().zip(vector).for_each(|(row, value)| row[column] = value);
        }
        columns
    };
    (0..options.directions).step_by(GROUP).map(group).collect()
}

fn unit(vector: Vec<f32>) -> Vec<f32> {
    let length = squared_length(&vector).sqrt();
    vector.into_iter().map(|value| (f64::from(value) / length) as f32).collect()
}

fn squared_length(vector: &[f32]) -> f64 {
    vector.iter().map(|value| f64::from(*value).powi(2)).sum()
}

/// The one-dimensional Wasserstein distances along all directions, added up.
fn distance(a: &Patches, b: &Patches, directions: &[Group]) -> f64 {
    let along = |group: &Group| {
        let pairs = a.projected(group).into_iter().zip(b.projected(group));
        let mean = |(a, b): (Vec<f32>, Vec<f32>)| {
            let sum: f64 = a.iter().zip(&b).map(|(a, b)| f64::from((a - b).abs())).sum();
            sum / a.len() as f64
        };
        pairs.map(mean).sum::<f64>()
    };
    // Collected first: a parallel sum would depend on how the threads share the directions.
    directions.par_iter().map(along).collect::<Vec<f64>>().iter().sum()
}
