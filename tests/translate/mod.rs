//! `mewgan translate`: images keep their size, names, depth and transparency; those that do not fit are translated in tiles and look
//! as if they did; what fails does not keep the others.

mod files;
mod names;
mod tiles;

use crate::support::program::{done, mewgan};
use image::{Rgb, RgbImage};
use std::path::Path;
use std::process::Output;
use tempfile::{TempDir, tempdir};

/// A folder with a trained generator in `run`.
fn folder(preset: &str) -> TempDir {
    let folder = tempdir().unwrap();
    done(
        &folder,
        &format!(
            "train cyclegan --preset {preset} --x builtin:noto/animals --y builtin:twemoji/animals --size 32 --g-width 4 --d-width 2 \
             --batch 2 --blocks 1 --lr 1e-2 --steps 4 --log-every 4 --sample-every 4 --device cpu --out run"
        ),
    );
    folder
}

/// What a translation to Y on the CPU says.
fn translate(folder: &TempDir, arguments: &str) -> String {
    done(folder, &format!("translate run --to y --device cpu {arguments}"))
}

/// The exit code of a translation to Y that does not succeed, and what it says: as usual, and of errors.
fn fails(folder: &TempDir, arguments: &str) -> (Option<i32>, String, String) {
    let Output { status, stdout, stderr } =
        mewgan(folder, &format!("translate run --to y --device cpu {arguments}"));
    let [stdout, stderr] = [stdout, stderr].map(|text| String::from_utf8(text).unwrap());
    assert!(!status.success() && !stderr.contains("panicked"), "{arguments}: {stdout}{stderr}");
    (status.code(), stdout, stderr)
}

fn assert_says(text: &str, parts: &[&str]) {
    for part in parts {
        assert!(text.contains(part), "{part:?} is not in: {text}");
    }
}

/// A smooth image with some of everything.
fn image(width: u32, height: u32) -> RgbImage {
    let wave = |at: u32, length: f32| ((at as f32 / length).sin() * 127.0 + 128.0) as u8;
    RgbImage::from_fn(width, height, |x, y| Rgb([wave(x, 9.0), wave(y, 14.0), wave(x + y * y / 60, 5.0)]))
}

fn size(path: &Path) -> (u32, u32) {
    image::image_dimensions(path).unwrap()
}
