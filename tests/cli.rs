//! What the command line says and leaves behind, through the program itself.

#[cfg(unix)]
use crate::support::signals::with_signals;
use mewgan::device::Device;
use mewgan::report::tensorboard;
use std::fs;
use std::path::Path;
use std::process::{Command, Output, Stdio};
use tempfile::{TempDir, tempdir};

const TINY: [&str; 16] = [
    "--preset",
    "seed",
    "--data",
    "builtin:noto/animals",
    "--size",
    "8",
    "--g-width",
    "2",
    "--d-width",
    "2",
    "--noise-size",
    "4",
    "--device",
    "cpu",
    "--log-every",
    "2",
];

fn mewgan(folder: &TempDir, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_mewgan"));
    command.current_dir(folder.path()).args(arguments);
    command
}

/// The output of a command that has to succeed.
fn done(folder: &TempDir, arguments: &[&str]) -> String {
    let output = mewgan(folder, arguments).output().unwrap();
    assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

/// The error of a command that has to fail with exit code `code`.
fn refused(folder: &TempDir, arguments: &[&str], code: i32) -> String {
    let Output { status, stderr, .. } = mewgan(folder, arguments).output().unwrap();
    let stderr = String::from_utf8(stderr).unwrap();
    assert_eq!(status.code(), Some(code), "{arguments:?}: {stderr}");
    assert!(stderr.starts_with("error: "), "{stderr}");
    assert!(!stderr.contains("panicked"), "{stderr}");
    stderr
}

fn train<'a>(more: &[&'a str]) -> Vec<&'a str> {
    [&["train", "dcgan"][..], &TINY, more].concat()
}

fn assert_says(text: &str, parts: &[&str]) {
    for part in parts {
        assert!(text.contains(part), "{part:?} is not in: {text}");
    }
}

#[test]
fn wrong_settings_are_refused_with_a_remedy() {
    let folder = tempdir().unwrap();
    let refuse = |more: &[&str], code| refused(&folder, &[&["train", "dcgan"], more].concat(), code);
    assert_says(&refuse(&["--preset", "best"], 2), &["best", "small", "seed", "course", "paper"]);
    assert_says(&refuse(&["--steps", "3", "--epochs", "3"], 2), &["--steps", "--epochs"]);
    assert_says(&refuse(&["--size", "50"], 1), &["size 50", "48"]);
    assert_says(&refuse(&["--lr", "0"], 1), &["lr is 0", "above 0"]);
    assert_says(&refuse(&["--eps", "1e-60"], 1), &["eps is", "above 0"]);
    assert_says(&refuse(&["--beta2", "0.9999999999"], 1), &["beta2 is", "below 1"]);
    assert_says(&refuse(&["--device", "abacus"], 1), &["abacus", "mewgan devices"]);
    assert_says(&refuse(&["--config", "none.toml"], 1), &["none.toml"]);
    fs::write(folder.path().join("typo.toml"), "batch = 4\nwidht = 3\n").unwrap();
    assert_says(&refuse(&["--config", "typo.toml"], 1), &["typo.toml", "widht", "g_width"]);
    assert!(!folder.path().join("runs").exists(), "a refused run leaves no folder");
}

#[test]
fn unusable_images_are_refused_with_a_remedy() {
    let folder = tempdir().unwrap();
    fs::create_dir(folder.path().join("empty")).unwrap();
    let refuse = |more: &[&str]| refused(&folder, &[&["train", "dcgan"], more].concat(), 1);
    assert_says(&refuse(&["--data", "nowhere"]), &["nowhere", "no such folder", "builtin:noto"]);
    assert_says(&refuse(&["--data", "empty"]), &["empty", "no images"]);
    assert_says(&refuse(&["--data", "builtin:cats"]), &["builtin:cats", "builtin:noto/animals"]);
    let few = refuse(&["--data", "builtin:noto/animals", "--batch", "131"]);
    assert_says(&few, &["130 images", "131", "--batch 130"]);
}

#[test]
fn unreadable_images_can_be_skipped() {
    let folder = tempdir().unwrap();
    let images = folder.path().join("images");
    fs::create_dir(&images).unwrap();
    for name in 0..4 {
        image::RgbImage::new(20, 10).save(images.join(format!("{name}.png"))).unwrap();
    }
    fs::write(images.join("bad.png"), "no image").unwrap();
    let run = |more: &[&'static str]| {
        let own = ["--data", "images", "--batch", "2", "--steps", "1", "--out", "run"];
        [&train(&[])[..2], &own, &TINY[4..], more].concat()
    };
    assert_says(&refused(&folder, &run(&[]), 1), &["bad.png", "--skip-bad"]);
    let said = done(&folder, &run(&["--skip-bad", "--fit", "stretch"]));
    assert_says(&said, &["4 images", "1 skipped", "bad.png"]);
}

#[test]
fn what_is_damaged_or_left_out_is_told_of() {
    let folder = tempdir().unwrap();
    let images = folder.path().join("images");
    fs::create_dir(&images).unwrap();
    for name in ["a.png", "b.jpg", "c.jfif"] {
        let format = if name == "a.png" { image::ImageFormat::Png } else { image::ImageFormat::Jpeg };
        image::RgbImage::new(20, 10).save_with_format(images.join(name), format).unwrap();
    }
    let whole = fs::read(images.join("b.jpg")).unwrap();
    fs::write(images.join("b.jpg"), &whole[..whole.len() - 2]).unwrap();
    fs::write(images.join("d.avif"), "").unwrap();
    let own = ["--data", "images", "--batch", "2", "--steps", "1", "--out", "run"];
    let said = done(&folder, &[&train(&[])[..2], &own, &TINY[4..]].concat());
    assert_says(
        &said,
        &["3 images", "1 with warnings", "b.jpg", "without its end marker", "1 .avif left out"],
    );
}

#[test]
fn a_run_leaves_what_it_promises() {
    let folder = tempdir().unwrap();
    let said = done(&folder, &train(&["--steps", "4", "--sample-every", "2"]));
    assert!(said.starts_with("CPU reference"), "the first line says what it runs on: {said}");
    assert_says(
        &said,
        &["130 images", "step 2/4  D ", "  G ", "steps/s", "left", "mewgan sample runs/dcgan-1"],
    );
    let run = folder.path().join("runs/dcgan-1");
    for file in [
        "config.toml",
        "metrics.jsonl",
        "losses.svg",
        "report.html",
        "starts.json",
        "progress.gif",
        "samples/000000.png",
        "samples/000002.png",
        "samples/000004.png",
        "checkpoints/000004.safetensors",
    ] {
        assert!(run.join(file).is_file(), "{file}");
    }
    let events = |run: &str| tensorboard::files(&folder.path().join(run)).unwrap().len();
    assert_eq!(events("runs/dcgan-1"), 1);
    assert_says(&done(&folder, &train(&["--steps", "1", "--no-tensorboard"])), &["runs/dcgan-2"]);
    assert_eq!(events("runs/dcgan-2"), 0);
    let again = refused(&folder, &train(&["--steps", "1", "--out", "runs/dcgan-1"]), 1);
    assert_says(&again, &["runs/dcgan-1", "--out", "mewgan resume runs/dcgan-1"]);
    let said = done(&folder, &["train", "dcgan", "--config", "runs/dcgan-1/config.toml", "--out", "again"]);
    assert_says(&said, &["step 4/4"]);
    let checkpoint = |run: &Path| fs::read(run.join("checkpoints/000004.safetensors")).unwrap();
    assert!(checkpoint(&run) == checkpoint(&folder.path().join("again")));
}

#[test]
fn samples_are_those_of_the_run_whatever_the_count() {
    let folder = tempdir().unwrap();
    done(&folder, &train(&["--steps", "3", "--out", "run"]));
    done(&folder, &["sample", "run", "--out", "grid.png"]);
    let read = |path: &str| fs::read(folder.path().join(path)).unwrap();
    assert!(read("grid.png") == read("run/samples/000003.png"), "the run's own seed draws its sample grid");
    done(&folder, &["sample", "run", "--count", "20", "--out", "many"]);
    done(&folder, &["sample", "run/checkpoints/000003.safetensors", "--count", "3", "--out", "few"]);
    for image in ["0000.png", "0001.png", "0002.png"] {
        assert!(read(&format!("many/{image}")) == read(&format!("few/{image}")));
    }
    assert!(folder.path().join("many/0019.png").is_file() && !folder.path().join("few/0003.png").exists());
    done(&folder, &["sample", "run", "--statistics", "running", "--seed", "5", "--out", "running.png"]);
    assert!(read("running.png") != read("grid.png"));
    done(&folder, &["sample", "run", "--count", "9", "--columns", "4", "--interpolate", "--out", "path"]);
    done(&folder, &["sample", "run", "--checkpoint", "3", "--out", "third.png"]);
    let missing = refused(&folder, &["sample", "run", "--checkpoint", "2", "--out", "second.png"], 1);
    assert_says(&missing, &["no checkpoint of step 2", "there are 3"]);
}

#[test]
fn resume_says_what_it_cannot_use() {
    let folder = tempdir().unwrap();
    assert_says(&refused(&folder, &["resume", "nowhere"], 1), &["nowhere", "no such folder"]);
    fs::create_dir(folder.path().join("other")).unwrap();
    assert_says(&refused(&folder, &["resume", "other"], 1), &["not a run's folder"]);
    done(&folder, &train(&["--steps", "4", "--checkpoint-every", "2", "--out", "run"]));
    assert_says(&refused(&folder, &["resume", "run"], 1), &["finished at step 4", "--steps"]);
    let newest = folder.path().join("run/checkpoints/000004.safetensors");
    let whole = fs::read(&newest).unwrap();
    fs::write(&newest, &whole[..whole.len() / 2]).unwrap();
    let said = done(&folder, &["resume", "run"]);
    assert_says(&said, &["000004.safetensors", "damaged", "continues after step 2"]);
    assert!(fs::read(&newest).unwrap() == whole, "it repeats what was lost");
    assert!(newest.with_extension("safetensors.unreadable").is_file(), "nothing takes it for a checkpoint");
    fs::remove_dir_all(folder.path().join("run/checkpoints")).unwrap();
    assert_says(&refused(&folder, &["resume", "run"], 1), &["no checkpoint", "--config run/config.toml"]);
}

#[test]
fn a_run_that_ended_before_its_first_checkpoint_begins_again() {
    let folder = tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    done(&folder, &train(&["--steps", "4", "--out", "whole"]));
    // Nothing but its settings, and some log lines.
    fs::create_dir(path("begun")).unwrap();
    fs::copy(path("whole/config.toml"), path("begun/config.toml")).unwrap();
    fs::copy(path("whole/metrics.jsonl"), path("begun/metrics.jsonl")).unwrap();
    assert_says(&done(&folder, &["resume", "begun"]), &["before its first checkpoint: begins again"]);
    let last = |run: &str| fs::read(path(run).join("checkpoints/000004.safetensors")).unwrap();
    assert!(last("begun") == last("whole"));
    // Not even those.
    fs::create_dir(path("torn")).unwrap();
    fs::write(path("torn/config.toml.partial"), "preset = ").unwrap();
    assert_says(&refused(&folder, &["resume", "torn"], 1), &["not a run's folder"]);
    done(&folder, &train(&["--steps", "4", "--out", "torn"]));
    assert!(last("torn") == last("whole") && !path("torn/config.toml.partial").exists());
}

#[test]
fn memory_is_planned_before_it_is_taken() {
    let folder = tempdir().unwrap();
    let wide = ["train", "dcgan", "--preset", "seed", "--size", "64", "--batch", "128", "--device", "cpu"];
    let over = refused(&folder, &[&wide[..], &["--memory-limit", "100"]].concat(), 1);
    assert_says(
        &over,
        &["MiB of memory (4 of them for its images), over the limit of 100", "--batch ", "would fit"],
    );
    let vast = ["--preset", "paper", "--g-width", "4096", "--d-width", "4096", "--size", "2048"];
    let vast = refused(&folder, &[&["train", "dcgan", "--device", "cpu"][..], &vast].concat(), 1);
    assert_says(&vast, &["MiB of this machine", "--g-width"]);
    assert!(!folder.path().join("runs").exists(), "a refused run leaves no folder");
}

#[test]
fn a_run_that_diverges_stops() {
    let folder = tempdir().unwrap();
    let error = refused(&folder, &train(&["--steps", "400", "--lr", "1e30", "--out", "run"]), 1);
    assert_says(&error, &["diverged", "--lr"]);
}

#[cfg(unix)]
#[test]
fn an_interrupted_run_can_go_on() {
    let folder = tempdir().unwrap();
    let endless = ["--steps", "--sample-every", "--checkpoint-every"].map(|flag| [flag, "1000000"]);
    let endless = train(&[&endless.concat()[..], &["--out", "run"]].concat());
    let child = with_signals(&mut mewgan(&folder, &endless), &[]).stdout(Stdio::piped()).spawn().unwrap();
    let metrics = folder.path().join("run/metrics.jsonl");
    while !fs::metadata(&metrics).is_ok_and(|metadata| metadata.len() > 0) {
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
    assert_says(&refused(&folder, &["resume", "run"], 1), &["run: another process is training in it"]);
    let id = child.id().to_string();
    assert!(Command::new("kill").args(["-INT", &id]).status().unwrap().success());
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(130));
    let said = String::from_utf8(output.stdout).unwrap();
    assert_says(&said, &["stopped after step", "continue with: mewgan resume run"]);
    let checkpoints = fs::read_dir(folder.path().join("run/checkpoints")).unwrap();
    let step = |path: std::path::PathBuf| path.file_stem()?.to_str()?.parse::<u64>().ok();
    let step = checkpoints.filter_map(|entry| step(entry.unwrap().path())).max().unwrap();
    let said = done(&folder, &["resume", "run", "--steps", &(step + 3).to_string()]);
    assert_says(&said, &[&format!("continues after step {step}"), &format!("step {0}/{0}", step + 3)]);
}

#[test]
fn the_demo_runs_once() {
    let folder = tempdir().unwrap();
    let demo = ["demo", "--steps", "1", "--device", "cpu"];
    assert_says(&done(&folder, &demo), &["runs/demo/samples/000001.png"]);
    assert_says(&refused(&folder, &demo, 1), &["runs/demo", "--force"]);
    let run = folder.path().join("runs/demo");
    let typo = refused(&folder, &["demo", "--force", "--steps", "1", "--device", "abacus"], 1);
    assert_says(&typo, &["abacus"]);
    assert!(run.join("checkpoints/000001.safetensors").is_file(), "a typo costs no run");
    for left in ["evaluation.json", "config.toml.partial", "samples/000003.png.partial"] {
        fs::write(run.join(left), "{}").unwrap();
    }
    done(&folder, &[&demo[..], &["--force"]].concat());
    assert!(!run.join("evaluation.json").exists(), "figures of the old run");
}

#[test]
fn devices_name_the_one_auto_picks() {
    let folder = tempdir().unwrap();
    let said = done(&folder, &["devices"]);
    assert_says(&said, &["cpu", "CPU reference"]);
    assert_eq!(said.matches("<- auto").count(), 1);

    // A device is also what its number says it is.
    let lines: Vec<&str> = said.lines().collect();
    for (number, line) in lines.iter().enumerate() {
        assert!(line.starts_with(&format!("--device {number} or ")), "{line}");
        let device = Device::open(&number.to_string()).unwrap().describe();
        let name = device.trim_start_matches("GPU ").split(" (").next().unwrap();
        assert!(line.contains(name), "{number}: {device} is not {line}");
    }
    let none = Device::open(&lines.len().to_string()).err().unwrap().to_string();
    assert_says(&none, &[&format!("no GPU named \"{}\"", lines.len()), "`devices`"]);
}
