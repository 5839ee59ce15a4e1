use crate::size::Size;
use crate::{Error, Result};

/// Images of one size, borrowed: values `[count, height, width, channels]` from -1 to 1.
///
/// There is at least one image, and every value is a number.
#[derive(Debug, Clone, Copy)]
pub struct ImageSet<'a> {
    values: &'a [f32],
    size: Size,
    channels: usize,
}

impl<'a> ImageSet<'a> {
    /// The images in `values`, `[count, height, width, channels]`.
    ///
    /// # Errors
    /// If `values` is not a whole number of images, at least one, or holds an infinity or NaN.
    pub fn new(values: &'a [f32], size: impl Into<Size>, channels: usize) -> Result<Self> {
        let size = size.into();
        let len = size.height.checked_mul(size.width).and_then(|area| area.checked_mul(channels));
        if !len.is_some_and(|len| len > 0 && !values.is_empty() && values.len().is_multiple_of(len)) {
            return Err(Error::Input(format!(
                "{} values are not one or more images of size {size} with {channels} channels",
                values.len()
            )));
        }
        let set = Self { values, size, channels };
        if let Some(bad) = values.iter().position(|value| !value.is_finite()) {
            return Err(Error::Input(format!(
                "image {} of {} holds {}; every value must be a number, from -1 to 1",
                bad / set.image_len(),
                set.count(),
                values[bad]
            )));
        }
        Ok(set)
    }

    /// How many images there are, at least 1.
    pub fn count(&self) -> usize {
        self.values.len() / self.image_len()
    }

    /// Height and width.
    pub fn size(&self) -> Size {
        self.size
    }

    /// 1 for grey, 3 for RGB.
    pub fn channels(&self) -> usize {
        self.channels
    }

    pub(super) fn values(&self) -> &'a [f32] {
        self.values
    }

    pub(super) fn image_len(&self) -> usize {
        self.size.area() * self.channels
    }

    pub(super) fn image(&self, index: usize) -> &'a [f32] {
        &self.values[index * self.image_len()..][..self.image_len()]
    }

    /// That both sets hold images of the same size, or what `figure` has to say about it.
    pub(super) fn check_same_size(&self, other: &Self, figure: &str) -> Result<()> {
        if (self.size, self.channels) == (other.size, other.channels) {
            return Ok(());
        }
        Err(Error::Input(format!(
            "{figure}: images of size {} with {} channels cannot be compared with images of size {} with {}; \
             resize one set first",
            self.size, self.channels, other.size, other.channels
        )))
    }
}

/// `sum (a - b)^2`; exact to about seven digits.
pub(super) fn squared_distance(a: &[f32], b: &[f32]) -> f64 {
    const RUN: usize = 64;
    let run = |(a, b): (&[f32], &[f32])| {
        let mut lanes = [0f32; 8];
        for (a, b) in a.chunks(8).zip(b.chunks(8)) {
            for (lane, (a, b)) in lanes.iter_mut().zip(a.iter().zip(b)) {
                *lane += (a - b) * (a - b);
            }
        }
        f64::from(lanes.iter().sum::<f32>())
    };
    a.chunks(RUN).zip(b.chunks(RUN)).map(run).sum()
}
