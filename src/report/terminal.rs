//! Curves and images in the characters of a terminal.

use image::RgbImage;
use image::imageops::{self, FilterType};
use std::fmt::Write;

/// Eighths of a character's height.
const EIGHTHS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
/// White pixels between images that are shown together.
const GAP: u32 = 4;

/// A curve, a character a value, from the least of `values` at the bottom to the greatest at the top; halfway up where all are the
/// same. A value that is not finite is a space.
pub fn sparkline(values: impl IntoIterator<Item = f64, IntoIter: Clone>) -> String {
    let values = values.into_iter();
    let finite = values.clone().filter(|value| value.is_finite());
    let (least, greatest) =
        finite.fold((f64::INFINITY, f64::NEG_INFINITY), |(a, b), value| (a.min(value), b.max(value)));
    let character = |value: f64| match value.is_finite() {
        false => ' ',
        true if least == greatest => EIGHTHS[3],
        // Halved, so that no span overflows.
        true => {
            let share = (value / 2.0 - least / 2.0) / (greatest / 2.0 - least / 2.0);
            EIGHTHS[((share * 8.0) as usize).min(7)]
        }
    };
    values.map(character).collect()
}

/// Which colours a terminal shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Colours {
    /// 8 bits each of red, green and blue.
    Full,
    /// The 256 of xterm: a cube of 6x6x6 and 24 greys.
    Indexed,
}

impl Colours {
    /// The parameters of the escape sequence that sets a colour, after `38;` for characters and `48;` for what is behind them.
    fn code(self, [r, g, b]: [u8; 3]) -> String {
        match self {
            Self::Full => format!("2;{r};{g};{b}"),
            Self::Indexed => format!("5;{}", indexed([r, g, b])),
        }
    }
}

/// The nearest of xterm's 256 colours, without its first 16, which are whatever the user likes.
fn indexed(colour: [u8; 3]) -> u8 {
    const CUBE: [u8; 6] = [0, 95, 135, 175, 215, 255];
    let distance = |other: [u8; 3]| -> u32 {
        colour.iter().zip(other).map(|(&a, b)| u32::from(a.abs_diff(b)).pow(2)).sum()
    };
    let [r, g, b] = colour.map(|value| (0..6).min_by_key(|&at| CUBE[at].abs_diff(value)).unwrap_or(0));
    let grey = (0..24).min_by_key(|&at| distance([8 + 10 * at; 3])).unwrap_or(0);
    match distance([8 + 10 * grey; 3]) < distance([CUBE[r], CUBE[g], CUBE[b]]) {
        true => 232 + grey,
        false => (16 + 36 * r + 6 * g + b) as u8,
    }
}

/// An image in upper half blocks, two pixels a character, a text a line; the last row of an odd number stands above nothing.
pub fn half_blocks(image: &RgbImage, colours: Colours) -> Vec<String> {
    let line = |row: u32| {
        let (mut line, mut before) = (String::new(), None);
        for x in 0..image.width() {
            let upper = image.get_pixel(x, row).0;
            let lower = image.get_pixel_checked(x, row + 1).map(|pixel| pixel.0);
            if before.replace((upper, lower)) != Some((upper, lower)) {
                let behind = lower.map_or("49".into(), |lower| format!("48;{}", colours.code(lower)));
                let _ = write!(line, "\x1b[38;{};{behind}m", colours.code(upper));
            }
            line.push('▀');
        }
        line + "\x1b[0m"
    };
    (0..image.height()).step_by(2).map(line).collect()
}

/// `images` side by side or one below the other, whichever shows them larger, shrunk to `columns` and `lines` of half blocks and
/// never enlarged; nothing where there is no room, or no image.
pub fn fitted(images: &[RgbImage], columns: u32, lines: u32) -> Option<RgbImage> {
    let most = |side: fn(&RgbImage) -> u32| images.iter().map(side).max().unwrap_or(0);
    let sum = |side: fn(&RgbImage) -> u32| {
        images.iter().map(side).sum::<u32>() + GAP * (images.len() as u32).saturating_sub(1)
    };
    let scale = |(width, height): (u32, u32)| {
        let share = |room: u32, needed: u32| f64::from(room) / f64::from(needed.max(1));
        share(columns, width).min(share(2 * lines, height)).min(1.0)
    };
    let beside = (sum(RgbImage::width), most(RgbImage::height));
    let below = (most(RgbImage::width), sum(RgbImage::height));
    let (size, across) = if scale(beside) >= scale(below) { (beside, true) } else { (below, false) };
    let shrunk = |side: u32| (f64::from(side) * scale(size)).round() as u32;
    let (width, height) = (shrunk(size.0), shrunk(size.1));
    if width < 2 || height < 2 {
        return None;
    }
    let mut together = RgbImage::from_pixel(size.0, size.1, [255; 3].into());
    let mut at = (0, 0);
    for image in images {
        imageops::replace(&mut together, image, at.0, at.1);
        match across {
            true => at.0 += i64::from(image.width() + GAP),
            false => at.1 += i64::from(image.height() + GAP),
        }
    }
    Some(imageops::resize(&together, width, height, FilterType::Triangle))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_curve_reaches_from_its_least_value_to_its_greatest() {
        assert_eq!(sparkline([0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0]), "▁▂▃▄▅▆▇█");
        assert_eq!(sparkline([-3e-9, 1e-9, -3e-9]), "▁█▁");
        assert_eq!(sparkline([2.0, 2.0]), "▄▄");
        assert_eq!(sparkline([f64::NAN, 1.0, f64::INFINITY, 2.0]), " ▁ █");
        assert_eq!(sparkline([f64::MIN, 0.0, f64::MAX]), "▁▅█");
        assert_eq!(sparkline([]), "");
    }

    #[test]
    fn two_rows_of_pixels_are_a_line_of_half_blocks() {
        let mut image = RgbImage::from_pixel(2, 3, [1, 2, 3].into());
        image.put_pixel(0, 0, [200, 0, 0].into());
        let [upper, lower] = &half_blocks(&image, Colours::Full)[..] else { panic!("two lines") };
        assert_eq!(upper, "\x1b[38;2;200;0;0;48;2;1;2;3m▀\x1b[38;2;1;2;3;48;2;1;2;3m▀\x1b[0m");
        assert_eq!(lower, "\x1b[38;2;1;2;3;49m▀▀\x1b[0m", "nothing below; colours are set where they change");
    }

    #[test]
    fn an_indexed_colour_is_the_nearest_of_xterm() {
        let palette = |index: u8| -> [u8; 3] {
            match index {
                0..16 => panic!("the user's own"),
                16..232 => [36, 6, 1].map(|place| match (index - 16) / place % 6 {
                    0 => 0,
                    level => 55 + 40 * level,
                }),
                _ => [8 + 10 * (index - 232); 3],
            }
        };
        let apart = |a: [u8; 3], b: [u8; 3]| -> u32 {
            a.iter().zip(b).map(|(&a, b)| u32::from(a.abs_diff(b)).pow(2)).sum()
        };
        for colour in (0..=255).step_by(15).flat_map(|r| [[r, 255 - r, 77], [r, r, r], [r, r / 2, 255]]) {
            let least = (16..=255).map(|index| apart(palette(index), colour)).min().unwrap();
            assert_eq!(apart(palette(indexed(colour)), colour), least, "{colour:?}");
        }
    }

    #[test]
    fn images_are_as_large_as_the_terminal_has_room() {
        let sheet = RgbImage::new(200, 100);
        let size = |images: &[RgbImage], columns, lines| {
            fitted(images, columns, lines).map(|image| image.dimensions())
        };
        assert_eq!(size(std::slice::from_ref(&sheet), 80, 100), Some((80, 40)), "the width decides");
        assert_eq!(size(std::slice::from_ref(&sheet), 80, 10), Some((40, 20)), "the height decides");
        assert_eq!(size(std::slice::from_ref(&sheet), 800, 800), Some((200, 100)), "never enlarged");
        let both = [sheet.clone(), sheet.clone()];
        assert_eq!(size(&both, 101, 20), Some((101, 25)), "side by side in a wide terminal");
        assert_eq!(size(&both, 100, 60), Some((100, 102)), "one below the other in a high one");
        assert_eq!(size(&both, 1, 60), None);
        assert_eq!(size(&both, 80, 0), None);
        assert_eq!(size(&[], 80, 24), None);
    }
}
