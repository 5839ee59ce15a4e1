use crate::size::Size;

/// A byte, or a value between two bytes, as the networks see it: `level / 127.5 - 1`, from -1 to 1.
pub fn to_unit(level: impl Into<f32>) -> f32 {
    level.into() / 127.5 - 1.0
}

/// The inverse of [`to_unit`]: the nearest byte, values outside -1 to 1 clamped. Not a number gives 0.
pub fn to_byte(unit: f32) -> u8 {
    ((unit + 1.0) * 127.5).round() as u8
}

/// The channels that images may have: grey, red, green and blue, and these with opacity.
pub const CHANNELS: [usize; 3] = [1, 3, 4];

/// Values from -1 to 1 of pixels with `from` channels as such with `to`: grey is the same in all colours, colours become grey by
/// Rec. 709, and what says nothing of opacity is opaque.
pub fn with_channels(values: &[f32], from: usize, to: usize) -> Vec<f32> {
    let pixel = |pixel: &[f32]| {
        let [r, g, b] = if from == 1 { [pixel[0]; 3] } else { [pixel[0], pixel[1], pixel[2]] };
        let a = if from == 4 { pixel[3] } else { 1.0 };
        match to {
            1 if from == 1 => vec![r],
            1 => vec![0.2126 * r + 0.7152 * g + 0.0722 * b],
            3 => vec![r, g, b],
            _ => vec![r, g, b, a],
        }
    };
    values.chunks_exact(from).flat_map(pixel).collect()
}

/// Bits of a channel of a pixel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Depth {
    /// 8 bits.
    Eight,
    /// 16 bits.
    Sixteen,
}

/// The numbers of an image, by their depth.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Levels {
    /// 8 bits each.
    Eight(Vec<u8>),
    /// 16 bits each.
    Sixteen(Vec<u16>),
}

/// An image of any size and depth.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pixels {
    /// `[height, width, channels]`.
    pub levels: Levels,
    /// Height and width.
    pub size: [usize; 2],
    /// 1 for grey, 3 for RGB.
    pub channels: usize,
}

impl Pixels {
    /// A black image.
    pub fn black(size: [usize; 2], channels: usize, depth: Depth) -> Self {
        let len = size[0] * size[1] * channels;
        let levels = match depth {
            Depth::Eight => Levels::Eight(vec![0; len]),
            Depth::Sixteen => Levels::Sixteen(vec![0; len]),
        };
        Self { levels, size, channels }
    }

    /// The bits of its channels.
    pub fn depth(&self) -> Depth {
        match self.levels {
            Levels::Eight(_) => Depth::Eight,
            Levels::Sixteen(_) => Depth::Sixteen,
        }
    }

    /// Bytes that it takes.
    pub fn bytes(&self) -> usize {
        match &self.levels {
            Levels::Eight(levels) => levels.len(),
            Levels::Sixteen(levels) => 2 * levels.len(),
        }
    }

    /// The values of the pixel at `[row, column]` as the networks see them, from -1 to 1.
    ///
    /// # Panics
    /// If there is no such pixel.
    pub fn pixel(&self, [row, column]: [usize; 2]) -> impl Iterator<Item = f32> + '_ {
        let at = (row * self.size[1] + column) * self.channels;
        (at..at + self.channels).map(|at| match &self.levels {
            Levels::Eight(levels) => to_unit(levels[at]),
            Levels::Sixteen(levels) => f32::from(levels[at]) / 32767.5 - 1.0,
        })
    }

    /// All values, as [`Pixels::pixel`] has them.
    pub fn values(&self) -> Vec<f32> {
        let [height, width] = self.size;
        let places = (0..height).flat_map(|row| (0..width).map(move |column| [row, column]));
        places.flat_map(|place| self.pixel(place)).collect()
    }

    /// Puts the pixels of `values`, from -1 to 1, into a row from `[row, column]` on; values beyond are clamped.
    ///
    /// # Panics
    /// If the row ends before.
    pub fn put(&mut self, [row, column]: [usize; 2], values: &[f32]) {
        let at = (row * self.size[1] + column) * self.channels;
        match &mut self.levels {
            Levels::Eight(levels) => {
                let levels = &mut levels[at..at + values.len()];
                levels.iter_mut().zip(values).for_each(|(level, &value)| *level = to_byte(value));
            }
            Levels::Sixteen(levels) => {
                let levels = &mut levels[at..at + values.len()];
                let to_level = |value: f32| ((value + 1.0) * 32767.5).round() as u16;
                levels.iter_mut().zip(values).for_each(|(level, &value)| *level = to_level(value));
            }
        }
    }
}

/// The part of size `to` about the centre of `bytes`, `[height, width, channels]` of an image of size `from`, which has at least that.
pub fn centre(bytes: &[u8], from: Size, to: Size, channels: usize) -> impl Iterator<Item = u8> + '_ {
    let (top, left) = ((from.height - to.height) / 2, (from.width - to.width) / 2);
    let rows = bytes.chunks_exact(from.width * channels).skip(top).take(to.height);
    rows.flat_map(move |row| &row[left * channels..][..to.width * channels]).copied()
}

#[cfg(test)]
mod tests {
    use super::{Depth, Levels, Pixels};

    #[test]
    fn every_level_comes_back() {
        let all = Levels::Sixteen((0..=u16::MAX).collect());
        let image = Pixels { levels: all, size: [256, 256], channels: 1 };
        let mut again = Pixels::black([256, 256], 1, Depth::Sixteen);
        for row in 0..256 {
            let values: Vec<f32> = (0..256).flat_map(|column| image.pixel([row, column])).collect();
            again.put([row, 0], &values);
        }
        assert!(again == image);
        again.put([0, 0], &[-1.5, 1.5, f32::NAN]);
        let Levels::Sixteen(levels) = again.levels else { panic!("16 bits") };
        assert_eq!(levels[..3], [0, 65535, 0]);
    }
}
