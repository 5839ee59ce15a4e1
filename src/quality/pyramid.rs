use rayon::prelude::*;

use super::ImageSet;
use crate::size::Size;

/// No level of a pyramid is smaller, unless the images are.
const SMALLEST_SIDE: usize = 8;

/// One level of the pyramids of a set of images: `[count, height, width, channels]`.
pub(super) struct Level {
    pub size: Size,
    pub values: Vec<f32>,
}

/// The sizes of a pyramid's levels: halved for as long as the halves are whole and at least 8.
pub(super) fn sizes(size: Size) -> Vec<Size> {
    let half = |size: &Size| {
        size.all(|side| side.is_multiple_of(2) && side / 2 >= SMALLEST_SIDE)
            .then(|| size.map(|side| side / 2))
    };
    std::iter::successors(Some(size), half).collect()
}

/// Laplacian pyramids (Burt and Adelson 1983): each level is what the next smaller one, enlarged, lacks of the image
/// at that size; the last is the smallest image itself.
pub(super) fn laplacian(images: ImageSet) -> Vec<Level> {
    let sizes = sizes(images.size());
    let channels = images.channels();
    let mut current = images.values().to_vec();
    let mut levels = Vec::with_capacity(sizes.len());
    for &size in &sizes[..sizes.len() - 1] {
        let len = size.area() * channels;
        let smaller: Vec<f32> =
            current.par_chunks(len).flat_map_iter(|image| halve(image, size, channels)).collect();
        current.par_chunks_mut(len).zip(smaller.par_chunks(len / 4)).for_each(|(image, smaller)| {
            let enlarged = enlarge(smaller, size.map(|side| side / 2), channels);
            image.iter_mut().zip(enlarged).for_each(|(value, known)| *value -= known);
        });
        levels.push(Level { size, values: std::mem::replace(&mut current, smaller) });
    }
    levels.push(Level { size: sizes[sizes.len() - 1], values: current });
    levels
}

/// Blurs and keeps every second pixel of every second row.
fn halve(image: &[f32], size: Size, channels: usize) -> Vec<f32> {
    let blurred = blur(image, size, channels);
    let rows = blurred.chunks(size.width * channels).step_by(2);
    rows.flat_map(|row| row.chunks(channels).step_by(2).flatten()).copied().collect()
}

/// Spreads the pixels of `[height, width, channels]` over twice the size, with zeros between, and blurs; times 4, as one
/// pixel in 4 is not zero.
fn enlarge(image: &[f32], size: Size, channels: usize) -> Vec<f32> {
    let mut spread = vec![0.0; 4 * image.len()];
    for (y, row) in image.chunks(size.width * channels).enumerate() {
        for (x, pixel) in row.chunks(channels).enumerate() {
            for (channel, value) in pixel.iter().enumerate() {
                spread[(4 * size.width * y + 2 * x) * channels + channel] = 4.0 * value;
            }
        }
    }
    blur(&spread, size.map(|side| 2 * side), channels)
}

/// Convolution with `[1 4 6 4 1] / 16` along both axes, reflected at the borders; either side is at least 3.
fn blur(image: &[f32], size: Size, channels: usize) -> Vec<f32> {
    const KERNEL: [f32; 5] = [1.0 / 16.0, 4.0 / 16.0, 6.0 / 16.0, 4.0 / 16.0, 1.0 / 16.0];
    let taps = |at: usize, side: usize| {
        KERNEL.iter().enumerate().map(move |(tap, weight)| {
            let index = (at + tap).abs_diff(2);
            (if index < side { index } else { 2 * (side - 1) - index }, weight)
        })
    };
    let mut across = vec![0.0; image.len()];
    for (out, row) in across.chunks_mut(size.width * channels).zip(image.chunks(size.width * channels)) {
        for (x, pixel) in out.chunks_mut(channels).enumerate() {
            for (from, weight) in taps(x, size.width) {
                add_scaled(pixel, *weight, &row[from * channels..]);
            }
        }
    }
    let mut both = vec![0.0; image.len()];
    for (y, row) in both.chunks_mut(size.width * channels).enumerate() {
        for (from, weight) in taps(y, size.height) {
            add_scaled(row, *weight, &across[from * size.width * channels..]);
        }
    }
    both
}

fn add_scaled(sum: &mut [f32], factor: f32, values: &[f32]) {
    sum.iter_mut().zip(values).for_each(|(sum, value)| *sum += factor * value);
}

#[cfg(test)]
mod tests {
    use super::{ImageSet, Level, enlarge, laplacian, sizes};
    use crate::size::Size;

    #[test]
    fn levels_are_halves_down_to_eight() {
        assert_eq!(sizes(64.into()), [64, 32, 16, 8].map(Size::square));
        assert_eq!(sizes(70.into()), [70, 35].map(Size::square));
        assert_eq!(sizes(16.into()), [16, 8].map(Size::square));
        assert_eq!(sizes(8.into()), [8].map(Size::square));
    }

    #[test]
    fn a_flat_image_is_flat_at_the_smallest_level_only() {
        let values = [0.25, -0.5].repeat(64 * 64);
        let levels = laplacian(ImageSet::new(&values, 64, 2).unwrap());
        for level in &levels {
            let flat = if level.size == Size::square(8) { [0.25, -0.5] } else { [0.0, 0.0] };
            for pixel in level.values.chunks(2) {
                assert!(
                    pixel.iter().zip(flat).all(|(a, b)| (a - b).abs() < 1e-6),
                    "{}: {pixel:?}",
                    level.size
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
                let len = level.size.area();
                level.values[index * len..][..len].to_vec()
            };
            let (smallest, details) = levels.split_last().unwrap();
            let add = |smaller: Vec<f32>, level: &Level| {
                let enlarged = enlarge(&smaller, level.size.map(|side| side / 2), 1);
                part(level).iter().zip(enlarged).map(|(a, b)| a + b).collect()
            };
            let whole: Vec<f32> = details.iter().rev().fold(part(smallest), add);
            assert!(whole.iter().zip(image).all(|(a, b)| (a - b).abs() < 1e-5));
        }
    }
}
