//! Colour profiles: pixels of any colour space become sRGB.

use std::cell::RefCell;
use std::sync::Arc;

use image::{DynamicImage, ImageBuffer, Pixel, Rgb, RgbImage};
use moxcms::{CmsError, ColorProfile, DataColorSpace, Layout, Transform8BitExecutor, TransformExecutor};

/// A colour space that differs from sRGB by no more than this, in levels, is taken for sRGB: programs write such profiles
/// into most files, and their roundings differ.
const ROUNDING: u8 = 2;

/// Pixels as a file has them.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Pixels {
    /// Grey or RGB.
    Image(DynamicImage),
    /// Cyan, magenta, yellow and black; 255 is all of an ink.
    Cmyk {
        /// `[height, width, 4]`.
        bytes: Vec<u8>,
        /// Width and height.
        size: [u32; 2],
    },
}

/// The pixels in sRGB, by the file's colour `profile`; where there is none, or it cannot be applied, as if they were so
/// already. And what is wrong with the profile.
pub(super) fn to_srgb(pixels: Pixels, profile: Option<&[u8]>) -> (DynamicImage, Option<String>) {
    let Some(icc) = profile else { return (without_profile(pixels), None) };
    let Ok(profile) = ColorProfile::new_from_slice(icc) else {
        return (without_profile(pixels), Some("its colour profile is damaged and was ignored".into()));
    };
    let source = Source { icc, profile };
    if matches!(pixels, Pixels::Image(_)) && source.is_srgb() {
        return (without_profile(pixels), None);
    }
    let space = source.profile.color_space;
    let converted = match &pixels {
        Pixels::Cmyk { bytes, size: [width, height] } if space == DataColorSpace::Cmyk => {
            let mut rgb = RgbImage::new(*width, *height);
            let transform = source.transform8(Layout::Rgba, Layout::Rgb);
            transform.and_then(|transform| transform.transform(bytes, &mut rgb)).map(|()| rgb.into())
        }
        Pixels::Image(image) if space == DataColorSpace::Rgb => source.colour(image),
        Pixels::Image(image) if space == DataColorSpace::Gray && !image.color().has_color() => {
            source.grey(image)
        }
        _ => {
            let problem = format!("its colour profile is for {space:?}, unlike its pixels, and was ignored");
            return (without_profile(pixels), Some(problem));
        }
    };
    match converted {
        Ok(image) => (image, None),
        Err(error) => {
            let problem = format!("its colour profile cannot be applied ({error}) and was ignored");
            (without_profile(pixels), Some(problem))
        }
    }
}

fn without_profile(pixels: Pixels) -> DynamicImage {
    match pixels {
        Pixels::Image(image) => image,
        Pixels::Cmyk { bytes, size: [width, height] } => {
            let mut inks =
                bytes.chunks_exact(4).map(|of| [of[0], of[1], of[2], of[3]].map(|ink| 255 - u32::from(ink)));
            let mut rgb = RgbImage::new(width, height);
            for (pixel, [c, m, y, k]) in rgb.pixels_mut().zip(&mut inks) {
                *pixel = Rgb([c, m, y].map(|light| ((light * k + 127) / 255) as u8));
            }
            rgb.into()
        }
    }
}

thread_local! {
    /// The transform that this thread made last: the images of a set often have one profile.
    static LAST: RefCell<Option<Made>> = const { RefCell::new(None) };
}

/// A transform, and what it was made of.
struct Made {
    icc: Vec<u8>,
    layouts: [Layout; 2],
    transform: Arc<Transform8BitExecutor>,
}

/// A colour profile of a file.
struct Source<'a> {
    icc: &'a [u8],
    profile: ColorProfile,
}

impl Source<'_> {
    fn transform8(&self, from: Layout, to: Layout) -> Result<Arc<Transform8BitExecutor>, CmsError> {
        let layouts = [from, to];
        let same = |made: &&Made| made.icc == self.icc && made.layouts == layouts;
        let last =
            LAST.with_borrow(|last| last.as_ref().filter(same).map(|made| Arc::clone(&made.transform)));
        if let Some(transform) = last {
            return Ok(transform);
        }
        let transform = self.profile.create_transform_8bit(from, &srgb(to), to, Default::default())?;
        LAST.set(Some(Made { icc: self.icc.to_vec(), layouts, transform: Arc::clone(&transform) }));
        Ok(transform)
    }

    /// Whether colours come out as they go in.
    fn is_srgb(&self) -> bool {
        let (layout, levels): (_, Vec<u8>) = match self.profile.color_space {
            DataColorSpace::Gray => (Layout::Gray, (0..=255).collect()),
            DataColorSpace::Rgb => {
                let nine = || (0..9).map(|step| (step * 255 / 8) as u8);
                (
                    Layout::Rgb,
                    nine()
                        .flat_map(|r| nine().flat_map(move |g| nine().flat_map(move |b| [r, g, b])))
                        .collect(),
                )
            }
            _ => return false,
        };
        let mut converted = vec![0; levels.len()];
        let done = self.transform8(layout, layout).and_then(|of| of.transform(&levels, &mut converted));
        done.is_ok() && levels.iter().zip(&converted).all(|(a, b)| a.abs_diff(*b) <= ROUNDING)
    }

    fn colour(&self, image: &DynamicImage) -> Result<DynamicImage, CmsError> {
        match image {
            DynamicImage::ImageRgb8(image) => self.eight(image, Layout::Rgb).map(Into::into),
            DynamicImage::ImageRgba8(image) => self.eight(image, Layout::Rgba).map(Into::into),
            DynamicImage::ImageRgb16(image) => self.sixteen(image, Layout::Rgb).map(Into::into),
            DynamicImage::ImageRgba16(image) => self.sixteen(image, Layout::Rgba).map(Into::into),
            DynamicImage::ImageLuma8(_) => self.eight(&image.to_rgb8(), Layout::Rgb).map(Into::into),
            DynamicImage::ImageLumaA8(_) => self.eight(&image.to_rgba8(), Layout::Rgba).map(Into::into),
            DynamicImage::ImageLuma16(_) => self.sixteen(&image.to_rgb16(), Layout::Rgb).map(Into::into),
            _ => self.sixteen(&image.to_rgba16(), Layout::Rgba).map(Into::into),
        }
    }

    fn grey(&self, image: &DynamicImage) -> Result<DynamicImage, CmsError> {
        match image {
            DynamicImage::ImageLuma8(image) => self.eight(image, Layout::Gray).map(Into::into),
            DynamicImage::ImageLumaA8(image) => self.eight(image, Layout::GrayAlpha).map(Into::into),
            DynamicImage::ImageLuma16(image) => self.sixteen(image, Layout::Gray).map(Into::into),
            _ => self.sixteen(&image.to_luma_alpha16(), Layout::GrayAlpha).map(Into::into),
        }
    }

    fn eight<P: Pixel<Subpixel = u8>>(
        &self,
        image: &Buffer<P>,
        layout: Layout,
    ) -> Result<Buffer<P>, CmsError> {
        apply(&*self.transform8(layout, layout)?, image)
    }

    fn sixteen<P: Pixel<Subpixel = u16>>(
        &self,
        image: &Buffer<P>,
        layout: Layout,
    ) -> Result<Buffer<P>, CmsError> {
        apply(
            &*self.profile.create_transform_16bit(layout, &srgb(layout), layout, Default::default())?,
            image,
        )
    }
}

type Buffer<P> = ImageBuffer<P, Vec<<P as Pixel>::Subpixel>>;

fn apply<P: Pixel>(
    transform: &(impl TransformExecutor<P::Subpixel> + ?Sized),
    image: &Buffer<P>,
) -> Result<Buffer<P>, CmsError>
where
    P::Subpixel: Default,
{
    let mut converted = ImageBuffer::new(image.width(), image.height());
    transform.transform(image, &mut converted)?;
    Ok(converted)
}

/// sRGB, or its grey.
fn srgb(layout: Layout) -> ColorProfile {
    let srgb = ColorProfile::new_srgb();
    if !matches!(layout, Layout::Gray | Layout::GrayAlpha) {
        return srgb;
    }
    let mut grey = ColorProfile::new_gray_with_gamma(2.2);
    grey.gray_trc = srgb.red_trc;
    grey
}
