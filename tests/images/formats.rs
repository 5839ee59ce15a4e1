//! Pixels of every kind of file.

use super::{difference, fixture, fixtures};
use image::{DynamicImage, ImageFormat, RgbImage};
use mewgan::data::{Fit, ImageFile, LoadOptions};

/// Size and pixels of a PPM file.
fn ppm(content: &[u8]) -> ([usize; 2], &[u8]) {
    let mut lines = content.splitn(4, |&byte| byte == b'\n');
    assert_eq!(lines.next().unwrap(), b"P6");
    let size = std::str::from_utf8(lines.next().unwrap()).unwrap().split_once(' ').unwrap();
    let [width, height] = [size.0, size.1].map(|side| side.parse().unwrap());
    lines.next();
    ([height, width], lines.next().unwrap())
}

/// Two decoders round differently; where chroma is enlarged they may also filter differently, though here none does. The
/// promise is 4 levels in the mean.
#[test]
fn every_jpeg_is_shown_as_libjpeg_shows_it_or_refused_by_name() {
    let files = fixtures("jpegs.zip");
    let (mut shown, mut refused) = (0, Vec::new());
    for (name, content) in files.iter().filter(|(name, _)| name.ends_with(".jpg")) {
        let (folder, mode) = name.split_once('/').unwrap();
        let (size, expected) = ppm(&files[&format!("{folder}/pixels.ppm")]);
        let file = ImageFile::of_bytes(name, content.clone());
        match file.read(3) {
            Ok(image) => {
                let (largest, mean) = difference(&image.bytes, expected);
                assert_eq!(image.size, size, "{name}");
                assert!(mean < 0.5 && largest <= 8, "{name}: {mean} levels off, {largest} at most");
                assert_eq!(file.decode().unwrap().warning, None, "{name}");
                shown += 1;
            }
            Err(error) => {
                assert!(error.to_string().contains("in separate scans, which is not supported"), "{error}");
                refused.push((folder.split_once('-').unwrap().0, mode));
            }
        }
    }
    assert_eq!((shown, refused.len()), (428, 16));
    assert!(refused.iter().all(|(luma, _)| ["4x1", "4x2"].contains(luma)), "{refused:?}");
}

/// Two decoders of one sampling: those that keep coefficients in other ways must give the same, to the last bit.
#[test]
fn how_a_jpeg_stores_its_coefficients_does_not_matter() {
    let files = fixtures("jpegs.zip");
    let read = |name: &str| ImageFile::of_bytes(name, files[name].clone()).read(3).ok();
    for (name, _) in files.iter().filter(|(name, _)| name.ends_with("/baseline.jpg")) {
        let baseline = read(name).unwrap();
        for other in ["progressive", "separate-restarts", "reversed"] {
            let other = name.replace("baseline", other);
            assert!(read(&other).is_none_or(|image| image == baseline), "{other}");
        }
    }
}

#[test]
fn other_formats_are_shown_as_pillow_shows_them() {
    let files = fixtures("others.zip");
    let mut count = 0;
    for (name, content) in files.iter().filter(|(name, _)| !name.ends_with(".ppm")) {
        let (size, expected) = ppm(&files[&format!("{name}.ppm")]);
        let file = ImageFile::of_bytes(name, content.clone());
        let image = file.read(3).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!(image.size, size, "{name}");
        let (largest, mean) = difference(&image.bytes, expected);
        // Colour engines interpolate differently in a table of inks, and lossy decoders filter differently.
        let (most, usual) = match name.as_str() {
            "cmyk-profile.jpg" | "lossy.webp" | "lossy-alpha.webp" => (8, 1.5),
            _ if name.ends_with(".jpg")
                || name.contains("p3")
                || name.contains("adobe")
                || name.contains("prim") =>
            {
                (4, 0.5)
            }
            _ => (2, 0.5),
        };
        assert!(largest <= most && mean <= usual, "{name}: {mean} levels off, {largest} at most");
        assert_eq!(file.decode().unwrap().warning, None, "{name}");
        count += 1;
    }
    assert_eq!(count, 97);
}

#[test]
fn decoding_keeps_depth_and_transparency() {
    let decode = |name: &str| ImageFile::of_bytes(name, fixture("others.zip", name)).decode().unwrap();
    for (name, format, colour) in [
        ("png-0-16.png", ImageFormat::Png, image::ColorType::L16),
        ("png-4-16.png", ImageFormat::Png, image::ColorType::La16),
        ("png-6-16.png", ImageFormat::Png, image::ColorType::Rgba16),
        ("linear-grey.jpg", ImageFormat::Jpeg, image::ColorType::L8),
        ("p3-alpha.png", ImageFormat::Png, image::ColorType::Rgba8),
        ("cmyk-profile.jpg", ImageFormat::Jpeg, image::ColorType::Rgb8),
        ("lossless-alpha.webp", ImageFormat::WebP, image::ColorType::Rgba8),
        ("deep.tif", ImageFormat::Tiff, image::ColorType::L16),
    ] {
        let decoded = decode(name);
        assert_eq!((decoded.format, decoded.image.color()), (format, colour), "{name}");
    }
}

/// What programs write into most files changes nothing, not even by a rounding.
#[test]
fn a_profile_of_srgb_changes_nothing() {
    let read = |name: &str| ImageFile::of_bytes(name, fixture("others.zip", name)).read(3).unwrap();
    assert_eq!(read("srgb.tif"), read("RGB.tif"));
    assert!(difference(&read("p3.png").bytes, &read("srgb.png").bytes).1 > 4.0);
    assert!(difference(&read("adobe-rgb.png").bytes, &read("srgb.png").bytes).1 > 4.0);
}

/// A JPEG decoded at a fraction of its size becomes the same square as one decoded whole, to within what the filter leaves.
#[test]
fn a_large_jpeg_becomes_the_same_square() {
    let image = RgbImage::from_fn(1280, 960, |x, y| {
        let wave = |a: f32, b: f32| (127.0 + 100.0 * (x as f32 / a + y as f32 / b).sin()) as u8;
        image::Rgb([wave(60.0, 90.0), wave(45.0, -70.0), if (x / 97 + y / 61) % 2 == 0 { 230 } else { 30 }])
    });
    let encoded = |format| {
        let mut content = std::io::Cursor::new(Vec::new());
        DynamicImage::from(image.clone()).write_to(&mut content, format).unwrap();
        ImageFile::of_bytes("image", content.into_inner())
    };
    let (jpeg, whole) = (encoded(ImageFormat::Jpeg), encoded(ImageFormat::Png));
    for (side, fit) in [(32, Fit::Crop), (64, Fit::Crop), (100, Fit::Stretch), (300, Fit::Crop)] {
        let options = LoadOptions { fit, ..LoadOptions::new(side.into(), 3) };
        let (jpeg, whole) = (jpeg.fitted(&options).unwrap(), whole.fitted(&options).unwrap());
        let (_, mean) = difference(&jpeg.bytes, &whole.bytes);
        assert!(mean < 2.0, "{side}, {fit:?}: {mean} levels off");
    }
}
