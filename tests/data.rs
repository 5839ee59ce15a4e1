//! Promises of `mewgan::data`: images are loaded right or refused clearly, batches depend on the step alone.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;

use image::{DynamicImage, GrayImage, ImageBuffer, Luma, LumaA, Rgb, RgbImage, Rgba, RgbaImage};
use mewgan::data::{
    Augment, AugmentKind, Batching, Fit, Images, LoadOptions, Loaded, Loader, NoiseKind, noise, to_byte,
    to_unit,
};
use mewgan::train::split::Split;
use mewgan::{Error, Result};
use tempfile::{TempDir, tempdir};

const PLAIN: Augment = Augment { kind: AugmentKind::Basic, rotate: 0.0, stretch: 0.0, load_size: None };
const DELUXE: Augment = Augment { kind: AugmentKind::Deluxe, ..PLAIN };

fn options(side: usize) -> LoadOptions {
    LoadOptions::new(side.into(), 3)
}

fn load(folder: &TempDir, options: &LoadOptions) -> Result<Loaded> {
    Images::load(folder.path().to_str().unwrap(), options)
}

/// The one image that `image` becomes when it is saved as `name` and loaded.
fn loaded(image: impl Into<DynamicImage>, name: &str, options: &LoadOptions) -> Vec<u8> {
    let folder = tempdir().unwrap();
    image.into().save(folder.path().join(name)).unwrap();
    load(&folder, options).unwrap().images.image(0).to_vec()
}

fn save_grey(path: &Path, level: u8) {
    RgbImage::from_pixel(4, 4, Rgb([level; 3])).save(path).unwrap();
}

/// `count` images of noise, for training images of side 10 with `augment`.
fn images(count: usize, augment: &Augment) -> Images {
    let side = augment.stored_size(10).width;
    let bytes = noise(NoiseKind::Uniform, 1, "images", 0, count * side * side * 3);
    let names = (0..count).map(|i| format!("{i}.png")).collect();
    Images::new(bytes.into_iter().map(to_byte).collect(), names, side, 3).unwrap()
}

fn batching(batch: usize, augment: Augment) -> Batching {
    Batching { batch, drop_last: false, seed: 11, name: "x", augment, size: 10.into(), rank: (0, 1) }
}

fn message<T>(result: Result<T>) -> String {
    result.err().expect("an error").to_string()
}

#[test]
fn bytes_survive_the_way_to_unit_and_back() {
    for byte in 0..=255u8 {
        assert_eq!(to_byte(to_unit(byte)), byte);
    }
    assert_eq!([to_unit(0u8), to_unit(255u8)], [-1.0, 1.0]);
    assert_eq!([-7.0, 7.0, f32::NAN].map(to_byte), [0, 255, 0]);
}

#[test]
fn folders_are_searched_in_order() {
    let folder = tempdir().unwrap();
    for sub in ["b", ".hidden"] {
        std::fs::create_dir(folder.path().join(sub)).unwrap();
    }
    for (level, name) in ["b/a.JPG", "c.webp", "a.png", ".hidden/d.png", ".e.png"].iter().enumerate() {
        save_grey(&folder.path().join(name), level as u8 * 50);
    }
    std::fs::write(folder.path().join("notes.txt"), "").unwrap();
    let images = load(&folder, &options(4)).unwrap().images;
    assert_eq!(images.names(), ["a.png", "b/a.JPG", "c.webp"]);
    assert_eq!([0, 1, 2].map(|i| images.image(i)[0]), [100, 0, 50]);
    assert_eq!((images.len(), images.size(), images.channels()), (3, 4.into(), 3));
}

#[test]
fn alpha_is_composited_over_white() {
    let half_red = RgbaImage::from_pixel(2, 2, Rgba([255, 0, 0, 128]));
    assert_eq!(loaded(half_red, "a.png", &options(2))[..3], [255, 127, 127]);
    let clear = ImageBuffer::from_pixel(2, 2, LumaA([7u16, 0]));
    assert_eq!(loaded(DynamicImage::ImageLumaA16(clear), "a.png", &options(2)), [255; 12]);
}

#[test]
fn deep_and_grey_images_become_bytes() {
    let deep = ImageBuffer::from_pixel(2, 2, Rgb([0u16, 0x8080, 0xffff]));
    assert_eq!(loaded(DynamicImage::ImageRgb16(deep), "a.png", &options(2))[..3], [0, 0x80, 0xff]);
    let grey = ImageBuffer::from_pixel(2, 2, Luma([0x4040u16]));
    assert_eq!(loaded(DynamicImage::ImageLuma16(grey), "a.png", &options(2)), [0x40; 12]);

    let one_channel = LoadOptions { channels: 1, ..options(2) };
    let green = RgbImage::from_pixel(2, 2, Rgb([0, 255, 0]));
    assert_eq!(loaded(green, "a.png", &one_channel), [182; 4]);
}

#[test]
fn a_photo_is_turned_upright() {
    let folder = tempdir().unwrap();
    let path = folder.path().join("a.jpg");
    GrayImage::from_fn(16, 16, |x, _| Luma([if x < 8 { 0 } else { 255 }])).save(&path).unwrap();
    let mut jpeg = std::fs::read(&path).unwrap();
    // EXIF after the start of the image: one entry, orientation, turned a quarter to the right to be upright.
    let exif = b"\xff\xe1\0\x22Exif\0\0II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0\x06\0\0\0\0\0\0\0";
    jpeg.splice(2..2, *exif);
    std::fs::write(&path, jpeg).unwrap();
    let upright = load(&folder, &LoadOptions { channels: 1, ..options(16) }).unwrap().images;
    let levels = upright.image(0);
    assert!(levels[..64].iter().all(|&level| level < 20) && levels[192..].iter().all(|&level| level > 235));
}

/// The images that these lines of Python make, with Pillow 13:
/// ```python
/// im = Image.new('L', (10, 8)); im.putdata([(37*i*i + 11*i) % 256 for i in range(80)])
/// im.crop((1, 0, 9, 8)).resize((4, 4), Image.BICUBIC)    # CROPPED
/// im.resize((12, 12), Image.BICUBIC)                     # first row is ENLARGED
/// ```
#[test]
fn resizing_is_bicubic_as_in_pillow() {
    const CROPPED: [u8; 16] = [148, 165, 136, 137, 154, 140, 158, 124, 86, 124, 167, 83, 88, 124, 90, 111];
    const ENLARGED: [u8; 12] = [0, 14, 127, 155, 97, 123, 222, 141, 93, 124, 124, 3];
    let image = GrayImage::from_fn(10, 8, |x, y| {
        let i = y * 10 + x;
        Luma([((37 * i * i + 11 * i) % 256) as u8])
    });
    // Pillow rounds to bytes between its two passes, so a level may differ.
    let close = |ours: &[u8], theirs: &[u8]| ours.iter().zip(theirs).all(|(a, b)| a.abs_diff(*b) <= 1);
    let grey = |side: usize, fit| LoadOptions { fit, ..LoadOptions::new(side.into(), 1) };
    let ours = loaded(image.clone(), "a.png", &grey(4, Fit::Crop));
    assert!(close(&ours, &CROPPED), "{ours:?}");
    let ours = loaded(image, "a.png", &grey(12, Fit::Stretch));
    assert!(close(&ours, &ENLARGED), "{ours:?}");
}

#[test]
fn bad_images_are_named_or_skipped() {
    for format in ["png", "jpg", "webp"] {
        let folder = tempdir().unwrap();
        let [good, cut] = ["good", "cut"].map(|name| folder.path().join(name).with_extension(format));
        save_grey(&good, 9);
        let content = std::fs::read(&good).unwrap();
        std::fs::write(&cut, &content[..content.len() * 3 / 4]).unwrap();

        let refused = load(&folder, &options(4));
        let named =
            matches!(&refused, Err(Error::Images { bad, count: 2, .. }) if bad.len() == 1 && bad[0].0 == cut);
        assert!(named, "{refused:?}");

        let skipping = LoadOptions { skip_bad: true, ..options(4) };
        let found = load(&folder, &skipping).unwrap();
        assert_eq!(found.images.names(), [format!("good.{format}")]);
        assert_eq!(found.skipped[0].0, cut);

        std::fs::remove_file(good).unwrap();
        assert!(message(load(&folder, &skipping)).contains("1 of 1 images cannot be read"));
    }
}

#[test]
fn a_image_that_claims_to_be_huge_is_refused() {
    let folder = tempdir().unwrap();
    let path = folder.path().join("bomb.png");
    save_grey(&path, 0);
    let mut png = std::fs::read(&path).unwrap();
    // The header's width and height, then its checksum: CRC-32 over type and data.
    png[16..24].copy_from_slice(&[0, 0, 0xff, 0xff, 0, 0, 0xff, 0xff]);
    let crc = crc32(&png[12..29]);
    png[29..33].copy_from_slice(&crc.to_be_bytes());
    std::fs::write(&path, png).unwrap();
    let refused = message(load(&folder, &options(4)));
    assert!(
        refused.contains("65535 x 65535 pixels; an image may have 1 to 32768 pixels a side"),
        "{refused}"
    );
}

fn crc32(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(!0, |crc, &byte| {
        (0..8).fold(crc ^ u32::from(byte), |crc, _| (crc >> 1) ^ (0xedb8_8320 * (crc & 1)))
    })
}

#[test]
fn wrong_sources_are_explained() {
    let folder = tempdir().unwrap();
    assert!(message(load(&folder, &options(4))).contains("found no files"));
    for name in ["a.txt", "b.TXT", "c.avif", "d"] {
        std::fs::write(folder.path().join(name), "").unwrap();
    }
    let found = message(load(&folder, &options(4)));
    assert!(found.contains("found 1 .avif, 2 .txt, 1 without extension"), "{found}");

    let file = folder.path().join("a.txt");
    assert!(message(Images::load(file.to_str().unwrap(), &options(4))).contains("not a folder"));
    assert!(message(Images::load("no/such", &options(4))).contains("no such folder"));
    let unknown = message(Images::load("builtin:noto/face", &options(4)));
    assert!(unknown.contains("builtin:noto, builtin:noto/animals, builtin:noto/faces, builtin:twemoji"));
    assert!(message(load(&folder, &LoadOptions { channels: 2, ..options(4) })).contains("channels"));
    assert!(message(load(&folder, &options(0))).contains("side"));
}

#[test]
fn the_bundled_styles_pair_up() {
    for (subset, count) in [("", 265), ("/faces", 135), ("/animals", 130)] {
        let [noto, twemoji] = ["noto", "twemoji"].map(|set| {
            let source = format!("builtin:{set}{subset}");
            Images::load(&source, &options(16)).unwrap().images
        });
        assert_eq!((noto.len(), twemoji.len()), (count, count));
        assert_eq!(noto.names(), twemoji.names());
        let names = [("X", noto.names().to_vec()), ("Y", twemoji.names().to_vec())];
        let split = Split::new(&names, 0.1, 5, None).unwrap();
        let [x, y] = ["X", "Y"].map(|set| split.of(set));
        assert_eq!(x.held_out.len(), (count as f64 * 0.1).round() as usize);
        assert_eq!((x.len(), &x), (count, &y));
    }
}

#[test]
fn sets_are_split_without_a_copy() {
    let seven = images(7, &PLAIN);
    let (odd, even) =
        seven.split(|name| seven.names().iter().position(|other| other == name).unwrap() % 2 == 1);
    assert_eq!((odd.len(), even.len()), (3, 4));
    for (of, first) in [(&odd, 1), (&even, 0)] {
        for index in 0..of.len() {
            assert_eq!(of.names()[index], seven.names()[first + 2 * index]);
            assert!(
                std::ptr::eq(of.image(index), seven.image(first + 2 * index)),
                "the same bytes, not equal ones"
            );
        }
    }
}

#[test]
fn a_split_leaves_something_to_train_on() {
    let four: Vec<String> = (0..4).map(|index| format!("{index}.png")).collect();
    assert_eq!(Split::new(&[("data", four.clone())], 0.0, 1, None).unwrap().of("data").trained, four);
    for fraction in [0.9, 1.0] {
        assert!(message(Split::new(&[("data", four.clone())], fraction, 1, None)).contains("of 4 images"));
    }
}

#[test]
fn every_image_is_seen_once_an_epoch() {
    let images = images(7, &DELUXE);
    let batching = batching(3, DELUXE);
    assert_eq!(batching.steps_per_epoch(7).unwrap(), 3);
    let epoch = |first: u64| -> Vec<usize> {
        (first..first + 3).flat_map(|step| batching.batch_at(&images, step).unwrap().indices).collect()
    };
    for first in [0, 3] {
        assert_eq!(epoch(first).into_iter().collect::<BTreeSet<_>>(), (0..7).collect());
    }
    assert_ne!(epoch(0), epoch(3));
    let last = batching.batch_at(&images, 2).unwrap();
    assert_eq!((last.count, last.images.len()), (1, 10 * 10 * 3));

    let full = Batching { drop_last: true, ..batching };
    assert_eq!(full.steps_per_epoch(7).unwrap(), 2);
    assert_eq!(full.batch_at(&images, 2).unwrap().count, 3);
}

#[test]
fn a_batch_depends_on_seed_name_and_step_alone() {
    let augment = Augment { rotate: 20.0, stretch: 0.2, ..DELUXE };
    let images = Arc::new(images(7, &augment));
    let batching = batching(3, augment);
    let at = |step| batching.batch_at(&images, step).unwrap();
    assert_eq!(at(5), at(5));
    assert_ne!(at(0).images, at(3).images);
    let other = Batching { name: "y", ..batching.clone() };
    assert_ne!(at(0).images, other.batch_at(&images, 0).unwrap().images);

    let mut loader = Loader::start(images.clone(), batching.clone(), 2).unwrap();
    for step in 2..12 {
        assert_eq!(loader.next_batch().unwrap(), at(step));
    }
    drop(loader);
    assert_eq!(Arc::strong_count(&images), 1, "the thread has ended");
}

#[test]
fn impossible_batches_are_explained() {
    let three = Arc::new(images(3, &PLAIN));
    let full = Batching { drop_last: true, ..batching(4, PLAIN) };
    let refused = message(Loader::start(three.clone(), full, 0));
    assert!(
        refused.contains("3 images do not fill a batch of 4") && refused.contains("`batch`"),
        "{refused}"
    );
    let refuse = |batching: Batching| message(batching.batch_at(&three, 0));
    assert!(refuse(batching(0, PLAIN)).contains("batches of 0"));
    assert!(refuse(batching(2, DELUXE)).contains("need them at 11"));
    assert!(refuse(batching(2, Augment { rotate: f32::NAN, ..PLAIN })).contains("rotate"));
    assert!(refuse(batching(2, Augment { stretch: 1.0, ..PLAIN })).contains("stretch"));
    assert!(refuse(Batching { name: "too long a name", ..batching(2, PLAIN) }).contains("at most 8"));
}

#[test]
fn settings_are_spelled_in_lower_case() {
    assert_eq!(serde_json::to_string(&Fit::Stretch).unwrap(), "\"stretch\"");
    assert_eq!(serde_json::from_str::<AugmentKind>("\"deluxe\"").unwrap(), AugmentKind::Deluxe);
    assert_eq!(serde_json::from_str::<NoiseKind>("\"normal\"").unwrap(), NoiseKind::Normal);
}
