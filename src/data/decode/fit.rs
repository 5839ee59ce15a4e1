//! Images of any size as those of one size that are trained on.

use image::imageops::{self, FilterType};
use image::{DynamicImage, ImageBuffer, Pixel, Primitive, Rgb, RgbImage, Rgba, RgbaImage};
use serde::{Deserialize, Serialize};

use super::MAX_SIDE;
use crate::data::{CHANNELS, centre};
use crate::size::Size;
use crate::{Error, Result};

/// How an image becomes one of another shape.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Fit {
    /// The largest part of that shape about the centre.
    Crop,
    /// The whole image, its sides scaled differently.
    Stretch,
    /// A part of it at its own scale: for training a random one, drawn anew each time; elsewhere the centre.
    CropRandom,
}

/// One of two images that stand side by side in one file, as A and B of a pair.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Half {
    /// The left one.
    Left,
    /// The right one.
    Right,
}

impl Half {
    /// This half of a file's image.
    pub(super) fn of(self, image: DynamicImage) -> std::result::Result<DynamicImage, String> {
        let (width, height) = (image.width(), image.height());
        if width % 2 == 1 {
            return Err(format!(
                "{width} pixels wide, which is odd; a pair is two images of one size side by side, so its width is even"
            ));
        }
        let left = if self == Self::Left { 0 } else { width / 2 };
        Ok(image.crop_imm(left, 0, width / 2, height))
    }
}

/// How images are decoded and stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LoadOptions {
    /// What to store, each side up to 32768 pixels; see [`Augment::stored_size`](crate::data::Augment::stored_size). Of
    /// whole images what each has at least.
    pub size: Size,
    /// 1 for grey (Rec. 709 luma), 3 for RGB, 4 for RGB and opacity.
    pub channels: usize,
    /// How an image takes the shape of `size`.
    pub fit: Fit,
    /// With [`Fit::CropRandom`], the size that images are scaled to cover. Where it is not given they keep their own scale,
    /// unless they are smaller than `size`.
    pub cover: Option<Size>,
    /// With [`Fit::CropRandom`], whether to store whole images, each of its own size, and not their centres.
    pub whole: bool,
    /// The half of each file that is the image, where files are pairs.
    pub half: Option<Half>,
    /// Whether to go on without images that cannot be read.
    pub skip_bad: bool,
    /// Whether the images of a large set are kept on disk as they are stored, so that they need not be decoded again.
    pub cache: bool,
}

impl LoadOptions {
    /// Images cropped to `size`; every one must be readable, and none is kept on disk.
    pub const fn new(size: Size, channels: usize) -> Self {
        let (cover, half) = (None, None);
        Self { size, channels, fit: Fit::Crop, cover, whole: false, half, skip_bad: false, cache: false }
    }

    pub(in crate::data) fn check(&self) -> Result<()> {
        let fits = self.size.all(|side| (1..=MAX_SIDE as usize).contains(&side));
        if !fits || !CHANNELS.contains(&self.channels) {
            return Err(Error::Input(format!(
                "images of size {} with {} channels; each side must be from 1 to {MAX_SIDE}, the channels 1, 3 or 4",
                self.size, self.channels
            )));
        }
        Ok(())
    }

    /// Bytes of one stored image.
    pub(in crate::data) fn image_len(&self) -> usize {
        self.size.area() * self.channels
    }

    /// Bytes of so many stored images.
    pub fn bytes(&self, count: usize) -> u64 {
        (count as u64).saturating_mul(self.image_len() as u64)
    }

    /// Whether images are stored each at its own size.
    pub(in crate::data) fn varied(&self) -> bool {
        self.whole && self.fit == Fit::CropRandom
    }

    /// Height and width to store.
    fn sides(&self) -> [u32; 2] {
        self.size.extents().map(|side| side as u32)
    }

    /// Height and width to which an image of this height and width is scaled before a part of it is taken.
    fn scaled(&self, sides: [u32; 2]) -> [u32; 2] {
        let least = self.sides();
        let covered = self.cover.map_or(least, |cover| cover.extents().map(|side| side as u32));
        let scale = |wanted: [u32; 2]| {
            (f64::from(wanted[0]) / f64::from(sides[0])).max(f64::from(wanted[1]) / f64::from(sides[1]))
        };
        let scale =
            if self.cover.is_some() { scale(covered).max(scale(least)) } else { scale(least).max(1.0) };
        let side = |of: usize| ((f64::from(sides[of]) * scale).round() as u32).max(least[of]);
        [side(0), side(1)]
    }
}

/// Any image as 8-bit RGB, its transparent parts over white.
pub(super) fn opaque(image: DynamicImage) -> RgbImage {
    if image.color().has_alpha() { over_white(&image.into_rgba8()) } else { image.into_rgb8() }
}

/// An image over white.
pub fn over_white<T>(image: &ImageBuffer<Rgba<T>, Vec<T>>) -> ImageBuffer<Rgb<T>, Vec<T>>
where
    T: Primitive + Into<u64> + TryFrom<u64>,
    Rgb<T>: Pixel<Subpixel = T>,
    Rgba<T>: Pixel<Subpixel = T>,
{
    let white: u64 = T::DEFAULT_MAX_VALUE.into();
    ImageBuffer::from_fn(image.width(), image.height(), |x, y| {
        let [r, g, b, a] = image.get_pixel(x, y).0;
        let a: u64 = a.into();
        let over = |level: T| {
            let level = (level.into() * a + white * (white - a) + white / 2) / white;
            T::try_from(level).unwrap_or(T::DEFAULT_MAX_VALUE)
        };
        Rgb([over(r), over(g), over(b)])
    })
}

/// The largest of 8, 4 and 2 by which an image of `width` and `height`, or one turned by a right angle, can be divided before it
/// takes the stored shape, else 1: at least twice the stored size is left, for the filter to do its work, and what is cropped off is
/// whole pixels. A pair is not divided.
pub(super) fn reduction(width: u32, height: u32, options: &LoadOptions) -> u32 {
    if options.half.is_some() {
        return 1;
    }
    let [rows, columns] = options.sides();
    let fits = |by: u32, width: u32, height: u32| {
        let (all, [rows, columns]) = match options.fit {
            Fit::Crop => (part(width, height, options), [rows, columns]),
            Fit::Stretch => ([0, 0, height, width], [rows, columns]),
            Fit::CropRandom => ([0, 0, height, width], options.scaled([height, width])),
        };
        let whole = all.into_iter().chain([width, height]).all(|side| side % by == 0);
        whole && all[2] / by >= 2 * rows && all[3] / by >= 2 * columns
    };
    [8, 4, 2].into_iter().find(|&by| fits(by, width, height) && fits(by, height, width)).unwrap_or(1)
}

/// The largest part of the stored shape about the centre of an image: top, left, height and width.
fn part(width: u32, height: u32, options: &LoadOptions) -> [u32; 4] {
    let [rows, columns] = options.sides();
    let most = |along: u32, across: u32, wanted: u32, beside: u32| {
        let most = u64::from(across) * u64::from(wanted) / u64::from(beside);
        along.min(u32::try_from(most).unwrap_or(u32::MAX)).max(1)
    };
    let (w, h) = (most(width, height, columns, rows), most(height, width, rows, columns));
    [(height - h) / 2, (width - w) / 2, h, w]
}

/// The bytes of `image` as it is stored, and its size.
pub(super) fn fit(image: DynamicImage, options: &LoadOptions) -> (Vec<u8>, Size) {
    let [mut height, mut width] = options.sides();
    let image = match options.fit {
        Fit::Crop => {
            let [top, left, rows, columns] = part(image.width(), image.height(), options);
            match (columns, rows) == (image.width(), image.height()) {
                true => image,
                false => image.crop_imm(left, top, columns, rows),
            }
        }
        Fit::Stretch => image,
        Fit::CropRandom => {
            let [rows, columns] = options.scaled([image.height(), image.width()]);
            if options.whole {
                [height, width] = [rows, columns];
                image
            } else if [rows, columns] == [image.height(), image.width()] {
                // At its own scale no pixel depends on another.
                image.crop_imm((columns - width) / 2, (rows - height) / 2, width, height)
            } else {
                let LoadOptions { size, channels, .. } = *options;
                let from = Size { height: rows as usize, width: columns as usize };
                let all = resized(image, rows, columns, channels);
                return (centre(&all, from, size, channels).collect(), size);
            }
        }
    };
    let size = Size { height: height as usize, width: width as usize };
    (resized(image, height, width, options.channels), size)
}

/// The bytes of `image` at another size.
fn resized(image: DynamicImage, height: u32, width: u32, channels: usize) -> Vec<u8> {
    // Catmull-Rom is the cubic with a = -0.5.
    let filter = FilterType::CatmullRom;
    match channels {
        1 => {
            let grey = DynamicImage::from(opaque(image)).into_luma8();
            imageops::resize(&grey, width, height, filter).into_raw()
        }
        3 => imageops::resize(&opaque(image), width, height, filter).into_raw(),
        _ => transparent(&image.into_rgba8(), width, height, filter).into_raw(),
    }
}

/// An image with opacity at another size. Colours count as much as they are opaque, so that those of transparent pixels do not
/// bleed into their neighbours.
fn transparent(image: &RgbaImage, width: u32, height: u32, filter: FilterType) -> RgbaImage {
    let mut colours = RgbImage::new(image.width(), image.height());
    let mut weighted = image::Rgba32FImage::new(image.width(), image.height());
    for ((from, to), colour) in image.pixels().zip(weighted.pixels_mut()).zip(colours.pixels_mut()) {
        // Halves: the filter overshoots, and what is over 1 would be cut off.
        let [r, g, b, a] = from.0.map(|level| f32::from(level) / 255.0);
        *to = Rgba([r * a, g * a, b * a, a].map(|value| value / 2.0));
        *colour = Rgb([from.0[0], from.0[1], from.0[2]]);
    }
    let weighted = imageops::resize(&weighted, width, height, filter);
    // Where nothing is opaque, colours are what they were.
    let colours = imageops::resize(&colours, width, height, filter);
    RgbaImage::from_fn(width, height, |x, y| {
        let Rgba([r, g, b, a]) = *weighted.get_pixel(x, y);
        let level = |value: f32| (255.0 * value).round().clamp(0.0, 255.0) as u8;
        let own = colours.get_pixel(x, y).0;
        match level(2.0 * a) {
            0 => Rgba([own[0], own[1], own[2], 0]),
            alpha => Rgba([level(r / a), level(g / a), level(b / a), alpha]),
        }
    })
}

#[cfg(test)]
mod tests {
    use super::{Fit, LoadOptions, fit, part, reduction};
    use crate::size::Size;
    use image::{Rgba, RgbaImage};

    fn options(width: usize, height: usize) -> LoadOptions {
        let size = Size { height, width };
        LoadOptions::new(size, 4)
    }

    #[test]
    fn the_part_is_the_largest_and_in_the_middle() {
        assert_eq!(part(48, 32, &options(64, 64)), [0, 8, 32, 32]);
        assert_eq!(part(32, 48, &options(64, 64)), [8, 0, 32, 32]);
        assert_eq!(part(48, 32, &options(96, 64)), [0, 0, 32, 48]);
        assert_eq!(part(100, 100, &options(96, 64)), [17, 0, 66, 100]);
        assert_eq!(part(1, 900, &options(64, 1)), [449, 0, 1, 1]);
    }

    #[test]
    fn reductions_leave_twice_the_size_and_whole_pixels() {
        assert_eq!(reduction(4096, 4096, &options(64, 64)), 8);
        assert_eq!(reduction(1024, 1024, &options(64, 64)), 8);
        assert_eq!(reduction(1024, 1024, &options(65, 65)), 4);
        assert_eq!(reduction(1020, 1024, &options(64, 64)), 2);
        assert_eq!(reduction(1001, 1001, &options(64, 64)), 1);
        assert_eq!(reduction(120, 4096, &options(64, 64)), 1);
    }

    #[test]
    fn own_scale_is_left_unless_images_are_smaller_or_a_size_is_to_be_covered() {
        let own = LoadOptions { fit: Fit::CropRandom, whole: true, ..options(64, 64) };
        assert_eq!(own.scaled([300, 500]), [300, 500]);
        assert_eq!(own.scaled([32, 100]), [64, 200]);
        let covering = LoadOptions { cover: Some(Size { height: 100, width: 200 }), ..own.clone() };
        assert_eq!(covering.scaled([1000, 1000]), [200, 200]);
        assert_eq!(covering.scaled([200, 3000]), [100, 1500]);
        assert_eq!([reduction(1000, 1000, &own), reduction(1000, 1000, &covering)], [1, 2]);
    }

    #[test]
    fn a_whole_image_and_its_centre_are_at_one_scale() {
        let places = RgbaImage::from_fn(9, 6, |x, y| Rgba([10 * x as u8, 10 * y as u8, 0, 255]));
        let centre = LoadOptions { fit: Fit::CropRandom, ..options(3, 4) };
        let whole = LoadOptions { whole: true, ..centre.clone() };
        let (all, size) = fit(places.clone().into(), &whole);
        assert_eq!((all, size), (places.clone().into_raw(), Size { height: 6, width: 9 }));
        let (part, size) = fit(places.clone().into(), &centre);
        let expected = image::imageops::crop_imm(&places, 3, 1, 3, 4).to_image().into_raw();
        assert_eq!((part, size), (expected, centre.size));
    }

    #[test]
    fn transparent_colours_do_not_bleed() {
        let half =
            RgbaImage::from_fn(
                16,
                16,
                |x, _| if x < 8 { Rgba([200, 10, 10, 255]) } else { Rgba([0, 255, 0, 0]) },
            );
        let (small, _) = fit(half.into(), &options(4, 4));
        for pixel in small.chunks(4).filter(|pixel| pixel[3] > 0) {
            assert!(pixel[0].abs_diff(200) < 3 && pixel[1].abs_diff(10) < 3, "{pixel:?}");
        }
        assert!(small.chunks(4).any(|pixel| pixel[3] == 0) && small.chunks(4).any(|pixel| pixel[3] == 255));
    }
}
