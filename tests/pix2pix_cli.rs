//! `mewgan` with a pix2pix: what it refuses and why, and what is done with a trained one.

use crate::support::program::{done, mewgan};
use image::{GenericImageView, Rgb, RgbImage};
use safetensors::SafeTensors;
use std::fs;
use std::path::Path;
use std::process::Output;
use tempfile::{TempDir, tempdir};

const TINY: &str = "--size 16 --g-width 2 --d-width 2 --d-layers 1 --batch 2 --steps 2 --log-every 2 --sample-every 2 --device cpu";

/// The error of a command that leaves no run behind.
fn refused(folder: &TempDir, arguments: &str) -> String {
    let Output { status, stderr, .. } = mewgan(folder, arguments);
    let stderr = String::from_utf8(stderr).unwrap();
    assert_eq!(status.code(), Some(1), "{arguments}: {stderr}");
    assert!(!folder.path().join("refused").exists(), "{arguments}: nothing is written");
    stderr
}

fn assert_says(text: &str, parts: &[&str]) {
    for part in parts {
        assert!(text.contains(part), "{part:?} is not in: {text}");
    }
}

fn write(folder: &TempDir, path: &str, [width, height]: [u32; 2]) {
    let path = folder.path().join(path);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    let level = |of: u32| (of % 256) as u8;
    RgbImage::from_fn(width, height, |x, y| Rgb([level(9 * x), level(7 * y), level(x * y + width)]))
        .save(path)
        .unwrap();
}

#[test]
fn what_are_no_pairs_is_named() {
    let folder = tempdir().unwrap();
    let train = |flags: &str| refused(&folder, &format!("train pix2pix {flags} {TINY} --out refused"));
    for name in ["1", "2", "3"] {
        write(&folder, &format!("x/{name}.png"), [20, 20]);
        write(&folder, &format!("y/{name}.jpg"), [20, 20]);
    }
    write(&folder, "x/sub/4.png", [20, 20]);
    let error = train("--x x --y y");
    assert_says(&error, &["X (x): sub/4.png has no partner in Y (y)", "an image named sub/4"]);
    let error = train("--x y --y x");
    assert_says(&error, &["Y (x): sub/4.png has no partner in X (y)"]);

    write(&folder, "y/sub/4.jpg", [20, 10]);
    let error = train("--x x --y y");
    assert_says(&error, &["sub/4.png has 20x20 pixels", "partner sub/4.jpg in Y (y) has 20x10"]);
    write(&folder, "y/sub/4.jpg", [40, 40]);
    let error = train("--x x --y y --fit crop-random");
    assert_says(&error, &["sub/4.png has 20x20 pixels", "has 40x40", "--fit crop-random"]);
    done(&folder, &format!("train pix2pix --x x --y y {TINY} --out scaled"));

    write(&folder, "y/3.png", [20, 20]);
    assert_says(&train("--x x --y y"), &["Y (y): 3.jpg and 3.png have the same name"]);

    write(&folder, "pairs/a.png", [40, 20]);
    write(&folder, "pairs/b.png", [41, 20]);
    assert_says(&train("--pairs pairs"), &["b.png", "41 pixels wide, which is odd"]);
}

#[test]
fn settings_that_contradict_each_other_are_refused() {
    let folder = tempdir().unwrap();
    for (flags, parts) in [
        ("--pairs a --x b --y c", &["pairs is a, and x is given too", "--pairs, or --x and --y"][..]),
        ("--x b", &["x is given without y", "give --y too"]),
        ("--y b", &["y is given without x"]),
        ("--depth 5", &["size 16", "halves images 5 times", "multiples of 32", "a smaller --depth"]),
        ("--size 22", &["multiples of 4, such as 20 or 24"]),
        ("--d-layers 3", &["--d-layers", "24 pixels or more"]),
        ("--blocks 2", &["blocks is 2", "no residual blocks"]),
        ("--dropout 1", &["dropout is 1"]),
        ("--x-channels 2", &["x_channels is 2"]),
    ] {
        let tiny = TINY.replace("--size 16", if flags.contains("--size") { "" } else { "--size 16" });
        let tiny =
            tiny.replace("--d-layers 1", if flags.contains("--d-layers") { "" } else { "--d-layers 1" });
        assert_says(&refused(&folder, &format!("train pix2pix {flags} {tiny} --out refused")), parts);
    }
}

#[test]
fn a_pair_of_which_one_image_cannot_be_read_is_left_out() {
    let folder = tempdir().unwrap();
    for name in 0..6 {
        write(&folder, &format!("x/{name}.png"), [16, 16]);
        write(&folder, &format!("y/{name}.png"), [16, 16]);
    }
    fs::write(folder.path().join("x/1.png"), "no image").unwrap();
    fs::write(folder.path().join("y/4.png"), "no image").unwrap();
    let train = format!("train pix2pix --x x --y y {TINY}");
    assert_says(&refused(&folder, &format!("{train} --out refused")), &["1.png"]);
    let said = done(&folder, &format!("{train} --skip-bad --out run"));
    assert_says(&said, &["X: x: 4 images", "Y: y: 4 images", "1 skipped"]);
    let said = done(&folder, "evaluate run --device cpu");
    assert_says(&said, &["X to Y: paired error", "X to Y: SSIM"]);
}

/// Width and height.
fn size(path: &Path) -> (u32, u32) {
    image::open(path).unwrap().dimensions()
}

/// The numbers of a file's tensor.
fn numbers(path: &Path, name: &str) -> Vec<u8> {
    let bytes = fs::read(path).unwrap();
    SafeTensors::deserialize(&bytes).unwrap().tensor(name).unwrap().data().to_vec()
}

#[test]
fn a_trained_one_translates_one_way_and_is_judged() {
    let folder = tempdir().unwrap();
    let train = "train pix2pix --x builtin:noto/animals --y builtin:twemoji/animals --preset paper --lr 1e-2";
    let said = done(
        &folder,
        &format!("{train} {TINY} --batch 1 --steps 6 --out run").replace("--batch 2 --steps 2 ", ""),
    );
    assert_says(&said, &["mewgan translate run IMAGE"]);
    assert!(
        folder.path().join("run/samples/000006.png").is_file()
            && folder.path().join("run/report.html").is_file()
    );
    write(&folder, "in/odd.png", [21, 37]);
    write(&folder, "in/other.png", [21, 37]);
    write(&folder, "in/dot.png", [1, 1]);
    let translate = |arguments: &str| done(&folder, &format!("translate run in --device cpu {arguments}"));
    assert_says(&translate("--out out"), &["3 images translated to Y"]);
    for (name, expected) in [("odd", (21, 37)), ("dot", (1, 1))] {
        assert_eq!(size(&folder.path().join(format!("out/{name}.png"))), expected);
    }

    // Dropout drops by the run's seed, whatever else is translated; another seed drops others, and it can be left out.
    let as_numbers = |arguments: &str, file: &str| {
        done(&folder, &format!("translate run --device cpu {arguments} --out {file}.safetensors"));
        numbers(&folder.path().join(format!("{file}.safetensors")), "translation.odd")
    };
    let all = as_numbers("in", "all");
    assert_eq!(as_numbers("in/odd.png", "alone"), all);
    assert_eq!(as_numbers("in/odd.png --to y --seed 11 --statistics batch", "again"), all);
    let other = as_numbers("in --seed 12", "other");
    let without = as_numbers("in --no-dropout", "without");
    assert!(other != all && without != all && other != without);
    assert_ne!(as_numbers("in --statistics running", "running"), all);

    let refused = |arguments: &str| refused(&folder, &format!("{arguments} --device cpu"));
    assert_says(&refused("translate run in --out no --to x"), &["translates X to Y", "--direction y-to-x"]);
    assert_says(&refused("translate run in --out no --tile 64"), &["--tile", "whole image"]);
    assert_says(&refused("sample run --out no"), &["mewgan translate run IMAGE"]);
    assert_says(&refused("evaluate run --count 16"), &["--count is for DCGAN"]);

    let figures = |flags: &str| {
        let said = done(&folder, &format!("evaluate run --device cpu {flags}"));
        assert_says(&said, &["X to Y: SWD x 1000", "X to Y: paired error", "X to Y: SSIM", "untranslated"]);
        said
    };
    assert_eq!(figures(""), figures(""));
    assert_ne!(figures(""), figures("--no-dropout"));
    done(&folder, "resume run --steps 7 --y builtin:twemoji/animals --lambda-l1 10");
    assert_says(&refused("resume run --steps 8 --pool 3"), &["a setting of cyclegan"]);

    done(&folder, "export onnx run --out unet.onnx");
    let onnx = fs::read(folder.path().join("unet.onnx")).unwrap();
    assert!(onnx.windows(6).any(|bytes| bytes == b"Concat"));
    let Output { status, stderr, .. } = mewgan(&folder, "export web run --out site");
    assert!(!status.success());
    assert_says(&String::from_utf8(stderr).unwrap(), &["no page for pix2pix", "mewgan export onnx"]);
}

#[test]
fn pairs_side_by_side_train_from_a_folder_and_from_a_zip_file_alike() {
    let folder = tempdir().unwrap();
    let zip = fs::File::create(folder.path().join("pairs.zip")).unwrap();
    let mut zip = zip::ZipWriter::new(zip);
    for name in ["a", "b", "c"] {
        let name = format!("pairs/{name}.png");
        write(&folder, &name, [32, 16]);
        zip.start_file(name.trim_start_matches("pairs/"), zip::write::SimpleFileOptions::default()).unwrap();
        std::io::Write::write_all(&mut zip, &fs::read(folder.path().join(&name)).unwrap()).unwrap();
    }
    zip.finish().unwrap();
    let checkpoint = |source: &str, run: &str| {
        done(&folder, &format!("train pix2pix --pairs {source} --direction y-to-x {TINY} --out {run}"));
        numbers(&folder.path().join(run).join("checkpoints/000002.safetensors"), "generator.main.0.weight")
    };
    assert_eq!(checkpoint("pairs", "folder"), checkpoint("pairs.zip", "zip"));
    let said = done(&folder, "translate folder pairs --out back --device cpu");
    assert_says(&said, &["3 images translated to X"]);
    let config = fs::read_to_string(folder.path().join("folder/config.toml")).unwrap();
    assert!(config.contains("pairs = \"pairs\"\n") && !config.contains("\nx = "), "{config}");
}
