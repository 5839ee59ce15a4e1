//! What errors say, and how they are told apart: the library names settings, and the command line makes flags of them.

use mewgan::Error;
use mewgan::data::{Images, LoadOptions};
use mewgan::models::cyclegan::{CycleGanConfig, CycleGanSettings};
use mewgan::models::dcgan;
use mewgan::models::dcgan::{DcganConfig, DcganSettings};
use mewgan::train::checkpoint::Checkpoint;
use mewgan::train::config::{CommonSettings, RunConfig};
use std::fs;
use std::path::Path;
use tempfile::tempdir;

/// Texts of the library that are for people at a command line: commands on a run's page, and advice to its signs of trouble.
const FOR_THE_COMMAND_LINE: [&str; 5] = [
    "models/cyclegan/mod.rs",
    "models/dcgan/mod.rs",
    "models/pix2pix/mod.rs",
    "train/reporting.rs",
    "train/diagnostics/finding.rs",
];

fn search(folder: &Path, found: &mut Vec<String>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let leave_out =
            FOR_THE_COMMAND_LINE.iter().any(|end| path.ends_with(end)) || path.ends_with("src/cli");
        if leave_out {
            continue;
        }
        if path.is_dir() {
            search(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let text = fs::read_to_string(&path).unwrap();
            let code = text.lines().filter(|line| !line.trim_start().starts_with("//"));
            let flag = |line: &&str| {
                line.match_indices("--")
                    .any(|(at, _)| line[at + 2..].starts_with(|c: char| c.is_ascii_lowercase()))
            };
            found.extend(code.filter(flag).map(|line| format!("{}: {}", path.display(), line.trim())));
        }
    }
}

/// A remedy is a setting's name in backticks, as in "use a smaller `batch`".
#[test]
fn the_library_speaks_of_no_flags() {
    let mut found = Vec::new();
    search(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), &mut found);
    assert_eq!(found, [""; 0]);
}

fn dcgan(text: &str) -> mewgan::Result<DcganConfig> {
    DcganConfig::from_toml(text, Path::new("settings.toml"))
}

#[test]
fn a_setting_that_cannot_be_is_matched_by_its_name() {
    let cyclegan = |text: &str| CycleGanConfig::from_toml(text, Path::new("settings.toml")).map(drop);
    for (error, expected) in [
        (dcgan("batch = 0").unwrap_err(), "batch"),
        (dcgan("size = 50").unwrap_err(), "size"),
        (dcgan("size = 16\nexcite = true").unwrap_err(), "excite"),
        (dcgan("r1 = 1.0\nd_norm = \"batch\"").unwrap_err(), "r1"),
        (cyclegan("scales = 8\nsize = 64").unwrap_err(), "scales"),
        (cyclegan("d_fake_every = 2").unwrap_err(), "d_fake_every"),
        (
            CycleGanConfig::new(
                CycleGanSettings {
                    common: CommonSettings { size: Some(30.into()), ..Default::default() },
                    ..Default::default()
                },
                Default::default(),
            )
            .unwrap_err(),
            "size",
        ),
    ] {
        let text = error.to_string();
        assert!(matches!(error, Error::Setting { name, .. } if name == expected), "{text}");
    }
    let text = dcgan("batch = 0").unwrap_err().to_string();
    assert_eq!(text, "settings.toml: batch is 0; choose one from 1 to 65536");
    // From a file, and from one that flags replace.
    let folder = tempdir().unwrap();
    let path = folder.path().join("own.toml");
    fs::write(&path, "lr = 0.0").unwrap();
    let error = <DcganConfig as RunConfig>::from_file(&path, DcganSettings::default()).unwrap_err();
    assert!(error.to_string().contains("own.toml: lr is 0"), "{error}");
    assert!(matches!(error, Error::Setting { name: "lr", .. }));
}

#[test]
fn kinds_are_told_apart() {
    let folder = tempdir().unwrap();
    let memory = dcgan("data = \"builtin:noto/animals\"\nmemory_limit = 1\ndevice = \"cpu\"").unwrap();
    let error = dcgan::Plan::start(memory, Some(&folder.path().join("run"))).map(drop).unwrap_err();
    assert!(matches!(error, Error::Memory(_)), "{error}");
    assert!(error.to_string().contains("(`memory_limit`)"), "{error}");

    let path = folder.path().join("a.safetensors");
    fs::write(&path, "nothing").unwrap();
    let error = Checkpoint::open(&path).map(drop).unwrap_err();
    assert!(matches!(error, Error::Checkpoint { .. }), "{error}");

    let path = folder.path().join("bad.png");
    fs::write(&path, "nothing").unwrap();
    let options = LoadOptions::new(8.into(), 3);
    let error = Images::load(folder.path().to_str().unwrap(), &options).map(drop).unwrap_err();
    assert!(matches!(&error, Error::Images { bad, .. } if bad.len() == 1), "{error}");
    assert!(error.to_string().contains("set `skip_bad`"), "{error}");
}
