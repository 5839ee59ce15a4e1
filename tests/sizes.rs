//! Promise: images need not be square, nor their sides powers of two: both systems train on them, on either device, and all that
//! follows takes them.

use crate::support::program::{done, mewgan};
use mewgan::models::dcgan::networks::Stages;
use mewgan::size::Size;
use std::fs;
use std::path::Path;
use tempfile::tempdir;

const TINY: &str = "--preset seed --g-width 2 --d-width 2 --batch 4 --steps 2 --log-every 2";

fn size_of(path: &Path) -> (u32, u32) {
    image::image_dimensions(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

#[test]
fn features_are_doubled_from_three_to_sixteen_pixels() {
    let stages = |text: &str| Stages::of(text.parse().unwrap()).map(|stages| (stages.base, stages.count));
    for (size, base, count) in [
        ("8", [4, 4], 1),
        ("64", [4, 4], 4),
        ("256", [4, 4], 6),
        ("96x64", [4, 6], 4),
        ("48x64", [4, 3], 4),
        ("80", [5, 5], 4),
        ("96", [3, 3], 5),
        ("36x20", [5, 9], 2),
    ] {
        assert_eq!(stages(size).unwrap(), (base, count), "{size}");
    }
    let refused = stages("100x64").unwrap_err().to_string();
    assert!(refused.contains("96x64") || refused.contains("104x64"), "one that can be is named: {refused}");
    assert!(["7", "66", "1024x8"].iter().all(|size| stages(size).is_err()));
}

#[test]
fn dcgan_draws_what_is_not_square() {
    let folder = tempdir().unwrap();
    for device in ["cpu", "gpu"] {
        let augment = "--augment deluxe --rotate 10 --diffaugment color,translation,cutout --average 0.9";
        done(
            &folder,
            &format!(
                "train dcgan --data builtin:noto/animals --size 24x16 --noise-size 4 {augment} {TINY} --device {device} \
                 --out {device}"
            ),
        );
        let run = folder.path().join(device);
        assert!(fs::read_to_string(run.join("config.toml")).unwrap().contains("size = \"24x16\""));
        done(&folder, &format!("resume {device} --steps 4"));
        done(&folder, &format!("sample {device} --count 3 --out {device}/drawn --device {device}"));
        let drawn = fs::read_dir(run.join("drawn")).unwrap().next().unwrap().unwrap().path();
        assert_eq!(size_of(&drawn), (24, 16));
        let judged = done(&folder, &format!("evaluate {device} --count 16 --device {device}"));
        assert!(judged.contains("at 24x16 pixels") && judged.contains("at 12x8 pixels"), "{judged}");
        done(&folder, &format!("export onnx {device} --out {device}/generator.onnx"));
        done(&folder, &format!("export web {device} --out {device}/site --images 8"));
        let model: serde_json::Value =
            serde_json::from_slice(&fs::read(run.join("site/model.json")).unwrap()).unwrap();
        assert_eq!(model["size"], serde_json::json!([16, 24]));
    }
    let drawn = |device: &str| {
        image::open(folder.path().join(device).join("samples/000004.png")).unwrap().into_rgb8()
    };
    let (cpu, gpu) = (drawn("cpu"), drawn("gpu"));
    let far = cpu.iter().zip(gpu.iter()).map(|(a, b)| a.abs_diff(*b)).max();
    assert!(far <= Some(2), "the devices draw the same, a level of rounding apart: {far:?}");
}

#[test]
fn cyclegan_translates_what_is_not_square() {
    let folder = tempdir().unwrap();
    for (device, discriminator) in [("cpu", "patch"), ("gpu", "whole")] {
        done(
            &folder,
            &format!(
                "train cyclegan --x builtin:noto/faces --y builtin:twemoji/faces --size 16x24 --discriminator {discriminator} \
                 --blocks 1 {TINY} --device {device} --out {device}"
            ),
        );
        done(&folder, &format!("resume {device} --steps 3"));
        let judged = done(&folder, &format!("evaluate {device} --paired --device {device}"));
        assert!(judged.contains("at 16x24 pixels"), "{judged}");
    }
}

#[test]
fn sizes_that_cannot_be_are_refused_with_ones_that_can() {
    let folder = tempdir().unwrap();
    for (flags, says) in [
        ("dcgan --size 100x64", "choose sides such as"),
        ("dcgan --size 96x", "96x64"),
        ("cyclegan --size 66x64", "choose multiples of 4, such as 64 or 68x64"),
        ("cyclegan --size 8x64 --discriminator patch", "16 pixels or more"),
        ("dcgan --size 64 --load-size 60", "load_size is 60; choose one from 64"),
    ] {
        let output = mewgan(&folder, &format!("train {flags} --device cpu"));
        let error = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(!output.status.success() && error.contains(says), "{flags}: {error}");
    }
    assert_eq!("96x64".parse(), Ok(Size { height: 64, width: 96 }));
}

#[test]
fn sets_may_differ_in_channels() {
    let folder = tempdir().unwrap();
    let sets = "--x builtin:noto/faces --y builtin:twemoji/faces --x-channels 1 --lambda-identity 0";
    for device in ["cpu", "gpu"] {
        done(
            &folder,
            &format!(
                "train cyclegan {sets} --size 16 --blocks 1 --pool 4 --updates generators-first --d-fake-every 1 {TINY} \
                      --device {device} --out {device}"
            ),
        );
        done(&folder, &format!("resume {device} --steps 3"));
        let judged = done(&folder, &format!("evaluate {device} --paired --device {device}"));
        assert!(judged.contains("X to Y: paired error"), "{judged}");
        done(&folder, &format!("export web {device} --out {device}/site --images 3"));
        for to in ["x", "y"] {
            done(&folder, &format!("export onnx {device} --to {to} --out {device}/{to}.onnx"));
        }
    }
    let identity = sets.replace("identity 0", "identity 5");
    let output = mewgan(&folder, &format!("train cyclegan {identity} --size 16 {TINY} --device cpu"));
    let error = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(error.contains("--lambda-identity") && error.contains("X has 1 channels and Y 3"), "{error}");
}
