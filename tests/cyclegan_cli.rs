//! What CycleGAN's commands say and leave behind, through the program itself.

use image::{DynamicImage, GrayImage, ImageBuffer, Luma, Rgb, RgbImage, Rgba, RgbaImage};
use std::fs;
use std::io::Write;
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
    assert_says(&said, &["goes on after step 4", "step 6/6"]);
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

#[test]
fn translations_keep_names_and_sizes() {
    let folder = tempdir().unwrap();
    done(&folder, &train(&["--steps", "2", "--out", "run"]));
    let path = |name: &str| folder.path().join(name);
    fs::create_dir_all(path("in/deep")).unwrap();
    RgbImage::from_pixel(37, 22, Rgb([200, 10, 10])).save(path("in/odd.png")).unwrap();
    GrayImage::from_pixel(16, 20, Luma([90])).save(path("in/grey.png")).unwrap();
    RgbaImage::from_pixel(21, 21, Rgba([9, 9, 9, 0])).save(path("in/clear.png")).unwrap();
    let deep: ImageBuffer<Rgb<u16>, _> = ImageBuffer::from_pixel(5, 3, Rgb([40_000, 9, 65_535]));
    DynamicImage::ImageRgb16(deep).save(path("in/deep/sixteen.png")).unwrap();
    RgbImage::from_pixel(1, 1, Rgb([1, 2, 3])).save(path("in/deep/dot.png")).unwrap();
    RgbImage::from_pixel(21, 21, Rgb([255; 3])).save(path("white.png")).unwrap();

    let said = done(&folder, &["translate", "run", "--to", "y", "in", "white.png", "--out", "out"]);
    assert_says(&said, &["6 images translated to Y by step 2"]);
    for (name, expected) in [
        ("odd.png", (37, 22)),
        ("grey.png", (16, 20)),
        ("clear.png", (21, 21)),
        ("deep/sixteen.png", (5, 3)),
        ("deep/dot.png", (1, 1)),
        ("white.png", (21, 21)),
    ] {
        assert_eq!(size(&path("out").join(name)), expected, "{name}");
    }
    let read = |name: &str| fs::read(path(name)).unwrap();
    assert!(read("out/clear.png") == read("out/white.png"), "what is transparent is white");
    done(&folder, &["translate", "run", "--to", "y", "white.png", "--out", "alone", "--batch", "1"]);
    assert!(
        read("alone/white.png") == read("out/white.png"),
        "with running statistics company does not matter"
    );
    let mut zip = zip::ZipWriter::new(fs::File::create(path("set.zip")).unwrap());
    for name in ["odd.png", "deep/dot.png"] {
        zip.start_file(name, zip::write::SimpleFileOptions::default()).unwrap();
        zip.write_all(&read(&format!("in/{name}"))).unwrap();
    }
    zip.finish().unwrap();
    done(&folder, &["translate", "run", "--to", "y", "set.zip", "--out", "unzipped"]);
    for name in ["odd.png", "deep/dot.png"] {
        assert!(
            read(&format!("unzipped/{name}")) == read(&format!("out/{name}")),
            "{name} out of a zip file"
        );
    }
    done(&folder, &["translate", "run", "--to", "x", "in/odd.png", "--out", "back"]);
    assert!(read("back/odd.png") != read("out/odd.png"));
    let batch = ["--statistics", "batch", "--checkpoint", "2", "--device", "cpu"];
    done(&folder, &[&["translate", "run", "--to", "y", "in", "--out", "batch"][..], &batch].concat());
    assert!(read("batch/odd.png") != read("out/odd.png"));
}

#[test]
fn what_cannot_be_translated_is_refused() {
    let folder = tempdir().unwrap();
    done(&folder, &train(&["--steps", "1", "--out", "run"]));
    let path = |name: &str| folder.path().join(name);
    fs::create_dir(path("in")).unwrap();
    RgbImage::new(8, 8).save(path("in/a.png")).unwrap();
    RgbImage::new(8, 8).save(path("in/a.jpg")).unwrap();
    RgbImage::new(8, 8).save(path("b.png")).unwrap();
    fs::write(path("bad.png"), "no image").unwrap();
    let refuse = |more: &[&str]| refused(&folder, &[&["translate", "run", "--to", "y"], more].concat());
    assert_says(&refuse(&["in", "--out", "out"]), &["a.jpg", "a.png", "both"]);
    assert_says(&refuse(&["b.png", "--out", "."]), &["b.png", "--out"]);
    assert_says(&refuse(&["nothing.png", "--out", "out"]), &["nothing.png"]);
    assert_says(&refuse(&["bad.png", "--out", "out"]), &["bad.png", "not a readable image", "--skip-bad"]);
    let translate =
        |more: &[&'static str]| [&["translate", "run", "--to", "y", "b.png", "--out", "out"], more].concat();
    let said = done(&folder, &translate(&["bad.png", "--skip-bad"]));
    assert_says(&said, &["1 images skipped", "bad.png", "1 images translated"]);
    assert_says(&refused(&folder, &translate(&[])), &["out/b.png", "--force"]);
    done(&folder, &translate(&["--force"]));
    assert_says(&refuse(&["b.png", "--out", "out", "--checkpoint", "7"]), &["no checkpoint of step 7", "1"]);
    let dcgan = ["train", "dcgan", "--size", "8", "--g-width", "2", "--d-width", "2", "--steps", "1"];
    done(&folder, &[&dcgan[..], &["--device", "cpu", "--out", "dcgan"]].concat());
    let wrong = refused(&folder, &["translate", "dcgan", "--to", "y", "b.png", "--out", "other"]);
    assert_says(&wrong, &["\"dcgan\"", "\"cyclegan\""]);
}
