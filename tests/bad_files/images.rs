//! Images.

use super::{Row, assert_says, folder_with, refused, row};
use image::{DynamicImage, ImageFormat, RgbImage};
use mewgan::data::{ImageFile, Images, LoadOptions};
use mewgan::size::Size;
use std::fs;
use std::io::Cursor;
use tempfile::tempdir;

const OPTIONS: LoadOptions = LoadOptions::new(Size::square(8), 3);

fn encoded(format: ImageFormat) -> Vec<u8> {
    let mut bytes = Cursor::new(Vec::new());
    let image = RgbImage::from_fn(20, 16, |x, y| image::Rgb([x as u8 * 9, y as u8 * 9, 7]));
    DynamicImage::from(image).write_to(&mut bytes, format).unwrap();
    bytes.into_inner()
}

/// A chunk of a PNG file, its checksum right.
fn chunk(kind: &[u8; 4], data: &[u8]) -> Vec<u8> {
    let body = [&kind[..], data].concat();
    let crc = body.iter().fold(!0_u32, |crc, &byte| {
        (0..8).fold(crc ^ u32::from(byte), |crc, _| (crc >> 1) ^ (0xedb8_8320 * (crc & 1)))
    });
    [&(data.len() as u32).to_be_bytes()[..], &body, &(!crc).to_be_bytes()].concat()
}

/// A PNG file that says it has so many pixels of `channels` of 16 bits, and holds next to none.
fn png(width: u32, height: u32, colour: u8) -> Vec<u8> {
    let header = [&width.to_be_bytes()[..], &height.to_be_bytes(), &[16, colour, 0, 0, 0]].concat();
    // A deflated stream that ends at once.
    let pixels = chunk(b"IDAT", &[0x78, 0x9c, 0x03, 0, 0, 0, 0, 1]);
    [b"\x89PNG\r\n\x1a\n", &chunk(b"IHDR", &header)[..], &pixels, &chunk(b"IEND", b"")].concat()
}

/// A JPEG file with its size changed to `height` and `width`.
fn jpeg(size: [u16; 2]) -> Vec<u8> {
    let mut bytes = encoded(ImageFormat::Jpeg);
    let frame = bytes.windows(2).position(|pair| pair == [0xff, 0xc0]).unwrap();
    bytes[frame + 5..frame + 7].copy_from_slice(&size[0].to_be_bytes());
    bytes[frame + 7..frame + 9].copy_from_slice(&size[1].to_be_bytes());
    bytes
}

/// A lossless WebP file that says it has 16383 x 16383 pixels.
fn webp() -> Vec<u8> {
    let mut bytes = encoded(ImageFormat::WebP);
    let start = bytes.windows(4).position(|word| word == b"VP8L").unwrap() + 9;
    bytes[start..start + 4].copy_from_slice(&(16_382_u32 | (16_382 << 14)).to_le_bytes());
    bytes
}

/// A decoder of JPEG panicked on it.
const CHROMA: &[u8; 541] = include_bytes!("../../fuzz/regressions/image/chroma-finer-than-luma.jpg");

const RGBA: u8 = 6;

fn rows() -> Vec<Row> {
    let [whole_png, whole_jpg, whole_webp] =
        [ImageFormat::Png, ImageFormat::Jpeg, ImageFormat::WebP].map(encoded);
    let cut = |bytes: &[u8], tenths: usize| bytes[..bytes.len() * tenths / 10].to_vec();
    let mut checksum = whole_png.clone();
    checksum[29] ^= 1;
    let mut pixels = whole_png.clone();
    let middle = whole_png.len() / 2;
    pixels[middle..middle + 9].fill(0xaa);
    let any: &[&str] = &[];
    vec![
        row("nothing", "", &["an empty file"]),
        row("one byte", "x", &["not a PNG, JPEG, WebP, GIF, BMP or TIFF file"]),
        row("a text", "not an image, whatever its name", &["not a PNG, JPEG, WebP, GIF, BMP or TIFF file"]),
        row("zeros", [0; 4096], &["not a PNG, JPEG, WebP, GIF, BMP or TIFF file"]),
        row("a GIF", b"GIF89a\x01\0\x01\0\x80\0\0\0\0\0\0\0\0,\0\0\0\0".to_vec(), any),
        row("a page", "<!doctype html><title>404</title>", &["not a PNG, JPEG, WebP, GIF, BMP or TIFF file"]),
        row("a PNG's first bytes", whole_png[..8].to_vec(), any),
        row("a tenth of a PNG", cut(&whole_png, 1), any),
        row("nine tenths of a PNG", cut(&whole_png, 9), any),
        row("a PNG of another checksum", checksum, &["CRC"]),
        row("a PNG with damaged pixels", pixels, any),
        row("a JPEG's first bytes", whole_jpg[..3].to_vec(), &["unexpected end of file"]),
        row("half a JPEG", cut(&whole_jpg, 5), &["unexpected end of file"]),
        row("nine tenths of a JPEG", cut(&whole_jpg, 9), &["unexpected end of file"]),
        row("a WebP's first bytes", whole_webp[..12].to_vec(), any),
        row("half a WebP", cut(&whole_webp, 5), any),
        row("nine tenths of a WebP", cut(&whole_webp, 9), any),
        row("a PNG without pixels", png(0, 0, RGBA), any),
        row("a PNG that ends early", png(64, 64, RGBA), any),
        row("a bomb", png(100_000, 100_000, RGBA), &["100000 x 100000 pixels", "scale it down"]),
        row("a bomb of one line", png(2_000_000_000, 1, RGBA), &["a line of it", "32768 pixels a side"]),
        row("a bomb of short sides", png(20_000, 20_000, RGBA), &["20000 x 20000 pixels", "134 million"]),
        row("a JPEG bomb", jpeg([65_535, 65_535]), &["65535 x 65535 pixels", "scale it down"]),
        row("a JPEG without height", jpeg([0, 20]), any),
        row("chroma finer than luma, cut short", *CHROMA, &["unexpected end of file"]),
        row("a WebP bomb", webp(), &["16383 x 16383 pixels", "scale it down"]),
    ]
}

#[test]
fn are_refused() {
    for format in [ImageFormat::Png, ImageFormat::Jpeg, ImageFormat::WebP] {
        assert_eq!(ImageFile::of_bytes("a", encoded(format)).fitted(&OPTIONS).unwrap().bytes.len(), 192);
    }
    for row in rows() {
        let (folder, path) = folder_with("bad.png", &row.content);
        let error = Images::load(folder.path().to_str().unwrap(), &OPTIONS).expect_err(row.what);
        assert_says(&row, "bad.png", &error.to_string());
        assert!(error.to_string().contains("1 of 1 images") && error.to_string().contains("`skip_bad`"));
        let error = ImageFile::at(&path).read(3).expect_err(row.what);
        assert_says(&row, "bad.png", &error.to_string());
    }
}

#[test]
fn are_refused_by_the_program() {
    let folder = tempdir().unwrap();
    fs::create_dir(folder.path().join("in")).unwrap();
    fs::write(folder.path().join("in/good.png"), encoded(ImageFormat::Png)).unwrap();
    let tiny =
        "--preset seed --size 8 --noise-size 2 --g-width 1 --d-width 1 --batch 1 --steps 1 --device cpu";
    let train = [&["train", "dcgan", "--data", "in"][..], &tiny.split(' ').collect::<Vec<_>>()].concat();
    for row in rows() {
        fs::write(folder.path().join("in/bad.jpg"), &row.content).unwrap();
        #[cfg(target_os = "linux")]
        let error = super::refused_within(512, folder.path(), &train);
        #[cfg(not(target_os = "linux"))]
        let error = refused(folder.path(), &train);
        assert_says(&row, "bad.jpg", &error);
        assert!(error.contains("1 of 2 images cannot be read") && error.contains("--skip-bad"), "{error}");
        assert!(!folder.path().join("runs").exists(), "{}: a refused run leaves no folder", row.what);
    }
}

#[test]
fn are_all_named_up_to_a_few() {
    let folder = tempdir().unwrap();
    for number in 10..30 {
        let content = if number < 12 { encoded(ImageFormat::Png) } else { b"none".to_vec() };
        fs::write(folder.path().join(format!("{number}.png")), content).unwrap();
    }
    let error = refused(folder.path(), &["train", "dcgan", "--data", ".", "--batch", "1", "--device", "cpu"]);
    for part in
        ["18 of 20 images cannot be read", "12.png (not a PNG", "19.png (", "and 10 more", "--skip-bad"]
    {
        assert!(error.contains(part), "{part:?} is not in: {error}");
    }
    assert!(!error.contains("20.png"), "{error}");
    let skipping = LoadOptions { skip_bad: true, ..OPTIONS };
    let loaded = Images::load(folder.path().to_str().unwrap(), &skipping).unwrap();
    assert_eq!(
        (loaded.images.names(), loaded.skipped.len()),
        (&["10.png".to_owned(), "11.png".into()][..], 18)
    );
    let good = ImageFile::of_bytes("a", encoded(ImageFormat::Png)).fitted(&skipping).unwrap().bytes;
    assert_eq!([loaded.images.image(0), loaded.images.image(1)], [&good[..]; 2]);
}

#[cfg(target_os = "linux")]
#[test]
fn of_50_gb_are_not_read() {
    let (folder, path) = folder_with("vast.png", &encoded(ImageFormat::Png));
    fs::File::options().write(true).open(path).unwrap().set_len(50 << 30).unwrap();
    let error = super::refused_within(
        256,
        folder.path(),
        &["train", "dcgan", "--data", ".", "--batch", "1", "--device", "cpu"],
    );
    assert!(error.contains("vast.png: longer than 256 MiB"), "{error}");
}

/// Each of these takes a GiB, and a while; four threads would take more than twice that at once.
#[cfg(target_os = "linux")]
#[test]
fn that_are_large_come_one_at_a_time() {
    let (folder, [width, height]) = (tempdir().unwrap(), [16_384_u32, 8_192]);
    let mut bytes = Cursor::new(Vec::new());
    DynamicImage::new_rgba16(width, 256).write_to(&mut bytes, ImageFormat::Png).unwrap();
    let mut bytes = bytes.into_inner();
    // Behind the signature comes the header.
    let header = [&width.to_be_bytes()[..], &height.to_be_bytes(), &bytes[24..29]].concat();
    bytes.splice(8..33, chunk(b"IHDR", &header));
    for number in 0..4 {
        fs::write(folder.path().join(format!("{number}.png")), &bytes).unwrap();
    }
    let train = ["train", "dcgan", "--data", ".", "--batch", "4", "--device", "cpu"];
    let error = super::refused_within(2048, folder.path(), &train);
    assert!(error.contains("4 of 4 images cannot be read"), "{error}");
}
