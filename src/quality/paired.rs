use super::PictureSet;
use super::picture_set::squared_distance;
use crate::{Error, Result};

/// `mean |a - b|` over every value of two sets in which picture `i` of one belongs to picture `i` of the other.
///
/// # Errors
/// If the sets differ in count or size.
pub fn mean_absolute_error(a: PictureSet, b: PictureSet) -> Result<f64> {
    check_paired(a, b, "mean absolute error")?;
    let sum: f64 = a.values().iter().zip(b.values()).map(|(a, b)| f64::from((a - b).abs())).sum();
    Ok(sum / a.values().len() as f64)
}

/// `sqrt(mean (a - b)^2)` over every value of two sets in which picture `i` of one belongs to picture `i` of the other.
///
/// # Errors
/// If the sets differ in count or size.
pub fn root_mean_square(a: PictureSet, b: PictureSet) -> Result<f64> {
    check_paired(a, b, "root mean square")?;
    Ok((squared_distance(a.values(), b.values()) / a.values().len() as f64).sqrt())
}

/// Peak signal-to-noise ratio in decibel, `20 log10(2 / rms)`, where 2 is the way from -1 to 1 and `rms` is
/// [`root_mean_square`] of the whole sets. More is better; infinite for equal sets.
///
/// # Errors
/// If the sets differ in count or size.
pub fn peak_signal_to_noise(a: PictureSet, b: PictureSet) -> Result<f64> {
    Ok(20.0 * (2.0 / root_mean_square(a, b)?).log10())
}

fn check_paired(a: PictureSet, b: PictureSet, figure: &str) -> Result<()> {
    a.check_same_size(&b, figure)?;
    if a.count() == b.count() {
        return Ok(());
    }
    Err(Error::Input(format!(
        "{figure}: {} pictures cannot be compared with {} one by one; give as many of both",
        a.count(),
        b.count()
    )))
}
