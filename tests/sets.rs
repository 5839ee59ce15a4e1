//! Promise: what a run holds out stays out of training whatever becomes of its folder, sets are held once and within the limit,
//! and large ones are decoded once.

use crate::support::program::mewgan;
use image::{Rgb, RgbImage};
use serde_json::Value;
use std::fs::{self, File};
use std::io::Write;
use std::path::Path;
use std::process::{Command, Output};
use tempfile::{TempDir, tempdir};

const TINY: &str = "--preset seed --size 8 --g-width 2 --d-width 2 --batch 4 --log-every 2 --checkpoint-every 2 --device cpu";

/// Writes an image that its number tells apart.
fn write(folder: &Path, name: &str, number: u32) {
    fs::create_dir_all(folder).unwrap();
    let colour = Rgb([number, 3 * number, 7 * number].map(|level| (level % 256) as u8));
    RgbImage::from_pixel(8, 8, colour).save(folder.join(name)).unwrap();
}

/// All that is said, of a command that has to succeed.
fn said(folder: &TempDir, arguments: &str) -> String {
    let Output { status, stdout, stderr } = mewgan(folder, arguments);
    let [stdout, stderr] = [stdout, stderr].map(|text| String::from_utf8(text).unwrap());
    assert!(status.success(), "{arguments}: {stderr}");
    stdout + &stderr
}

fn refused(folder: &TempDir, arguments: &str) -> String {
    let Output { status, stderr, .. } = mewgan(folder, arguments);
    assert_eq!(status.code(), Some(1), "{arguments}");
    String::from_utf8(stderr).unwrap()
}

/// The names of the images of a set, those trained on or those held out, as the run keeps them.
fn kept(folder: &TempDir, set: &str, which: &str) -> Vec<String> {
    let all: Value =
        serde_json::from_slice(&fs::read(folder.path().join("run/images.json")).unwrap()).unwrap();
    all[set][which].as_array().unwrap().iter().map(|name| name.as_str().unwrap().to_owned()).collect()
}

#[test]
fn what_is_held_out_stays_so() {
    let folder = tempdir().unwrap();
    let cats = folder.path().join("cats");
    (0..20).for_each(|number| write(&cats, &format!("{number:02}.png"), number));
    said(
        &folder,
        &format!("train dcgan --data cats --out run --holdout 0.3 --steps 2 --noise-size 4 {TINY}"),
    );
    let (trained, held_out) = (kept(&folder, "data", "trained"), kept(&folder, "data", "held_out"));
    assert_eq!((trained.len(), held_out.len()), (14, 6));

    // One of either is removed, one becomes another kind of file, and many come.
    fs::remove_file(cats.join(&trained[0])).unwrap();
    fs::remove_file(cats.join(&held_out[0])).unwrap();
    fs::rename(cats.join(&held_out[1]), cats.join(&held_out[1]).with_extension("jpg")).unwrap();
    (20..60).for_each(|number| write(&cats, &format!("{number:02}.png"), number));
    let told = said(&folder, "resume run --steps 4");
    assert!(told.contains("the set data has changed: 3 gone") && told.contains("41 new"), "{told}");
    let (now_trained, now_held_out) = (kept(&folder, "data", "trained"), kept(&folder, "data", "held_out"));
    let stems = |names: &[String]| -> Vec<String> {
        names.iter().map(|name| name.split('.').next().unwrap().to_owned()).collect()
    };
    assert!(stems(&held_out).iter().all(|stem| stems(&now_held_out).contains(stem)), "{now_held_out:?}");
    assert!(stems(&trained).iter().all(|stem| stems(&now_trained).contains(stem)), "{now_trained:?}");
    assert!(now_held_out.len() > held_out.len() + 5, "of 40 new ones 0.3 are held out: {now_held_out:?}");

    // What was gone comes back to where it was.
    write(&cats, &held_out[0], 99);
    said(&folder, "resume run --steps 6");
    assert_eq!(stems(&kept(&folder, "data", "held_out")).len(), stems(&now_held_out).len());
    let judged = said(&folder, "evaluate run --count 16 --device cpu");
    assert!(judged.contains("gone") && judged.contains("of held-out images"), "{judged}");
}

#[test]
fn partners_are_held_out_together_though_one_cannot_be_read() {
    let folder = tempdir().unwrap();
    for number in 0..12 {
        write(&folder.path().join("x"), &format!("{number}.png"), number);
        write(&folder.path().join("y"), &format!("{number}.jpg"), 5 * number);
    }
    fs::write(folder.path().join("x/3.png"), "no image").unwrap();
    said(
        &folder,
        &format!(
            "train cyclegan --x x --y y --out run --holdout 0.25 --steps 2 --skip-bad --blocks 1 {TINY}"
        )
        .replace("--size 8", "--size 16"),
    );
    let stems = |set: &str, which: &str| -> Vec<String> {
        let mut stems: Vec<String> =
            kept(&folder, set, which).iter().map(|name| name.split('.').next().unwrap().to_owned()).collect();
        stems.sort();
        stems
    };
    assert_eq!(stems("X", "held_out"), stems("Y", "held_out"));
    assert_eq!(stems("X", "held_out").len(), 3);
    let judged = said(&folder, "evaluate run --paired --device cpu");
    assert!(judged.contains("paired error"), "1.png and 1.jpg are partners: {judged}");
}

#[test]
fn sets_over_the_limit_are_refused_before_they_are_decoded() {
    let folder = tempdir().unwrap();
    fs::create_dir(folder.path().join("cats")).unwrap();
    // They cannot be read; nobody tries.
    (0..600).for_each(|number| fs::write(folder.path().join(format!("cats/{number}.png")), "?").unwrap());
    let flags = TINY.replace("--size 8", "--size 64");
    let refused = refused(&folder, &format!("train dcgan --data cats --out run --memory-limit 6 {flags}"));
    // 600 images of 70 x 70 x 3 bytes, to be cropped, are 8.4 MiB.
    assert!(refused.contains("(9 of them for its images)"), "{refused}");
    assert!(!folder.path().join("run").exists());
}

#[test]
fn large_sets_are_decoded_once() {
    let folder = tempdir().unwrap();
    let cats = folder.path().join("cats");
    fs::create_dir(&cats).unwrap();
    let noise = |number: u32| {
        let mut state = number + 1;
        RgbImage::from_fn(512, 512, |_, _| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            Rgb([state, state >> 8, state >> 16].map(|bits| (bits >> 8) as u8))
        })
    };
    // 24 files of 786 kB: more than the 16 MiB from which on a set is worth keeping.
    (0..24).for_each(|number| noise(number).save(cats.join(format!("{number:02}.png"))).unwrap());
    let train = |out: &str, more: &str| {
        let arguments = format!("train dcgan --data cats --out {out} --steps 1 --noise-size 4 {TINY} {more}");
        let mut command = Command::new(env!("CARGO_BIN_EXE_mewgan"));
        command.env("XDG_CACHE_HOME", folder.path().join("caches"));
        command.current_dir(folder.path()).args(arguments.split_whitespace()).output().unwrap()
    };
    let weights = |out: &str| fs::read(folder.path().join(out).join("samples/000001.png")).unwrap();
    assert!(train("first", "").status.success());
    let caches = || fs::read_dir(folder.path().join("caches/mewgan/images")).unwrap().count();
    assert_eq!(caches(), 1);

    // The same length and time, but no image any more: nobody looks.
    let broken = cats.join("05.png");
    let before = broken.metadata().unwrap();
    fs::write(&broken, vec![0; before.len() as usize]).unwrap();
    File::options().append(true).open(&broken).unwrap().set_modified(before.modified().unwrap()).unwrap();
    assert!(train("again", "").status.success());
    assert_eq!(weights("again"), weights("first"));
    let looked = train("uncached", "--no-cache");
    assert!(String::from_utf8_lossy(&looked.stderr).contains("05.png"), "{looked:?}");

    // Another time: it is looked at again, and the others are not.
    fs::write(&broken, vec![0; before.len() as usize]).unwrap();
    assert!(String::from_utf8_lossy(&train("changed", "").stderr).contains("05.png"));
    noise(5).save(&broken).unwrap();
    assert!(train("mended", "").status.success());
    assert_eq!((weights("mended"), caches()), (weights("first"), 1));
}

#[test]
fn what_runs_have_drawn_is_not_learned_from() {
    let folder = tempdir().unwrap();
    (0..6).for_each(|number| write(&folder.path().join("cats"), &format!("{number}.png"), number));
    fs::write(folder.path().join("cats/list.txt"), "six cats").unwrap();
    let train = format!("train dcgan --data cats --out cats/runs/a --steps 2 --noise-size 4 {TINY}");
    let first = said(&folder, &train);
    assert!(first.contains("cats: 6 images") && first.contains("1 .txt left out"), "{first}");
    assert!(folder.path().join("cats/runs/a/samples/000002.png").is_file());
    said(&folder, "export web cats/runs/a --out cats/site --images 4");
    let again = said(&folder, "resume cats/runs/a --steps 4");
    assert!(again.contains("cats: 6 images") && again.contains("2 of mewgan's own folders"), "{again}");
    assert!(!again.contains("has changed"), "{again}");
    assert!(said(&folder, &train.replace("runs/a", "runs/b")).contains("cats: 6 images"));
}

#[test]
fn opacity_is_a_channel_where_it_is_asked_for() {
    let folder = tempdir().unwrap();
    fs::create_dir_all(folder.path().join("cats")).unwrap();
    for number in 0..8_u8 {
        let image = image::RgbaImage::from_fn(16, 16, |x, y| {
            let inside = (4..12).contains(&x) && (4..12).contains(&y);
            image::Rgba([250 - number, 10 * number, 40, if inside { 255 } else { 0 }])
        });
        image.save(folder.path().join(format!("cats/{number}.png"))).unwrap();
    }
    for device in ["cpu", "gpu"] {
        let tiny = TINY.replace("--device cpu", &format!("--device {device}"));
        said(
            &folder,
            &format!("train dcgan --data cats --channels 4 --out d{device} --steps 2 --noise-size 4 {tiny}"),
        );
        said(&folder, &format!("sample d{device} --count 2 --out drawn{device} --device {device}"));
        let drawn =
            fs::read_dir(folder.path().join(format!("drawn{device}"))).unwrap().next().unwrap().unwrap();
        assert_eq!(image::open(drawn.path()).unwrap().color(), image::ColorType::Rgba8);
        said(&folder, &format!("evaluate d{device} --count 16 --device {device}"));
        let tiny = tiny.replace("--size 8", "--size 16");
        let sets = "--x cats --y builtin:noto/faces --channels 4 --y-channels 3 --lambda-identity 0";
        said(&folder, &format!("train cyclegan {sets} --blocks 1 --out c{device} --steps 2 {tiny}"));
        for (to, from, colour) in
            [("x", "builtin:noto/faces", image::ColorType::Rgba8), ("y", "cats", image::ColorType::Rgb8)]
        {
            let out = format!("{to}{device}");
            said(&folder, &format!("translate c{device} --to {to} {from} --out {out} --device {device}"));
            let translated = fs::read_dir(folder.path().join(&out)).unwrap().next().unwrap().unwrap();
            assert_eq!(image::open(translated.path()).unwrap().color(), colour, "{out}");
        }
        said(
            &folder,
            &format!("translate c{device} --to x cats/1.png --out one{device}.jpg --device {device}"),
        );
    }
}

#[test]
fn a_zip_file_is_translated_as_its_folder() {
    let folder = tempdir().unwrap();
    let tiny = TINY.replace("--size 8", "--size 16");
    said(&folder, &format!("train cyclegan --blocks 1 --out run --steps 1 {tiny}"));
    let path = |name: &str| folder.path().join(name);
    let mut zip = zip::ZipWriter::new(File::create(path("set.zip")).unwrap());
    for (number, name) in ["a.png", "deep/b.png"].into_iter().enumerate() {
        let at = path("set").join(name);
        write(at.parent().unwrap(), at.file_name().unwrap().to_str().unwrap(), number as u32 + 40);
        zip.start_file(name, zip::write::SimpleFileOptions::default()).unwrap();
        zip.write_all(&fs::read(at).unwrap()).unwrap();
    }
    zip.finish().unwrap();
    for set in ["set", "set.zip"] {
        said(&folder, &format!("translate run --to y {set} --out out-{set} --device cpu"));
    }
    for name in ["a.png", "deep/b.png"] {
        let [folder, zip] = ["out-set", "out-set.zip"].map(|out| fs::read(path(out).join(name)).unwrap());
        assert!(folder == zip, "{name}");
    }
}

#[test]
fn sets_that_overlap_are_told_of() {
    let folder = tempdir().unwrap();
    (0..4).for_each(|number| write(&folder.path().join("all"), &format!("{number}.png"), number));
    (4..8).for_each(|number| write(&folder.path().join("all/some"), &format!("{number}.png"), number));
    let tiny = TINY.replace("--size 8", "--size 16");
    let train = |x: &str, y: &str, out: &str| {
        said(&folder, &format!("train cyclegan --x {x} --y {y} --blocks 1 --steps 1 --out {out} {tiny}"))
    };
    assert!(train("all", "all/some", "a").contains("the folder of Y lies in that of X"));
    assert!(train("all", "./all", "b").contains("X and Y are the same folder"));
    assert!(!train("all/some", "builtin:noto/faces", "c").contains("warning"));
}

#[test]
fn seeds_are_told_whole() {
    let folder = tempdir().unwrap();
    let refused = refused(&folder, &format!("train dcgan --seed 18446744073709551615 {TINY}"));
    assert!(refused.contains("18446744073709551615"), "{refused}");
}

#[test]
fn a_run_finds_its_images_and_its_split_from_anywhere() {
    let folder = tempdir().unwrap();
    let mut zip = zip::ZipWriter::new(File::create(folder.path().join("set.zip")).unwrap());
    for number in 0..10 {
        let name = format!("{number}.png");
        write(&folder.path().join("set"), &name, number);
        zip.start_file(&name, zip::write::SimpleFileOptions::default()).unwrap();
        zip.write_all(&fs::read(folder.path().join("set").join(&name)).unwrap()).unwrap();
    }
    zip.finish().unwrap();
    said(
        &folder,
        &format!("train dcgan --data set.zip --out run --holdout 0.3 --steps 2 --noise-size 4 {TINY}"),
    );
    let inside = |path: &str, arguments: &str| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_mewgan"));
        let command = command.current_dir(folder.path().join(path)).args(arguments.split_whitespace());
        let Output { status, stdout, stderr } = command.output().unwrap();
        assert!(status.success(), "{arguments}: {}", String::from_utf8_lossy(&stderr));
        String::from_utf8(stdout).unwrap()
    };
    assert!(inside("run", "resume . --steps 4").contains("7 images"), "a zip file is found where it was");
    fs::remove_file(folder.path().join("set.zip")).unwrap();
    fs::rename(folder.path().join("set"), folder.path().join("set.zip")).unwrap();
    fs::remove_file(folder.path().join("set.zip").join(&kept(&folder, "data", "held_out")[0])).unwrap();
    let judged = inside("run/checkpoints", "evaluate 000004.safetensors --count 16 --device cpu");
    assert!(judged.contains("1 gone"), "the run's own split is found beside a checkpoint: {judged}");
}
