//! Promise: a run becomes a static site, of programs that stay within what every browser's WebGPU allows and that are data
//! enough to be read again. What the page makes of them is tested in a browser, by tests/interop/test_web.py.

use mewgan::gpu::program::{Buffer, Program};
use serde_json::Value;
use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use tempfile::{TempDir, tempdir};

const TINY: [&str; 16] = [
    "--size",
    "16",
    "--batch",
    "4",
    "--steps",
    "2",
    "--g-width",
    "4",
    "--d-width",
    "4",
    "--device",
    "cpu",
    "--log-every",
    "1",
    "--sample-every",
    "2",
];

fn mewgan(folder: &Path, arguments: &[&str]) -> (bool, String) {
    let output =
        Command::new(env!("CARGO_BIN_EXE_mewgan")).current_dir(folder).args(arguments).output().unwrap();
    let text = [output.stdout, output.stderr].concat();
    (output.status.success(), String::from_utf8(text).unwrap())
}

fn done(folder: &Path, arguments: &[&str]) -> String {
    let (success, text) = mewgan(folder, arguments);
    assert!(success, "{arguments:?}: {text}");
    text
}

fn refused(folder: &Path, arguments: &[&str]) -> String {
    let (success, text) = mewgan(folder, arguments);
    assert!(!success && text.contains("error: ") && !text.contains("panicked"), "{arguments:?}: {text}");
    text
}

/// A folder with a run of either kind, called `run`.
fn run(kind: &str, more: &[&str]) -> TempDir {
    let folder = tempdir().unwrap();
    let sets: &[&str] = match kind {
        "dcgan" => &["--data", "builtin:noto/animals"],
        _ => &["--x", "builtin:noto/animals", "--y", "builtin:twemoji/animals"],
    };
    done(folder.path(), &[&["train", kind, "--out", "run"], sets, &TINY, more].concat());
    folder
}

fn manifest(site: &Path) -> Value {
    serde_json::from_slice(&fs::read(site.join("model.json")).unwrap()).unwrap()
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let mut all = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { all.extend(files(&path)) } else { all.push(path) }
    }
    all
}

/// Every program of a site, read again.
fn programs(site: &Path) -> Vec<Program> {
    let programs = files(&site.join("programs"));
    programs.iter().map(|path| serde_json::from_slice(&fs::read(path).unwrap()).unwrap()).collect()
}

#[test]
fn a_site_has_all_its_steps_and_their_state() {
    for (kind, steps) in [
        ("dcgan", &["sample_sixteen", "sample_one", "discriminator_step", "generator_step"][..]),
        ("cyclegan", &["to_Y", "to_X"]),
    ] {
        let folder = run(kind, &[]);
        let said = done(folder.path(), &["export", "web", "run", "--out", "site"]);
        assert!(said.contains("python3 -m http.server"), "{said}");
        let site = folder.path().join("site");
        let model = manifest(&site);
        let parts = model["parts"].as_array().unwrap();
        let named = parts.iter().flat_map(|part| part["steps"].as_array().unwrap());
        assert_eq!(named.map(|step| step.as_str().unwrap()).collect::<Vec<_>>(), steps);
        assert_eq!((model["kind"].as_str(), model["step"].as_u64()), (Some(kind), Some(2)));

        let mut written = BTreeSet::new();
        for part in parts {
            let path = site.join(format!("state/{}.safetensors", part["name"].as_str().unwrap()));
            let bytes = fs::read(path).unwrap();
            let state = safetensors::SafeTensors::deserialize(&bytes).unwrap();
            for (name, tensor) in state.tensors() {
                let buffer: usize = name.strip_prefix("buffer.").unwrap().parse().unwrap();
                assert_eq!(tensor.shape(), [model["buffers"][buffer].as_u64().unwrap() as usize]);
                assert!(written.insert(buffer), "state buffer {buffer} is written once");
            }
        }
        let programs = programs(&site);
        assert_eq!(programs.len(), 2 * steps.len());
        // What draws and translates works on weights and statistics alone, all of which must have come along.
        let buffers: BTreeSet<usize> = programs
            .iter()
            .filter(|program| program.name.starts_with("sample") || program.name.starts_with("to_"))
            .flat_map(|program| program.dispatches.iter().flat_map(|dispatch| &dispatch.bindings))
            .filter_map(|region| if let Buffer::State(buffer) = region.buffer { Some(buffer) } else { None })
            .collect();
        assert!(!buffers.is_empty() && buffers.is_subset(&written), "{buffers:?} {written:?}");
    }
}

#[test]
fn programs_keep_to_what_every_browser_allows() {
    let folder = run("dcgan", &[]);
    done(folder.path(), &["export", "web", "run", "--out", "site"]);
    for program in programs(&folder.path().join("site")) {
        for dispatch in &program.dispatches {
            assert!(dispatch.bindings.len() <= 8, "{}", program.kernel(dispatch));
            assert!(dispatch.workgroups.iter().all(|&extent| (1..=65_535).contains(&extent)));
            for region in &dispatch.bindings {
                assert!(region.offset.is_multiple_of(256) && region.size <= 128 << 20);
            }
        }
    }
}

#[test]
fn images_are_in_a_site_only_as_asked_for() {
    let folder = run("dcgan", &[]);
    let export = |out: &str, count: &str| {
        done(folder.path(), &["export", "web", "run", "--out", out, "--images", count])
    };
    let said = export("some", "5");
    assert!(said.contains("contains 5 of the images the run trains on"), "{said}");
    let sheet = image::open(folder.path().join("some/images/training.png")).unwrap();
    let side =
        manifest(&folder.path().join("some"))["details"]["training"]["images"]["size"][1].as_u64().unwrap();
    assert_eq!(u64::from(sheet.width()), 5 * side);

    let said = export("none", "0");
    assert!(said.contains("contains none of the run's images"), "{said}");
    let none = folder.path().join("none");
    assert!(files(&none).iter().all(|path| path.extension().is_none_or(|extension| extension != "png")));
    assert!(manifest(&none)["details"]["training"].is_null());
    assert!(!none.join("state/training.safetensors").exists());
}

/// Where a run's images lie, and what else only its owner need know, stays out.
#[test]
fn a_site_tells_nothing_of_the_machine() {
    let folder = run("dcgan", &[]);
    let images = folder.path().join("private-images");
    fs::create_dir(&images).unwrap();
    for index in 0..4 {
        image::RgbImage::from_pixel(16, 16, image::Rgb([60 * index; 3]))
            .save(images.join(format!("secret-{index}.png")))
            .unwrap();
    }
    let own = [&["train", "dcgan", "--out", "own", "--data", "private-images"][..], &TINY].concat();
    done(folder.path(), &own);
    done(folder.path(), &["export", "web", "own", "--out", "site"]);
    for path in files(&folder.path().join("site")) {
        let content = String::from_utf8_lossy(&fs::read(&path).unwrap()).into_owned();
        assert!(!content.contains("private-images") && !content.contains("secret-"), "{}", path.display());
    }

    fs::remove_dir_all(&images).unwrap();
    let said = refused(folder.path(), &["export", "web", "own", "--out", "again"]);
    assert!(said.contains("private-images") && said.contains("--images 0"), "{said}");
    done(folder.path(), &["export", "web", "own", "--out", "without", "--images", "0"]);
}

#[test]
fn what_cannot_be_is_refused() {
    let folder = run("dcgan", &[]);
    done(folder.path(), &["export", "web", "run", "--out", "site", "--images", "0"]);
    let said = refused(folder.path(), &["export", "web", "run", "--out", "site"]);
    assert!(said.contains("site: not empty; choose another --out"), "{said}");
    let said = refused(folder.path(), &["export", "web", "nothing", "--out", "other"]);
    assert!(said.contains("nothing: no such folder"), "{said}");
    let said = refused(folder.path(), &["export", "web", "run", "--out", "other", "--checkpoint", "1"]);
    assert!(said.contains("no checkpoint of step 1; there are 2"), "{said}");
    let said = refused(folder.path(), &["export", "web", "run", "--out", "run/config.toml"]);
    assert!(said.contains("config.toml"), "{said}");
    assert!(!folder.path().join("other").exists(), "nothing is left of what was refused");
}
