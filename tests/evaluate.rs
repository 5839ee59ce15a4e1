//! Promise: `evaluate` tells good images from bad and copies from inventions, and the experiments leave a page of whole runs.

use crate::support::damage::{self, Values, blurred, changed, checkered, few, noisy, tinted};
use mewgan::data::{Images, LoadOptions, to_unit};
use mewgan::evaluate::{Direction, Figure, Set, generated, translated};
use mewgan::random::stream;
use rand::RngExt;
use std::fs;
use std::process::{Command, Output};
use tempfile::{TempDir, tempdir};

const SIDE: usize = 16;

/// Images of a bright square on a dark ground, somewhere, with a little noise.
fn squares(count: usize, seed: u64) -> Set {
    let mut rng = stream(seed, "squares", 0);
    let mut values = Vec::new();
    for _ in 0..count {
        let [top, left] = [0, 1].map(|_| rng.random_range(2..7));
        for pixel in 0..SIDE * SIDE {
            let (y, x) = (pixel / SIDE, pixel % SIDE);
            let inside = (top..top + 7).contains(&y) && (left..left + 7).contains(&x);
            values.push(if inside { 0.7 } else { -0.7 } + rng.random_range(-0.1..0.1));
        }
    }
    Set { values, size: SIDE.into(), channels: 1 }
}

fn figure<'a>(figures: &'a [Figure], name: &str) -> &'a Figure {
    figures.iter().find(|figure| figure.name == name).unwrap_or_else(|| {
        panic!("no figure {name} among {:?}", figures.iter().map(|f| &f.name).collect::<Vec<_>>())
    })
}

const DISTANCE: &str = "sliced Wasserstein distance x 1000";
const DIVERSITY: &str = "diversity (mean pairwise distance)";
const NEAREST: &str = "distance to training, nearest";

#[test]
fn generated_images_are_told_from_copies_noise_and_collapse() {
    let (training, held_out) = (squares(48, 1), squares(24, 2));
    let judge = |images: &Set| generated(images, &training, &held_out).unwrap();
    let fresh = judge(&squares(24, 3));
    let copies = judge(&training);
    assert!(figure(&copies, NEAREST).value < 1e-6 && figure(&fresh, NEAREST).value > 0.01);
    let mut noise = squares(24, 4);
    let mut rng = stream(9, "noise", 0);
    noise.values.iter_mut().for_each(|value| *value = rng.random_range(-1.0..1.0));
    assert!(figure(&judge(&noise), DISTANCE).value > 2.0 * figure(&fresh, DISTANCE).value);
    let one = squares(1, 5).values;
    let collapsed = judge(&Set { values: one.repeat(24), ..squares(1, 5) });
    assert!(figure(&collapsed, DIVERSITY).value < 1e-6);
    assert!(figure(&fresh, DIVERSITY).yardstick.is_some_and(|real| real > 0.1));
}

/// Every third of the bundled emoji's images, three times.
fn thirds_of(source: &str) -> [Set; 3] {
    let options = LoadOptions::new(damage::SIDE.into(), 3);
    let images = Images::load(source, &options).unwrap().images;
    [0, 1, 2].map(|first| {
        let chosen = (first..images.len()).step_by(3);
        let values = chosen.flat_map(|index| images.image(index)).map(|&level| to_unit(level)).collect();
        Set { values, size: damage::SIDE.into(), channels: 3 }
    })
}

/// Four images laid over each other: the same contrast and the same texture on average, nothing in its place.
fn superimposed(images: &[&[f32]]) -> Values {
    let count = images.len();
    let mean = |i: usize| images.iter().map(|image| image[i]).sum::<f32>() / count as f32;
    let means: Values = (0..images[0].len()).map(mean).collect();
    let overlaid = |at: usize| {
        let layers = [0, 7, 13, 29].map(|by| images[(at + by) % count]);
        means.iter().enumerate().map(move |(i, mean)| {
            let [a, b, c, d] = layers.map(|layer| layer[i] - mean);
            mean + (a - b + c - d) / 2.0
        })
    };
    (0..count).flat_map(overlaid).collect()
}

/// The judge agrees with the eye: other real images come first, and damage that anybody sees comes last, on every set.
#[test]
fn real_images_are_ranked_before_damaged_ones() {
    for source in ["builtin:noto/faces", "builtin:noto/animals"] {
        let [training, held_out, real] = thirds_of(source);
        let distance =
            |images: &Set| figure(&generated(images, &training, &held_out).unwrap(), DISTANCE).value;
        let best = distance(&real);
        let values = &real.values;
        let row = damage::SIDE * 3;
        let images: Vec<&[f32]> = values.chunks(damage::SIDE * row).collect();
        let upside_down = images.iter().flat_map(|image| image.chunks(row).rev().flatten()).copied();
        let damaged = [
            ("blurred", blurred(values)),
            ("noisy", noisy(values, 0.15)),
            ("checkered", checkered(values)),
            ("pale", changed(values, |value, _, _| 0.8 * value)),
            ("tinted", tinted(values, -0.2)),
            ("upside down", upside_down.collect()),
            ("superimposed", superimposed(&images)),
            ("three images only", few(values, 3)),
            ("one image only", few(values, 1)),
        ];
        for (name, damaged) in damaged {
            let found = distance(&Set { values: damaged, ..real });
            println!("{source}: {name} {found:.0}, real {best:.0}");
            assert!(found > 1.02 * best, "{source}: {name} {found:.0}, real {best:.0}");
        }
    }
}

#[test]
fn translations_are_held_against_sources_and_partners() {
    let sources = squares(24, 1);
    let negative = Set { values: sources.values.iter().map(|value| -value).collect(), ..sources.clone() };
    let judge = |translations: &Set, back: &Set| {
        translated(&Direction {
            name: "X to Y",
            sources: &sources,
            translations,
            back: Some(back),
            targets: &negative,
            partners: Some(&negative),
        })
        .unwrap()
    };
    let right = judge(&negative, &sources);
    let untouched = judge(&sources, &negative);
    assert_eq!(figure(&right, "X to Y: paired error").value, 0.0);
    assert_eq!(figure(&right, "X to Y: cycle error").value, 0.0);
    assert!(figure(&untouched, "X to Y: cycle error").value > 1.0);
    let paired = figure(&untouched, "X to Y: paired error");
    assert_eq!(Some(paired.value), paired.yardstick);
}

fn mewgan(folder: &TempDir, arguments: &str) -> Output {
    let arguments = arguments.split_whitespace();
    Command::new(env!("CARGO_BIN_EXE_mewgan")).current_dir(folder.path()).args(arguments).output().unwrap()
}

fn done(folder: &TempDir, arguments: &str) -> String {
    let output = mewgan(folder, arguments);
    assert!(output.status.success(), "{arguments}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

const DCGAN: &str = "--data builtin:noto/faces --size 16 --g-width 2 --d-width 2 --device cpu";
const CYCLEGAN: &str = "--x builtin:noto/animals --y builtin:twemoji/animals --size 16 --g-width 2 --d-width 2 \
                        --preset seed --batch 4 --device cpu";

#[test]
fn a_dcgan_is_judged_on_the_images_it_did_not_see() {
    let folder = tempdir().unwrap();
    done(&folder, &format!("train dcgan {DCGAN} --steps 2 --holdout 0.3 --out run"));
    let said = done(&folder, "evaluate run --device cpu --count 32");
    for part in [DISTANCE, DIVERSITY, NEAREST, "of held-out images", "two halves"] {
        assert!(said.contains(part), "{part:?} is not in: {said}");
    }
    let kept: serde_json::Value =
        serde_json::from_str(&fs::read_to_string(folder.path().join("run/evaluation.json")).unwrap())
            .unwrap();
    assert_eq!(kept["step"], 2);
    let output = mewgan(&folder, "evaluate run --paired --device cpu");
    assert!(!output.status.success() && String::from_utf8_lossy(&output.stderr).contains("CycleGAN"));
}

#[test]
fn a_cyclegan_is_judged_both_ways_and_against_partners() {
    let folder = tempdir().unwrap();
    done(&folder, &format!("train cyclegan {CYCLEGAN} --steps 2 --holdout 0.2 --out run"));
    let said = done(&folder, "evaluate run --paired --json --device cpu");
    let json: serde_json::Value = serde_json::from_str(&said).unwrap();
    let names: Vec<&str> =
        json["figures"].as_array().unwrap().iter().map(|figure| figure["name"].as_str().unwrap()).collect();
    for way in ["X to Y", "Y to X"] {
        for what in ["cycle error", "SWD x 1000", "paired error"] {
            assert!(names.contains(&format!("{way}: {what}").as_str()), "{way}: {what}: {names:?}");
        }
    }
}

#[test]
fn images_without_partners_are_named() {
    let folder = tempdir().unwrap();
    for name in ["x/1.png", "x/2.png", "y/2.png", "y/3.png"] {
        let path = folder.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        image::RgbImage::new(16, 16).save(path).unwrap();
    }
    let tiny = "--size 16 --g-width 2 --d-width 2 --batch 2 --device cpu";
    done(&folder, &format!("train cyclegan --x x --y y {tiny} --steps 1 --out run"));
    let output = mewgan(&folder, "evaluate run --paired --device cpu");
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(error.contains("Y (y) has no partner named 1 for X's image 1.png"), "{error}");
}

#[test]
fn experiments_leave_a_page_and_go_on_where_they_were() {
    let folder = tempdir().unwrap();
    // What is judged here is the page: few images are judged sooner.
    fs::create_dir(folder.path().join("few")).unwrap();
    for name in 0..8 {
        let path = folder.path().join(format!("few/{name}.png"));
        image::RgbImage::from_fn(16, 16, |x, y| image::Rgb([x as u8 * 9, y as u8 * 9, name * 30]))
            .save(path)
            .unwrap();
    }
    let small = "--size 16 --g-width 2 --d-width 2 --batch 4 --device cpu";
    let (dcgan, cyclegan) = (format!("--data few {small}"), format!("--x few --y few --preset seed {small}"));
    for (command, runs) in [
        (
            format!("experiment augmentation {dcgan} --steps 2 --out e1"),
            &["basic", "deluxe", "diffaugment"][..],
        ),
        (format!("experiment cycle {cyclegan} --steps 2 --out e2"), &["with", "without"]),
    ] {
        let said = done(&folder, &command);
        let out = folder.path().join(&command[command.len() - 2..]);
        let page = fs::read_to_string(out.join("index.html")).unwrap();
        assert_eq!(page.matches("\"evaluation\":{").count(), runs.len(), "every run is judged");
        assert!(page.contains("data:image/png;base64,") && page.contains("\"title\":\"Losses\""));
        for run in runs {
            assert!(out.join(run).join("checkpoints/000002.safetensors").is_file(), "{run}: {said}");
        }
        // A second time there is nothing left to train.
        assert!(!done(&folder, &command).contains("steps/s"), "{command}");
        let other = mewgan(&folder, &format!("{command} --lr 0.5"));
        let error = String::from_utf8_lossy(&other.stderr);
        assert!(error.contains("lr is") && error.contains("not 0.5); choose another --out"), "{error}");
        // A run that was ended before its first checkpoint starts anew.
        fs::remove_dir_all(out.join(runs[0]).join("checkpoints")).unwrap();
        assert!(done(&folder, &command).contains("step 2/2"), "{command}");
    }
    let refused = mewgan(&folder, &format!("experiment cycle {cyclegan} --lambda-cycle 0 --out e3"));
    assert!(String::from_utf8_lossy(&refused.stderr).contains("compares with"));
    let refused = mewgan(&folder, &format!("experiment augmentation {dcgan} --augment deluxe --out e3"));
    assert!(String::from_utf8_lossy(&refused.stderr).contains("what this experiment varies"));
}

#[test]
fn two_folders_are_compared_without_a_run() {
    let folder = tempdir().unwrap();
    let said = done(&folder, "evaluate builtin:noto/animals builtin:noto/animals --size 16");
    assert!(
        said.contains("sliced Wasserstein distance x 1000 at 16 pixels") && said.contains("of the real"),
        "{said}"
    );
    let others =
        done(&folder, "evaluate builtin:twemoji/faces builtin:noto/animals --size 16 --json --count 20");
    let value = |said: &str| -> f64 {
        let said: serde_json::Value = serde_json::from_str(said).unwrap();
        let figures = said["figures"].as_array().unwrap().clone();
        figures.iter().find(|figure| figure["name"] == DISTANCE).unwrap()["value"].as_f64().unwrap()
    };
    let same =
        done(&folder, "evaluate builtin:noto/animals builtin:noto/animals --size 16 --json --count 20");
    assert!(value(&others) > value(&same));
    let refused = mewgan(&folder, "evaluate missing builtin:noto/animals");
    assert!(String::from_utf8_lossy(&refused.stderr).contains("missing"));
    #[cfg(not(feature = "fid"))]
    {
        let refused =
            mewgan(&folder, "evaluate builtin:noto/animals builtin:noto/animals --features net.onnx");
        assert!(String::from_utf8_lossy(&refused.stderr).contains("--features fid"));
    }
}
