//! Height and width of images.

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::fmt;
use std::str::FromStr;

/// Height and width, in pixels. In words, flags and settings one number where they are equal, else `WIDTHxHEIGHT`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Size {
    /// Rows.
    pub height: usize,
    /// Pixels in a row.
    pub width: usize,
}

impl Size {
    /// Both the same.
    pub const fn square(side: usize) -> Self {
        Self { height: side, width: side }
    }

    /// Height and width, as tensors have them.
    pub const fn extents(self) -> [usize; 2] {
        [self.height, self.width]
    }

    /// Pixels in all; `usize::MAX` where they cannot be counted.
    pub const fn area(self) -> usize {
        self.height.saturating_mul(self.width)
    }

    /// The shorter side.
    pub fn least(self) -> usize {
        self.height.min(self.width)
    }

    /// The longer side.
    pub fn most(self) -> usize {
        self.height.max(self.width)
    }

    /// Whether both sides are the same.
    pub const fn is_square(self) -> bool {
        self.height == self.width
    }

    /// What `of` makes of either side.
    pub fn map(self, of: impl Fn(usize) -> usize) -> Self {
        Self { height: of(self.height), width: of(self.width) }
    }

    /// Whether `of` holds of both sides.
    pub fn all(self, of: impl Fn(usize) -> bool) -> bool {
        of(self.height) && of(self.width)
    }
}

impl From<usize> for Size {
    fn from(side: usize) -> Self {
        Self::square(side)
    }
}

impl fmt::Display for Size {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { height, width } = self;
        if self.is_square() { write!(f, "{width}") } else { write!(f, "{width}x{height}") }
    }
}

impl FromStr for Size {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let side = |text: &str| text.trim().parse::<usize>();
        let size = match text.split_once('x') {
            Some((width, height)) => side(width).and_then(|width| Ok(Self { height: side(height)?, width })),
            None => side(text).map(Self::square),
        };
        size.map_err(|_| {
            format!("{text:?} is no size; write one number for square images, or WIDTHxHEIGHT such as 96x64")
        })
    }
}

impl Serialize for Size {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if self.is_square() {
            serializer.serialize_u64(self.width as u64)
        } else {
            serializer.collect_str(self)
        }
    }
}

impl<'de> Deserialize<'de> for Size {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;

        impl serde::de::Visitor<'_> for Visitor {
            type Value = Size;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("one number for square images, or \"WIDTHxHEIGHT\"")
            }

            fn visit_u64<E: serde::de::Error>(self, side: u64) -> Result<Size, E> {
                usize::try_from(side).map(Size::square).map_err(E::custom)
            }

            fn visit_i64<E: serde::de::Error>(self, side: i64) -> Result<Size, E> {
                usize::try_from(side)
                    .map(Size::square)
                    .map_err(|_| E::invalid_value(serde::de::Unexpected::Signed(side), &self))
            }

            fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Size, E> {
                text.parse().map_err(E::custom)
            }
        }

        deserializer.deserialize_any(Visitor)
    }
}

#[cfg(test)]
mod tests {
    use super::Size;

    #[test]
    fn sizes_are_written_as_they_are_read() {
        for (text, size) in [("64", Size::square(64)), ("96x64", Size { height: 64, width: 96 })] {
            assert_eq!(text.parse(), Ok(size));
            assert_eq!(size.to_string(), text);
            let json = serde_json::to_string(&size).unwrap();
            assert_eq!(serde_json::from_str::<Size>(&json).unwrap(), size);
        }
        assert!(["", "x", "64x", "6.4", "-8", "96x64x3"].iter().all(|text| text.parse::<Size>().is_err()));
    }
}
