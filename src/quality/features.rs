//! Figures of two sets of images by the features that a network gives them, as the field publishes them.

use crate::random::stream;
use crate::{Error, Result};
use faer::Mat;
use rand::seq::index::sample;

/// Neighbours that decide how far an image's surroundings reach (Kynkäänniemi et al. 2019).
const NEIGHBOURS: usize = 3;
/// How many parts of the sets the spread of the kernel distance is taken over, and the most images of one (Bińkowski et al. 2018).
const PARTS: usize = 100;
const PART: usize = 1000;

/// The features of some images: a vector for each, all of one length.
#[derive(Clone, Debug)]
pub struct Features {
    /// A row for each image.
    rows: Mat<f64>,
}

/// The kernel distance of two sets.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct KernelDistance {
    /// Of all images.
    pub value: f64,
    /// Its standard deviation over parts of the sets.
    pub deviation: f64,
}

/// How well two sets cover each other.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Coverage {
    /// The share of found images that are like real ones.
    pub precision: f64,
    /// The share of real images that found ones are like.
    pub recall: f64,
}

impl Features {
    /// The features in `values`, `[count, len]`.
    ///
    /// # Errors
    /// If `values` is not a whole number of vectors, at least two, or holds an infinity or NaN.
    pub fn new(values: &[f32], len: usize) -> Result<Self> {
        if len == 0 || !values.len().is_multiple_of(len) || values.len() < 2 * len {
            return Err(Error::Input(format!(
                "{} values are not the features of two or more images, {len} each",
                values.len()
            )));
        }
        if let Some(bad) = values.iter().find(|value| !value.is_finite()) {
            return Err(Error::Input(format!("a feature is {bad}; every one must be a finite number")));
        }
        Ok(Self { rows: Mat::from_fn(values.len() / len, len, |row, at| f64::from(values[row * len + at])) })
    }

    /// How many images, at least 2.
    pub fn count(&self) -> usize {
        self.rows.nrows()
    }

    /// Numbers in a vector, at least 1.
    pub fn dimensions(&self) -> usize {
        self.rows.ncols()
    }

    /// The mean of all vectors.
    fn mean(&self) -> Vec<f64> {
        let mean = |column: usize| self.rows.col(column).iter().sum::<f64>() / self.count() as f64;
        (0..self.dimensions()).map(mean).collect()
    }

    /// A matrix `A` such that `A^T A` is the covariance, of as few rows as that takes.
    fn deviations(&self) -> Mat<f64> {
        let (mean, scale) = (self.mean(), 1.0 / ((self.count() - 1) as f64).sqrt());
        let deviations = Mat::from_fn(self.count(), self.dimensions(), |row, at| {
            scale * (self.rows[(row, at)] - mean[at])
        });
        match self.count() > self.dimensions() {
            true => deviations.qr().thin_R().to_owned(),
            false => deviations,
        }
    }

    fn alike(&self, other: &Self) -> Result<()> {
        match self.dimensions() == other.dimensions() {
            true => Ok(()),
            false => Err(Error::Input(format!(
                "features of {} and {} numbers cannot be compared; take both from one network",
                self.dimensions(),
                other.dimensions()
            ))),
        }
    }
}

/// The Fréchet distance of two sets (Heusel et al. 2017), which with the features of Inception's last pooling is FID:
///
/// ```text
/// |m1 - m2|^2 + tr(C1) + tr(C2) - 2 tr((C1 C2)^(1/2))
/// ```
///
/// `m` are the means and `C` the covariances (over n - 1). With `C = A^T A`, the last trace is the sum of the singular values of
/// `A1 A2^T`, so that neither a square root of a matrix nor a matrix larger than the number of images is needed.
///
/// It falls with the number of images even where nothing gets better: compare figures of equal counts only.
///
/// # Errors
/// If the vectors differ in length, or the singular values cannot be found.
pub fn frechet_distance(a: &Features, b: &Features) -> Result<f64> {
    a.alike(b)?;
    let means: f64 = a.mean().iter().zip(b.mean()).map(|(a, b)| (a - b).powi(2)).sum();
    let [a, b] = [a, b].map(Features::deviations);
    let common = (&a * b.transpose())
        .singular_values()
        .map_err(|error| Error::Input(format!("no singular values of these features: {error:?}")))?;
    Ok(means + a.squared_norm_l2() + b.squared_norm_l2() - 2.0 * common.iter().sum::<f64>())
}

/// The squared maximum mean discrepancy of two sets (Bińkowski et al. 2018), which with the features of Inception's last pooling
/// is KID: without bias, by the kernel `(x . y / len + 1)^3`. Its spread is that over 100 random halves of the sets, of at most
/// 1,000 images each; `seed` draws them.
///
/// # Errors
/// If the vectors differ in length.
pub fn kernel_distance(a: &Features, b: &Features, seed: u64) -> Result<KernelDistance> {
    a.alike(b)?;
    let kernel = |a: &Features, b: &Features| {
        let products = &a.rows * b.rows.transpose();
        let len = a.dimensions() as f64;
        Mat::from_fn(products.nrows(), products.ncols(), |row, column| {
            (products[(row, column)] / len + 1.0).powi(3)
        })
    };
    let kernels = [kernel(a, a), kernel(b, b), kernel(a, b)];
    let all = [a.count(), b.count()].map(|count| (0..count).collect::<Vec<_>>());
    let value = discrepancy(&kernels, &all);
    let mut rng = stream(seed, "kid", 0);
    let mut part = |count: usize| sample(&mut rng, count, (count / 2).clamp(2, PART)).into_vec();
    let parts: Vec<f64> =
        (0..PARTS).map(|_| discrepancy(&kernels, &[part(a.count()), part(b.count())])).collect();
    let mean = parts.iter().sum::<f64>() / PARTS as f64;
    let variance = parts.iter().map(|part| (part - mean).powi(2)).sum::<f64>() / PARTS as f64;
    Ok(KernelDistance { value, deviation: variance.sqrt() })
}

/// The discrepancy of these images of two sets; kernels are those within the first, within the second and between both.
fn discrepancy([aa, bb, ab]: &[Mat<f64>; 3], [a, b]: &[Vec<usize>; 2]) -> f64 {
    let within = |kernel: &Mat<f64>, chosen: &[usize]| {
        let others = |&row: &usize| {
            chosen.iter().filter(|&&column| column != row).map(|&column| kernel[(row, column)]).sum::<f64>()
        };
        let pairs = chosen.len() * (chosen.len() - 1);
        chosen.iter().map(others).sum::<f64>() / pairs as f64
    };
    let across: f64 = a.iter().map(|&row| b.iter().map(|&column| ab[(row, column)]).sum::<f64>()).sum();
    within(aa, a) + within(bb, b) - 2.0 * across / (a.len() * b.len()) as f64
}

/// Precision and recall of found images (Kynkäänniemi et al. 2019): an image is like those of a set if it lies no farther from one
/// of them than that one's third nearest neighbour in its set.
///
/// # Errors
/// If the vectors differ in length, or a set has fewer than 4 images.
pub fn coverage(found: &Features, real: &Features) -> Result<Coverage> {
    found.alike(real)?;
    if found.count().min(real.count()) <= NEIGHBOURS {
        return Err(Error::Input(format!(
            "precision and recall of {} and {} images; each set must have more than {NEIGHBOURS}",
            found.count(),
            real.count()
        )));
    }
    let across = squared_distances(found, real);
    let like = |within: Mat<f64>, distance: &dyn Fn(usize, usize) -> f64, count: usize| {
        let radii: Vec<f64> = (0..within.nrows())
            .map(|row| {
                let mut row: Vec<f64> = within.row(row).iter().copied().collect();
                // The image itself is its nearest.
                *row.select_nth_unstable_by(NEIGHBOURS, f64::total_cmp).1
            })
            .collect();
        let inside = |&other: &usize| (0..radii.len()).any(|of| distance(other, of) <= radii[of]);
        (0..count).filter(inside).count() as f64 / count as f64
    };
    let precision = like(squared_distances(real, real), &|other, of| across[(other, of)], found.count());
    let recall = like(squared_distances(found, found), &|other, of| across[(of, other)], real.count());
    Ok(Coverage { precision, recall })
}

/// Squared distances of every vector of `a` to every one of `b`.
fn squared_distances(a: &Features, b: &Features) -> Mat<f64> {
    let lengths = |of: &Features| -> Vec<f64> {
        (0..of.count()).map(|row| of.rows.row(row).iter().map(|value| value * value).sum()).collect()
    };
    let (a_lengths, b_lengths) = (lengths(a), lengths(b));
    let products = &a.rows * b.rows.transpose();
    Mat::from_fn(a.count(), b.count(), |row, column| {
        let same = std::ptr::eq(a, b) && row == column;
        if same { 0.0 } else { a_lengths[row] + b_lengths[column] - 2.0 * products[(row, column)] }
    })
}

#[cfg(test)]
mod tests {
    use super::{Features, coverage, frechet_distance, kernel_distance};
    use crate::random::stream;
    use rand::RngExt;

    /// Uniform from `low` to `low` + 1.
    fn uniform(count: usize, len: usize, low: f32, seed: u64) -> Features {
        let mut rng = stream(seed, "test", 0);
        let values: Vec<f32> = (0..count * len).map(|_| low + rng.random_range(0.0..1.0)).collect();
        Features::new(&values, len).unwrap()
    }

    #[test]
    fn one_number_an_image_has_a_closed_form() {
        let a = Features::new(&[0.0, 2.0, 4.0], 1).unwrap();
        let b = Features::new(&[1.0, 1.5, 2.0, 2.5], 1).unwrap();
        // Means 2 and 1.75, deviations 2 and the root of 5 / 12.
        let expected = 0.25f64.powi(2) + (2.0 - (5.0f64 / 12.0).sqrt()).powi(2);
        assert!((frechet_distance(&a, &b).unwrap() - expected).abs() < 1e-12);
    }

    #[test]
    fn equal_sets_are_at_no_distance_with_few_images_and_with_many() {
        for (count, len) in [(5, 12), (40, 6)] {
            let a = uniform(count, len, 0.0, 1);
            assert!(frechet_distance(&a, &a.clone()).unwrap().abs() < 1e-10);
            let covered = coverage(&a, &a.clone()).unwrap();
            assert_eq!((covered.precision, covered.recall), (1.0, 1.0));
        }
    }

    #[test]
    fn sets_apart_are_told_from_samples_of_one() {
        let (a, b, far) = (uniform(60, 8, 0.0, 1), uniform(50, 8, 0.0, 2), uniform(50, 8, 2.0, 3));
        assert!(frechet_distance(&a, &b).unwrap() < 0.5 && frechet_distance(&a, &far).unwrap() > 30.0);
        let near = kernel_distance(&a, &b, 1).unwrap();
        assert!(near.value.abs() < 4.0 * near.deviation, "{near:?}");
        let apart = kernel_distance(&a, &far, 1).unwrap();
        assert!(apart.value > 10.0 * apart.deviation, "{apart:?}");
        let (near, apart) = (coverage(&a, &b).unwrap(), coverage(&a, &far).unwrap());
        assert!(near.precision > 0.5 && near.recall > 0.5, "{near:?}");
        assert_eq!((apart.precision, apart.recall), (0.0, 0.0));
    }

    #[test]
    fn what_cannot_be_compared_is_refused() {
        for values in [&[1.0, 2.0, 3.0][..], &[1.0, 2.0], &[1.0, f32::NAN, 1.0, 1.0]] {
            assert!(Features::new(values, 2).is_err());
        }
        let (a, b) = (uniform(9, 3, 0.0, 1), uniform(9, 4, 0.0, 1));
        assert!(frechet_distance(&a, &b).is_err() && kernel_distance(&a, &b, 1).is_err());
        assert!(coverage(&uniform(3, 3, 0.0, 1), &a).is_err());
    }
}
