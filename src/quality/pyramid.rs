use rayon::prelude::*;

use super::ImageSet;

/// No level of a pyramid is smaller, unless the images are.
const SMALLEST_SIDE: usize = 8;

/// One level of the pyramids of a set of images: `[count, side, side, channels]`.
pub(super) struct Level {
    pub side: usize,
    pub values: Vec<f32>,
}

/// The sides of a pyramid's levels: halved for as long as the half is whole and at least 8.
pub(super) fn sides(side: usize) -> Vec<usize> {
    let half = |&side: &usize| (side.is_multiple_of(2) && side / 2 >= SMALLEST_SIDE).then_some(side / 2);
    std::iter::successors(Some(side), half).collect()
}

/// Laplacian pyramids (Burt and Adelson 1983): each level is what the next smaller one, enlarged, lacks of the image
/// at that size; the last is the smallest image itself.
pub(super) fn laplacian(images: ImageSet) -> Vec<Level> {
    let sides = sides(images.side());
    let channels = images.channels();
    let mut current = images.values().to_vec();
    let mut levels = Vec::with_capacity(sides.len());
    for side in &sides[..sides.len() - 1] {
        let len = side * side * channels;
        let smaller: Vec<f32> =
            current.par_chunks(len).flat_map_iter(|image| halve(image, *side, channels)).collect();
        current.par_chunks_mut(len).zip(smaller.par_chunks(len / 4)).for_each(|(image, smaller)| {
            let enlarged = enlarge(smaller, side / 2, channels);
            image.iter_mut().zip(enlarged).for_each(|(value, known)| *value -= known);
        });
        levels.push(Level { side: *side, values: std::mem::replace(&mut current, smaller) });
    }
    levels.push(Level { side: sides[sides.len() - 1], values: current });
    levels
}

/// Blurs and keeps every second pixel of every second row.
fn halve(image: &[f32], side: usize, channels: usize) -> Vec<f32> {
    let blurred = blur(image, side, channels);
    let rows = blurred.chunks(side * channels).step_by(2);
    rows.flat_map(|row| row.chunks(channels).step_by(2).flatten()).copied().collect()
}

/// Spreads the pixels of `[side, side, channels]` over twice the side, with zeros between, and blurs; times 4, as one
/// pixel in 4 is not zero.
fn enlarge(image: &[f32], side: usize, channels: usize) -> Vec<f32> {
    let mut spread = vec![0.0; 4 * image.len()];
    for (y, row) in image.chunks(side * channels).enumerate() {
        for (x, pixel) in row.chunks(channels).enumerate() {
            for (channel, value) in pixel.iter().enumerate() {
                spread[(4 * side * y + 2 * x) * channels + channel] = 4.0 * value;
            }
        }
    }
    blur(&spread, 2 * side, channels)
}

/// Convolution with `[1 4 6 4 1] / 16` along both axes, reflected at the borders; `side` is at least 3.
fn blur(image: &[f32], side: usize, channels: usize) -> Vec<f32> {
    const KERNEL: [f32; 5] = [1.0 / 16.0, 4.0 / 16.0, 6.0 / 16.0, 4.0 / 16.0, 1.0 / 16.0];
    let taps = |at: usize| {
        KERNEL.iter().enumerate().map(move |(tap, weight)| {
            let index = (at + tap).abs_diff(2);
            (if index < side { index } else { 2 * (side - 1) - index }, weight)
        })
    };
    let mut across = vec![0.0; image.len()];
    for (out, row) in across.chunks_mut(side * channels).zip(image.chunks(side * channels)) {
        for (x, pixel) in out.chunks_mut(channels).enumerate() {
            for (from, weight) in taps(x) {
                add_scaled(pixel, *weight, &row[from * channels..]);
            }
        }
    }
    let mut both = vec![0.0; image.len()];
    for (y, row) in both.chunks_mut(side * channels).enumerate() {
        for (from, weight) in taps(y) {
            add_scaled(row, *weight, &across[from * side * channels..]);
        }
    }
    both
}

fn add_scaled(sum: &mut [f32], factor: f32, values: &[f32]) {
    sum.iter_mut().zip(values).for_each(|(sum, value)| *sum += factor * value);
}

#[cfg(test)]
mod tests {
    use super::{ImageSet, Level, enlarge, laplacian, sides};

    #[test]
    fn levels_are_halves_down_to_eight() {
        assert_eq!(sides(64), [64, 32, 16, 8]);
        assert_eq!(sides(70), [70, 35]);
        assert_eq!(sides(16), [16, 8]);
        assert_eq!(sides(8), [8]);
    }

    #[test]
    fn a_flat_image_is_flat_at_the_smallest_level_only() {
        let values = [0.25, -0.5].repeat(64 * 64);
        let levels = laplacian(ImageSet::new(&values, 64, 2).unwrap());
        for level in &levels {
            let flat = if level.side == 8 { [0.25, -0.5] } else { [0.0, 0.0] };
            for pixel in level.values.chunks(2) {
                assert!(
                    pixel.iter().zip(flat).all(|(a, b)| (a - b).abs() < 1e-6),
                    "{}: {pixel:?}",
                    level.side
                );
            }
        }
    }

    #[test]
    fn levels_add_up_to_the_image() {
        let values: Vec<f32> = (0..2 * 64 * 64).map(|i| ((i * i) as f32).sin()).collect();
        let levels = laplacian(ImageSet::new(&values, 64, 1).unwrap());
        for (index, image) in values.chunks(64 * 64).enumerate() {
            let part = |level: &Level| {
                let len = level.side * level.side;
                level.values[index * len..][..len].to_vec()
            };
            let (smallest, details) = levels.split_last().unwrap();
            let add = |smaller: Vec<f32>, level: &Level| {
                let enlarged = enlarge(&smaller, level.side / 2, 1);
                part(level).iter().zip(enlarged).map(|(a, b)| a + b).collect()
            };
            let whole: Vec<f32> = details.iter().rev().fold(part(smallest), add);
            assert!(whole.iter().zip(image).all(|(a, b)| (a - b).abs() < 1e-5));
        }
    }
}
