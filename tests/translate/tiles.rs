//! An image in tiles is what it is as a whole.

use super::{assert_says, folder, image, translate};
use crate::support::program::done;
use image::RgbImage;
use std::path::Path;

/// The largest difference of two translations, in levels.
fn apart(a: &Path, b: &Path) -> u8 {
    let [a, b] = [a, b].map(|path| image::open(path).unwrap().into_rgb8());
    assert_eq!(a.dimensions(), b.dimensions());
    a.as_raw().iter().zip(b.as_raw()).map(|(a, b)| a.abs_diff(*b)).max().unwrap()
}

/// Whether a translation shows more than one colour.
fn has_contrast(path: &Path) -> bool {
    let levels = image::open(path).unwrap().into_rgb8().into_raw();
    levels.iter().max().unwrap() - levels.iter().min().unwrap() > 20
}

fn with_image(preset: &str, image: &RgbImage) -> tempfile::TempDir {
    let folder = folder(preset);
    image.save(folder.path().join("large.png")).unwrap();
    translate(&folder, "large.png --out whole");
    assert!(has_contrast(&folder.path().join("whole/large.png")), "{preset}");
    folder
}

/// One level apart by rounding: sums are taken in another order.
#[test]
fn tiles_of_any_size_make_the_whole_image() {
    for preset in ["small", "paper", "seed"] {
        let folder = with_image(preset, &image(210, 155));
        for tile in [16, 50] {
            let said = translate(&folder, &format!("large.png --tile {tile} --out tiles-{tile}"));
            assert_says(&said, &["1 images translated", "1 of them in tiles"]);
            let tiled = folder.path().join(format!("tiles-{tile}/large.png"));
            assert!(apart(&tiled, &folder.path().join("whole/large.png")) <= 1, "{preset}, {tile}");
        }
    }
}

#[test]
fn batch_norm_by_the_image_is_measured_over_the_whole_image() {
    let folder = with_image("seed", &image(210, 155));
    translate(&folder, "large.png --statistics batch --out batch");
    translate(&folder, "large.png --statistics batch --tile 32 --out tiles");
    let path = |name: &str| folder.path().join(name).join("large.png");
    assert!(apart(&path("batch"), &path("whole")) > 1);
    assert!(apart(&path("batch"), &path("tiles")) <= 1);
}

#[test]
fn a_gpu_computes_tiles_as_well() {
    let folder = with_image("small", &image(150, 140));
    done(&folder, "translate run --to y large.png --tile 40 --device gpu --out tiles");
    let path = |name: &str| folder.path().join(name).join("large.png");
    assert!(apart(&path("tiles"), &path("whole")) <= 2);
}

#[test]
fn what_is_over_the_memory_limit_is_translated_in_tiles() {
    let folder = with_image("small", &image(1200, 900));
    let said = translate(&folder, "large.png --memory-limit 100 --out tiles");
    assert_says(&said, &["1 of them in tiles"]);
    let path = |name: &str| folder.path().join(name).join("large.png");
    assert!(apart(&path("tiles"), &path("whole")) <= 1);
    assert!(!translate(&folder, "large.png --memory-limit 4000 --out again").contains("in tiles"));
}
