//! `config.toml`.

use super::{Row, assert_says, folder_with, refused, row};
use mewgan::models::cyclegan::{CycleGanConfig, CycleGanSettings};
use mewgan::models::dcgan::{DcganConfig, DcganSettings};
use mewgan::train::config::ModelSettings;
use mewgan::train::config::RunConfig;
use std::fs;

/// What is wrong in settings of either kind.
fn common() -> Vec<Row> {
    vec![
        row("no TOML", "size: 64", &["line 1", "size: 64"]),
        row("an image", b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR".to_vec(), &["not a text in UTF-8", "byte 0"]),
        row("zeros", [0; 100], &["TOML parse error"]),
        row("text without end", "#".repeat(2 << 20), &["longer than 1 MiB", "is it the right one?"]),
        row("nested without end", format!("size = {}", "[".repeat(100_000)), &["TOML parse error"]),
        row("a letter too few", "bath = 4", &["bath (did you mean batch?)", "help train"]),
        row("letters swapped", "widht = 4", &["did you mean g_width or d_width?"]),
        row("a hyphen", "g-width = 4", &["did you mean g_width?"]),
        row("a setting of nothing", "colour_of_the_sky = 4", &["unknown settings for", "colour_of_the_sky"]),
        row("a vast name", format!("{} = 4", "x".repeat(100_000)), &["unknown settings for"]),
        row("several", "bath = 4\nsise = 3", &["batch", "sise (did you mean size?)"]),
        row("a section", "[train]\nsize = 64", &["unknown settings for", "train"]),
        row("one twice", "size = 64\nsize = 32", &["duplicate key", "line 2"]),
        row("a text for a number", "batch = \"64\"", &["line 1", "invalid type: string", "usize"]),
        row("a number for a text", "device = 1", &["line 1", "invalid type: integer", "string"]),
        row("a part for a whole", "size = 64.5", &["line 1", "invalid type: floating point"]),
        row("below 0", "steps = -1", &["steps", "-1"]),
        row("beyond numbers", "steps = 99999999999999999999", &["99999999999999999999"]),
        row("none at all", "steps = 0", &["steps is 0", "1 or more"]),
        row("not a number", "lr = nan", &["lr is NaN", "above 0"]),
        row("without end", "lr = inf", &["lr is inf", "above 0"]),
        row("too small to count", "eps = 1e-60", &["eps is", "above 0"]),
        row("a negative weight", "r1 = -1.0", &["r1 is -1", "0 (off)"]),
        row("an unknown word", "norm = \"bach\"", &["line 1", "bach", "\"batch\""]),
        row("an unknown part", "diffaugment = [\"colour\"]", &["colour", "\"color\""]),
        row("an unknown preset", "preset = \"best\"", &["best", "\"small\""]),
        row("steps and epochs", "steps = 4\nepochs = 2", &["both steps and epochs", "remove one"]),
        row("no batch", "batch = 0", &["batch is 0", "1 to 65536"]),
        row("too wide", "g_width = 5000", &["g_width is 5000", "1 to 4096"]),
        row("a channel too few", "channels = 2", &["channels is 2", "3 for colour, 1 for grey"]),
        row("a vast seed", "seed = 9223372036854775808", &["9223372036854775808"]),
        row("all held out", "holdout = 1.0", &["holdout is 1", "below 1"]),
        row("spectral generators", "norm = \"spectral\"", &["norm is spectral", "--d-norm spectral"]),
        row("a penalty without a way", "r1 = 1.0\nd_norm = \"batch\"", &["r1 is 1", "--r1 0"]),
    ]
}

fn of_dcgan() -> Vec<Row> {
    vec![
        row("CycleGAN's", "lambda_cycle = 3.0\nbath = 4", &["lambda_cycle (a setting of cyclegan)", "batch"]),
        row("halved to nothing whole", "size = 50", &["size 50", "48"]),
        row("vast images", "size = 1048576", &["size is 1048576", "6 to 2048"]),
        row("nothing to excite", "size = 16\nexcite = true", &["excite", "--size"]),
    ]
}

fn of_cyclegan() -> Vec<Row> {
    vec![
        row("DCGAN's", "noise_size = 3", &["noise_size (a setting of dcgan)"]),
        row("two kinds at once", "data = \"a\"\nx = \"b\"", &["data (a setting of dcgan)"]),
        row("no multiple of four", "size = 30", &["size 30", "32"]),
        row("too small for patches", "size = 16\ndiscriminator = \"patch70\"", &["size 16", "24 pixels"]),
        row("too many scales", "size = 64\nscales = 8", &["scales is 8", "--scales"]),
        row(
            "fakes without their step",
            "d_fake_every = 2\nupdates = \"generators-first\"",
            &["d_fake_every is 2", "--updates apart"],
        ),
        row(
            "a fall without a slope",
            "schedule = \"constant\"\ndecay_from = 3",
            &["decay_from is 3", "linear"],
        ),
    ]
}

/// What the library says where the program says `part`: the setting instead of its flag.
fn named(part: &str) -> String {
    let Some(flag) = part.strip_prefix("--") else { return part.into() };
    let (name, value) = flag.split_at(flag.find(' ').unwrap_or(flag.len()));
    format!("`{}`{value}", name.replace('-', "_"))
}

#[test]
fn are_refused() {
    let own = [("dcgan", of_dcgan()), ("cyclegan", of_cyclegan())];
    for (kind, rows) in own {
        for row in common().iter().chain(&rows) {
            let (folder, path) = folder_with("bad.toml", &row.content);
            let error = refused(folder.path(), &["train", kind, "--config", "bad.toml"]);
            assert_says(row, "bad.toml", &error);
            assert!(!folder.path().join("runs").exists(), "{}: a refused run leaves no folder", row.what);
            let error = match kind {
                "dcgan" => DcganSettings::read(&path)
                    .and_then(|file| DcganConfig::new(file, DcganSettings::default()).map(drop)),
                _ => CycleGanSettings::read(&path)
                    .and_then(|file| CycleGanConfig::new(file, CycleGanSettings::default()).map(drop)),
            };
            let error = error.expect_err(row.what).to_string();
            assert!(!error.contains("--"), "the library knows no flags: {error}");
            for part in row.says.iter().map(|part| named(part)) {
                assert!(error.contains(&part), "{}: {part:?} is not in: {error}", row.what);
            }
        }
    }
}

#[test]
fn of_a_run_are_refused_by_name() {
    for row in common().iter().chain(&of_dcgan()) {
        let (folder, _) = folder_with("config.toml", &row.content);
        assert_says(row, "config.toml", &refused(folder.path(), &["resume", "."]));
    }
    for row in of_cyclegan() {
        let mut row = row;
        row.content.extend(b"\n");
        let text = [&b"y = \"builtin:noto\"\n"[..], &row.content].concat();
        let (folder, path) = folder_with("config.toml", &text);
        assert_says(&row, "config.toml", &refused(folder.path(), &["resume", "."]));
        fs::remove_file(path).unwrap();
        let error = refused(folder.path(), &["resume", "."]);
        assert!(error.contains("not a run's folder"), "{error}");
    }
}
