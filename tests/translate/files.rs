//! What is in the files that are written, and what happens to those that cannot be.

use super::{assert_says, fails, folder, image, translate};
use image::{DynamicImage, GrayImage, ImageBuffer, Luma, Rgb, RgbImage, Rgba, RgbaImage};
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

fn open(path: &Path) -> DynamicImage {
    image::open(path).unwrap()
}

#[test]
fn depth_is_that_of_the_image_or_as_asked() {
    let folder = folder("seed");
    let path = |name: &str| folder.path().join(name);
    let deep: ImageBuffer<Rgb<u16>, _> =
        ImageBuffer::from_fn(40, 30, |x, y| Rgb([x as u16 * 1600, y as u16 * 2100, 9]));
    DynamicImage::ImageRgb16(deep).save(path("deep.png")).unwrap();
    image(40, 30).save(path("shallow.png")).unwrap();
    translate(&folder, "deep.png shallow.png --out out");
    translate(&folder, "deep.png shallow.png --depth 16 --out sixteen");
    translate(&folder, "deep.png shallow.png --depth 8 --out eight");
    let DynamicImage::ImageRgb16(deep) = open(&path("out/deep.png")) else { panic!("16 bits") };
    assert!(deep.as_raw().iter().any(|level| level % 257 != 0), "more than 8 bits are used");
    let DynamicImage::ImageRgb8(eight) = open(&path("eight/deep.png")) else { panic!("8 bits") };
    for (deep, eight) in deep.as_raw().iter().zip(eight.as_raw()) {
        assert!((f64::from(*deep) / 257.0 - f64::from(*eight)).abs() < 0.51);
    }
    assert!(matches!(open(&path("out/shallow.png")), DynamicImage::ImageRgb8(_)));
    assert!(matches!(open(&path("sixteen/shallow.png")), DynamicImage::ImageRgb16(_)));
    let (_, _, error) = fails(&folder, "deep.png --depth 16 --format webp --out webp");
    assert_says(&error, &["--depth 16", "--format png"]);
}

#[test]
fn transparency_is_kept() {
    let folder = folder("seed");
    let path = |name: &str| folder.path().join(name);
    let clear = RgbaImage::from_fn(30, 20, |x, y| Rgba([200, 30, (12 * y) as u8, (x * 255 / 29) as u8]));
    clear.save(path("clear.png")).unwrap();
    translate(&folder, "clear.png --out out");
    translate(&folder, "clear.png --alpha white --out white");
    translate(&folder, "clear.png --format webp --out webp");
    translate(&folder, "clear.png --format jpeg --out jpeg");
    let DynamicImage::ImageRgba8(kept) = open(&path("out/clear.png")) else { panic!("with alpha") };
    let DynamicImage::ImageRgb8(white) = open(&path("white/clear.png")) else { panic!("without alpha") };
    for ((before, after), white) in clear.pixels().zip(kept.pixels()).zip(white.pixels()) {
        assert_eq!(before.0[3], after.0[3]);
        if after.0[3] == 255 {
            assert_eq!(after.0[..3], white.0);
        }
    }
    assert!(open(&path("webp/clear.webp")).into_rgba8() == kept, "WebP is lossless");
    assert!(!open(&path("jpeg/clear.jpg")).color().has_alpha());

    RgbaImage::from_pixel(20, 20, Rgba([9, 9, 9, 0])).save(path("nothing.png")).unwrap();
    RgbImage::from_pixel(20, 20, Rgb([255; 3])).save(path("white.png")).unwrap();
    translate(&folder, "nothing.png white.png --alpha white --out same");
    assert!(open(&path("same/nothing.png")) == open(&path("same/white.png")), "the network sees white");
}

#[test]
fn grey_networks_write_grey_images() {
    let folder = tempfile::tempdir().unwrap();
    crate::support::program::done(
        &folder,
        "train cyclegan --preset seed --x builtin:noto/animals --y builtin:twemoji/animals --size 16 --g-width 2 --d-width 2 --batch 2 \
         --channels 1 --steps 1 --device cpu --out run",
    );
    GrayImage::from_pixel(16, 20, Luma([90])).save(folder.path().join("grey.png")).unwrap();
    RgbaImage::from_pixel(16, 20, Rgba([90, 0, 0, 40])).save(folder.path().join("clear.png")).unwrap();
    translate(&folder, "grey.png clear.png --out out");
    assert!(matches!(open(&folder.path().join("out/grey.png")), DynamicImage::ImageLuma8(_)));
    assert!(matches!(open(&folder.path().join("out/clear.png")), DynamicImage::ImageLumaA8(_)));
}

#[test]
fn formats_are_those_that_are_asked_for() {
    let folder = folder("seed");
    let path = |name: &str| folder.path().join(name);
    fs::create_dir(path("in")).unwrap();
    for name in ["a.jpg", "b.png", "c.webp"] {
        image(64, 64).save(path("in").join(name)).unwrap();
    }
    translate(&folder, "in --format same --out same");
    let format = |name: &str| image::guess_format(&fs::read(path(name)).unwrap()).unwrap();
    for name in ["same/a.jpg", "same/b.png", "same/c.webp"] {
        assert_eq!(format(name), image::ImageFormat::from_path(name).unwrap());
    }
    translate(&folder, "in --format jpeg --quality 5 --out low");
    translate(&folder, "in --format jpeg --quality 95 --out high");
    let bytes = |name: &str| fs::metadata(path(name)).unwrap().len();
    assert!(bytes("high/b.jpg") > 2 * bytes("low/b.jpg"));
}

#[test]
fn one_bad_file_does_not_end_the_job() {
    let folder = folder("seed");
    let path = |name: &str| folder.path().join(name);
    fs::create_dir(path("in")).unwrap();
    for (name, side) in [("a.png", 16), ("c.png", 16), ("d.png", 20)] {
        image(side, side).save(path("in").join(name)).unwrap();
    }
    fs::write(path("in/b.png"), "no image").unwrap();
    fs::write(path("in/e.jpg"), "").unwrap();
    let (code, said, errors) = fails(&folder, "in --out out");
    assert_eq!(code, Some(1));
    assert_says(&said, &["3 images translated", "2 failed"]);
    assert_says(&errors, &["failed: in/b.png: not a PNG", "failed: in/e.jpg: an empty file"]);
    for name in ["a.png", "c.png", "d.png"] {
        assert!(path("out").join(name).is_file(), "{name}");
    }
    let said = translate(&folder, "in --skip-bad --force --out out");
    assert_says(&said, &["3 images translated", "2 failed"]);

    // A place that cannot be written is a failure that --skip-bad is not for.
    fs::create_dir_all(path("blocked/c.png/in")).unwrap();
    let (code, said, errors) = fails(&folder, "in --skip-bad --force --out blocked");
    assert_eq!(code, Some(1));
    assert_says(&said, &["2 images translated", "3 failed"]);
    assert_says(&errors, &["failed: in/c.png: blocked/c.png"]);
}

#[test]
fn what_is_there_is_kept() {
    let folder = folder("seed");
    let path = |name: &str| folder.path().join(name);
    fs::create_dir(path("in")).unwrap();
    for name in ["a.png", "b.png"] {
        image(16, 16).save(path("in").join(name)).unwrap();
    }
    translate(&folder, "in/a.png --out out");
    fs::write(path("out/a.png"), "kept").unwrap();
    let (_, _, error) = fails(&folder, "in --out out");
    assert_says(&error, &["out/a.png", "--force", "--skip-existing"]);
    let said = translate(&folder, "in --skip-existing --out out");
    assert_says(&said, &["1 of 2 translations already exist", "1 images translated"]);
    assert_eq!(fs::read(path("out/a.png")).unwrap(), b"kept");
    translate(&folder, "in --force --out out");
    assert!(fs::read(path("out/a.png")).unwrap() != b"kept");
}

#[cfg(unix)]
#[test]
fn a_stopped_job_is_taken_up_again() {
    const IMAGES: usize = 120;
    let folder = folder("small");
    let path = |name: &str| folder.path().join(name);
    fs::create_dir(path("in")).unwrap();
    image(300, 300).save(path("0.png")).unwrap();
    for index in 0..IMAGES {
        fs::copy(path("0.png"), path(&format!("in/{index:03}.png"))).unwrap();
    }
    let arguments = "translate run --to y in --out out --batch 1 --device cpu";
    let mut job = Command::new(env!("CARGO_BIN_EXE_mewgan"))
        .current_dir(folder.path())
        .args(arguments.split(' '))
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    let begun = Instant::now();
    while !path("out/001.png").exists() {
        assert!(begun.elapsed() < Duration::from_secs(60), "nothing is translated");
        std::thread::sleep(Duration::from_millis(5));
    }
    assert!(Command::new("kill").args(["-INT", &job.id().to_string()]).status().unwrap().success());
    assert_eq!(job.wait().unwrap().code(), Some(130));
    let before: Vec<_> = fs::read_dir(path("out")).unwrap().map(|entry| entry.unwrap().path()).collect();
    assert!((2..IMAGES).contains(&before.len()), "{} of {IMAGES} are done", before.len());
    for path in &before {
        assert_eq!(image::open(path).unwrap().width(), 300, "{} is whole", path.display());
    }
    let said = translate(&folder, "in --out out --skip-existing");
    assert_says(&said, &[&format!("{} of {IMAGES} translations already exist", before.len())]);
    assert_eq!(fs::read_dir(path("out")).unwrap().count(), IMAGES);
}

#[test]
fn what_cannot_be_translated_is_refused() {
    let folder = folder("seed");
    image(8, 8).save(folder.path().join("b.png")).unwrap();
    let refused = |arguments: &str, says: &[&str]| {
        let (code, _, error) = fails(&folder, arguments);
        assert_eq!(code, Some(1), "{error}");
        assert!(error.starts_with("error: "), "{error}");
        assert_says(&error, says);
    };
    refused("nothing.png --out out", &["nothing.png"]);
    refused("b.png --out out --checkpoint 7", &["no checkpoint of step 7", "4"]);
    refused("b.png --out out.safetensors --skip-existing", &["--skip-existing", ".safetensors"]);
    let (_, _, error) = fails(&folder, "b.png --out out --memory-limit 1");
    assert_says(&error, &["failed: b.png: ", "MiB of memory even in the smallest tiles", "--memory-limit"]);
    crate::support::program::done(
        &folder,
        "train dcgan --size 8 --g-width 2 --d-width 2 --steps 1 --device cpu --out dcgan",
    );
    let output = crate::support::program::mewgan(&folder, "translate dcgan --to y b.png --out other");
    assert_says(
        &String::from_utf8(output.stderr).unwrap(),
        &["a DCGAN, which draws images", "mewgan sample dcgan"],
    );
}
