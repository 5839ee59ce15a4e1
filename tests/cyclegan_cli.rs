//! What CycleGAN's commands say and leave behind, through the program itself.

use image::{Rgb, RgbImage};
use std::fs;
use std::path::Path;
use std::process::{Command, Output};
use tempfile::{TempDir, tempdir};

const TINY: [&str; 16] = [
    "--preset",
    "seed",
    "--x",
    "builtin:noto/animals",
    "--y",
    "builtin:twemoji/animals",
    "--size",
    "16",
    "--g-width",
    "2",
    "--d-width",
    "2",
    "--batch",
    "2",
    "--device",
    "cpu",
];

fn mewgan(folder: &TempDir, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_mewgan")).current_dir(folder.path()).args(arguments).output().unwrap()
}

/// The output of a command that has to succeed.
fn done(folder: &TempDir, arguments: &[&str]) -> String {
    let output = mewgan(folder, arguments);
    assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

/// The error of a command that has to fail.
fn refused(folder: &TempDir, arguments: &[&str]) -> String {
    let Output { status, stderr, .. } = mewgan(folder, arguments);
    let stderr = String::from_utf8(stderr).unwrap();
    assert_eq!(status.code(), Some(1), "{arguments:?}: {stderr}");
    assert!(stderr.starts_with("error: ") && !stderr.contains("panicked"), "{stderr}");
    stderr
}

fn train<'a>(more: &[&'a str]) -> Vec<&'a str> {
    [&["train", "cyclegan"][..], &TINY, more].concat()
}

fn assert_says(text: &str, parts: &[&str]) {
    for part in parts {
        assert!(text.contains(part), "{part:?} is not in: {text}");
    }
}

fn size(path: &Path) -> (u32, u32) {
    image::image_dimensions(path).unwrap()
}

#[test]
fn what_cannot_be_trained_is_refused_with_a_remedy() {
    let folder = tempdir().unwrap();
    let refuse = |more: &[&str]| refused(&folder, &[&["train", "cyclegan"], more].concat());
    assert_says(&refuse(&["--x", "nowhere"]), &["nowhere", "no such folder"]);
    assert_says(&refuse(&["--y", "builtin:cats"]), &["builtin:cats", "builtin:twemoji"]);
    let few = refuse(&["--y", "builtin:twemoji/animals", "--batch", "131"]);
    assert_says(&few, &["builtin:twemoji/animals", "130 images", "--batch 130"]);
    assert_says(&refuse(&["--size", "30"]), &["size 30", "32"]);
    assert_says(&refuse(&["--steps", "5", "--decay-from", "5"]), &["decay_from", "5 steps"]);
    let over = refuse(&["--memory-limit", "100", "--device", "cpu"]);
    assert_says(&over, &["MiB of memory", "limit of 100", "--batch", "would fit"]);
    let never = refuse(&["--memory-limit", "1", "--device", "cpu", "--x", "builtin:noto/animals"]);
    assert_says(&never, &["limit of 1 ", "--g-width"]);
    assert!(!folder.path().join("runs").exists(), "a refused run leaves no folder");
}

#[test]
fn a_run_leaves_what_it_promises() {
    let folder = tempdir().unwrap();
    let said = done(&folder, &train(&["--steps", "4", "--sample-every", "2", "--log-every", "2"]));
    assert!(said.starts_with("CPU reference"), "the first line says what it runs on: {said}");
    assert_says(
        &said,
        &["X: builtin:noto/animals: 130 images", "Y: builtin:twemoji", "MiB of memory", "step 2/4  D_X "],
    );
    assert_says(&said, &["cycle_Y", "mewgan translate runs/cyclegan-1 --to y"]);
    let run = folder.path().join("runs/cyclegan-1");
    let files = [
        "config.toml",
        "metrics.jsonl",
        "losses.svg",
        "report.html",
        "progress-XtoY.gif",
        "progress-YtoX.gif",
    ];
    for file in files {
        assert!(run.join(file).is_file(), "{file}");
    }
    for step in ["000000", "000002", "000004"] {
        let sheet = |name: &str| size(&run.join(format!("samples/{step}-{name}.png")));
        // Images of 16 pixels are enlarged to 64, lines are 2 pixels wide.
        assert_eq!([sheet("XtoY"), sheet("YtoX")], [(8 * 66 + 2, 4 * 66 + 2); 2]);
        assert_eq!([sheet("XtoYtoX"), sheet("YtoXtoY")], [(12 * 66 + 2, 4 * 66 + 2); 2]);
    }
    let said = done(&folder, &["resume", "runs/cyclegan-1", "--steps", "6"]);
    assert_says(&said, &["continues after step 4", "step 6/6"]);
    let refused = refused(&folder, &["sample", "runs/cyclegan-1", "--out", "x.png"]);
    assert_says(&refused, &["CycleGAN", "mewgan translate runs/cyclegan-1"]);
}

#[test]
fn few_and_held_out_images_have_their_sheets() {
    let folder = tempdir().unwrap();
    let images = folder.path().join("few");
    fs::create_dir(&images).unwrap();
    for name in 0..3 {
        RgbImage::from_pixel(20, 10, Rgb([80 * name; 3])).save(images.join(format!("{name}.png"))).unwrap();
    }
    let more = ["--x", "few", "--holdout", "0.3", "--steps", "1", "--norm", "instance", "--out", "run"];
    // Flags are not repeated: the set of X is replaced.
    let arguments: Vec<&str> = train(&[]).into_iter().filter(|flag| *flag != "--x").collect();
    let arguments: Vec<&str> = arguments.into_iter().filter(|flag| *flag != "builtin:noto/animals").collect();
    let said = done(&folder, &[&arguments[..], &more].concat());
    assert_says(&said, &["X: few: 2 images", "1 held out", "39 held out"]);
    RgbImage::new(9, 9).save(images.join("4.png")).unwrap();
    let said = done(&folder, &["resume", "run", "--steps", "2"]);
    assert_says(&said, &["the set X has changed (3 images, 2 before)", "step 2/2"]);
    assert_eq!(size(&folder.path().join("run/samples/000001-XtoY.png")), (4 * 66 + 2, 66 + 2));
    assert_eq!(size(&folder.path().join("run/samples/000001-YtoX.png")), (8 * 66 + 2, 4 * 66 + 2));
}
