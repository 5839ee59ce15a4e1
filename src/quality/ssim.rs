use super::ImageSet;
use crate::{Error, Result};
use rayon::prelude::*;

/// Pixels a side of the window that statistics are taken of, weighted by a normal distribution.
pub const WINDOW: usize = 11;
/// Standard deviation of the weights.
const DEVIATION: f64 = 1.5;
/// Highest value minus lowest.
const RANGE: f64 = 2.0;
const C1: f64 = (0.01 * RANGE) * (0.01 * RANGE);
const C2: f64 = (0.03 * RANGE) * (0.03 * RANGE);

/// The structural similarity (Wang 2004) of two sets in which image `i` of one belongs to image `i` of the other, from -1 to 1, which
/// equal images have: the mean over windows, channels and images of
/// `(2 ma mb + C1)(2 cov + C2) / ((ma^2 + mb^2 + C1)(va + vb + C2))`, with the means, variances and covariance of windows of 11x11 pixels.
/// Windows lie within the images.
///
/// # Errors
/// If the sets differ in count or size, or a side is shorter than a window.
pub fn structural_similarity(a: ImageSet, b: ImageSet) -> Result<f64> {
    a.check_same_size(&b, "structural similarity")?;
    if a.count() != b.count() {
        return Err(Error::Input(format!(
            "structural similarity: {} images cannot be compared with {} one by one; give as many of both",
            a.count(),
            b.count()
        )));
    }
    if a.size().least() < WINDOW {
        return Err(Error::Input(format!(
            "structural similarity: images of size {} are smaller than its window of {WINDOW}x{WINDOW} pixels",
            a.size()
        )));
    }
    let (count, channels) = (a.count(), a.channels());
    let of = |index: usize| {
        let plane = |set: &ImageSet| -> Vec<f64> {
            let image = set.image(index / channels).iter().skip(index % channels).step_by(channels);
            image.map(|&value| f64::from(value)).collect()
        };
        of_planes(&plane(&a), &plane(&b), a.size().width)
    };
    let sum: f64 = (0..count * channels).into_par_iter().map(of).collect::<Vec<_>>().iter().sum();
    Ok(sum / (count * channels) as f64)
}

/// The mean over the windows of two images of one channel.
fn of_planes(a: &[f64], b: &[f64], width: usize) -> f64 {
    let product = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a * b).collect::<Vec<_>>();
    let [ma, mb] = [a, b].map(|of| blurred(of, width));
    let [aa, bb, ab] = [(a, a), (b, b), (a, b)].map(|(a, b)| blurred(&product(a, b), width));
    let at = |index: usize| {
        let (ma, mb) = (ma[index], mb[index]);
        let (va, vb, cov) = (aa[index] - ma * ma, bb[index] - mb * mb, ab[index] - ma * mb);
        (2.0 * ma * mb + C1) * (2.0 * cov + C2) / ((ma * ma + mb * mb + C1) * (va + vb + C2))
    };
    (0..ma.len()).map(at).sum::<f64>() / ma.len() as f64
}

/// The weighted mean of every window.
fn blurred(plane: &[f64], width: usize) -> Vec<f64> {
    let middle = (WINDOW / 2) as f64;
    let weight = |at: usize| (-((at as f64 - middle) / DEVIATION).powi(2) / 2.0).exp();
    let mut weights: Vec<f64> = (0..WINDOW).map(weight).collect();
    let sum: f64 = weights.iter().sum();
    weights.iter_mut().for_each(|weight| *weight /= sum);

    let (height, across) = (plane.len() / width, width - WINDOW + 1);
    let rows: Vec<f64> = plane
        .chunks(width)
        .flat_map(|row| row.windows(WINDOW))
        .map(|window| window.iter().zip(&weights).map(|(value, weight)| value * weight).sum())
        .collect();
    let mean = |index: usize| -> f64 {
        weights.iter().enumerate().map(|(row, weight)| rows[index + row * across] * weight).sum()
    };
    (0..(height - WINDOW + 1) * across).map(mean).collect()
}
