use super::ImageSet;
use crate::{Error, Result};

/// `mean |a - b|` over every value of two sets in which image `i` of one belongs to image `i` of the other.
///
/// # Errors
/// If the sets differ in count or size.
pub fn mean_absolute_error(a: ImageSet, b: ImageSet) -> Result<f64> {
    a.check_same_size(&b, "mean absolute error")?;
    if a.count() != b.count() {
        return Err(Error::Input(format!(
            "mean absolute error: {} images cannot be compared with {} one by one; give as many of both",
            a.count(),
            b.count()
        )));
    }
    let sum: f64 = a.values().iter().zip(b.values()).map(|(a, b)| f64::from((a - b).abs())).sum();
    Ok(sum / a.values().len() as f64)
}
