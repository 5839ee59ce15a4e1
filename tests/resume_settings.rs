//! A run that is resumed may have other settings from there on, and other folders; what it has to keep is refused by name.

use crate::support::program::{done, mewgan};
use crate::support::runs::{run_until, tiny};
use mewgan::models::dcgan::{DcganConfig, DcganSettings, Trainer};
use mewgan::optim::Schedule;
use mewgan::train::config::{CommonSettings, Record, RunConfig};
use mewgan::train::run::Outcome;
use safetensors::SafeTensors;
use std::fs;
use std::path::Path;
use tempfile::{TempDir, tempdir};

/// A DCGAN of `images`, some squares.
const DCGAN: &str = "train dcgan --preset seed --data images --size 16 --g-width 2 --d-width 2 --noise-size 4 --batch 2 --device cpu \
                     --out run --steps";

/// The settings of a small run, and others.
fn with(common: CommonSettings) -> DcganSettings {
    let CommonSettings { steps, lr, schedule, decay_from, average, batch, .. } = common;
    let own = tiny("cpu");
    DcganSettings {
        common: CommonSettings { steps, lr, schedule, decay_from, average, batch, ..own.common },
        ..own
    }
}

fn flags(common: CommonSettings) -> DcganSettings {
    DcganSettings { common, ..Default::default() }
}

fn run(settings: DcganSettings, out: &Path) {
    let config = DcganConfig::new(DcganSettings::default(), settings).unwrap();
    assert_eq!(run_until(Trainer::start(config, Some(out)).unwrap(), u64::MAX), Outcome::Finished);
}

fn resume(out: &Path, settings: DcganSettings) -> Vec<String> {
    let trainer = Trainer::resume(out, settings).unwrap();
    let introduction = trainer.introduction().to_vec();
    assert_eq!(run_until(trainer, u64::MAX), Outcome::Finished);
    introduction
}

/// The tensors of a checkpoint, by name.
fn tensors(run: &Path, step: u64) -> Vec<(String, Vec<u8>)> {
    let bytes = fs::read(run.join(format!("checkpoints/{step:06}.safetensors"))).unwrap();
    let tensors = SafeTensors::deserialize(&bytes).unwrap();
    let mut all: Vec<_> =
        tensors.iter().map(|(name, view)| (name.to_owned(), view.data().to_vec())).collect();
    all.sort();
    all
}

fn refused(folder: &TempDir, arguments: &str, parts: &[&str]) {
    let output = mewgan(folder, arguments);
    let error = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{arguments}: {error}");
    parts.iter().for_each(|part| assert!(error.contains(part), "{arguments}: {part:?} is not in: {error}"));
}

/// A folder with `count` images in its folder `name`.
fn images(folder: &TempDir, name: &str, count: u8) {
    fs::create_dir(folder.path().join(name)).unwrap();
    for index in 0..count {
        let pixel = |x: u32, y: u32| image::Rgb([x as u8 * 9, y as u8 * 7, index * 30]);
        let image = image::RgbImage::from_fn(18, 18, pixel);
        image.save(folder.path().join(format!("{name}/{index}.png"))).unwrap();
    }
}

/// The linear schedule halves the rate at the last step; so does a user.
#[test]
fn another_learning_rate_holds_from_its_step_on() {
    let runs = tempdir().unwrap();
    let [scheduled, resumed] = ["scheduled", "resumed"].map(|name| runs.path().join(name));
    let (steps, lr) = (Some(5), Some(4e-3));
    let schedule = Some(Schedule::Linear);
    run(with(CommonSettings { steps, lr, schedule, decay_from: Some(3), ..Default::default() }), &scheduled);
    run(with(CommonSettings { steps: Some(4), lr, ..Default::default() }), &resumed);
    let told = resume(&resumed, flags(CommonSettings { steps, lr: Some(2e-3), ..Default::default() }));
    assert!(tensors(&scheduled, 5) == tensors(&resumed, 5));
    let change = "from step 5 on: lr 0.002 instead of 0.004, steps 5 instead of 4";
    assert!(told.contains(&change.to_owned()), "{told:?}");
    let record = Record::read(&resumed.join("config.toml")).unwrap();
    assert_eq!(record.changes.iter().map(ToString::to_string).collect::<Vec<_>>(), [change]);
    let page = fs::read_to_string(resumed.join("report.html")).unwrap();
    assert!(page.contains(", with lr 0.002 instead of 0.004, steps 5 instead of 4\""));
    assert!(page.contains(&format!("[\"changed\",\"{change}\"]")));

    // Nothing else changed: the settings that are written are those of the first run but for these.
    let settings = |run: &Path| {
        let text = fs::read_to_string(run.join("config.toml")).unwrap();
        let lines = text.lines().take_while(|line| !line.is_empty()).map(str::to_owned);
        lines
            .filter(|line| !["lr =", "schedule", "decay_from"].iter().any(|name| line.starts_with(name)))
            .collect()
    };
    let [first, second]: [Vec<String>; 2] = [&scheduled, &resumed].map(|run| settings(run));
    assert_eq!(first, second);
    // It can be read as before.
    let read = DcganConfig::from_file(&resumed.join("config.toml"), DcganSettings::default()).unwrap();
    assert_eq!(read.common.lr, 2e-3);
}

#[test]
fn settings_hold_from_the_checkpoint_on_whenever_the_process_dies() {
    let runs = tempdir().unwrap();
    let out = runs.path().join("run");
    run(with(CommonSettings { steps: Some(4), lr: Some(4e-3), ..Default::default() }), &out);
    // These die before their first checkpoint.
    let dies = |settings| drop(Trainer::resume(&out, flags(settings)).unwrap());
    dies(CommonSettings { steps: Some(9), lr: Some(2e-3), ..Default::default() });
    dies(CommonSettings { batch: Some(8), ..Default::default() });
    let told = resume(&out, flags(CommonSettings { steps: Some(6), ..Default::default() }));
    assert_eq!(
        told.last().unwrap(),
        "from step 5 on: batch 8 instead of 16, lr 0.002 instead of 0.004, steps 6 instead of 4"
    );
    let told = resume(&out, flags(CommonSettings { steps: Some(8), lr: Some(1e-3), ..Default::default() }));
    assert_eq!(told.last().unwrap(), "from step 7 on: lr 0.001 instead of 0.002, steps 8 instead of 6");
    assert_eq!(Record::read(&out.join("config.toml")).unwrap().changes.len(), 2);
}

#[test]
fn an_average_can_begin_and_end() {
    let runs = tempdir().unwrap();
    let out = runs.path().join("run");
    run(with(CommonSettings { steps: Some(2), average: Some(0.0), ..Default::default() }), &out);
    let averages = |step| {
        let is_average = |(name, _): &(String, Vec<u8>)| name.starts_with("average.");
        tensors(&out, step).into_iter().filter(is_average).count()
    };
    let resumed = |steps, average| {
        let steps = Some(steps);
        resume(&out, flags(CommonSettings { steps, average, ..Default::default() }));
    };
    resumed(4, Some(0.9));
    assert!(averages(2) == 0 && averages(4) > 0);
    resumed(6, Some(0.0));
    assert_eq!(averages(6), 0);
}

#[test]
fn another_schedule_leaves_out_what_only_the_linear_one_has() {
    let runs = tempdir().unwrap();
    let out = runs.path().join("run");
    let schedule = Some(Schedule::Linear);
    let steps = Some(2);
    run(with(CommonSettings { steps, schedule, decay_from: Some(1), ..Default::default() }), &out);
    let cosine = Some(Schedule::Cosine);
    let told = resume(&out, flags(CommonSettings { steps: Some(3), schedule: cosine, ..Default::default() }));
    assert!(told.last().unwrap().contains("decay_from not set instead of 1, schedule cosine"), "{told:?}");
}

#[test]
fn what_has_to_stay_is_refused_by_name() {
    let folder = tempdir().unwrap();
    images(&folder, "images", 6);
    done(&folder, &format!("{DCGAN} 1"));
    let networks = "belong to the networks";
    for (flag, parts) in [
        (
            "--size 32",
            &["size is 16 in this run and cannot become 32", networks, "run/config.toml", "--init"][..],
        ),
        ("--g-width 4", &["g_width is 2", networks]),
        ("--norm instance", &["norm is batch", networks]),
        ("--noise uniform --noise-size 5", &["noise_size is 4", networks]),
        ("--seed 5", &["seed is 11", "held out"]),
        ("--holdout 0.5", &["holdout is 0.0", "held out"]),
        ("--d-every 1", &["d_every is 2", "updates"]),
        ("--preset paper", &["preset is seed", "one by one"]),
        ("--init normal", &["init is uniform", "its checkpoint"]),
        ("--lambda-cycle 3", &["--lambda-cycle is a setting of cyclegan", "a run of dcgan"]),
        ("--batch 0", &["batch is 0"]),
    ] {
        refused(&folder, &format!("resume run --steps 2 {flag}"), parts);
    }
    // What is given as it is already is no change.
    done(&folder, "resume run --steps 2 --size 16 --seed 11 --sample-every 1");
    let help = done(&folder, "resume --help");
    assert!(
        help.contains("--lr <") && help.contains("--lambda-cycle") && !help.contains("--g-width"),
        "{help}"
    );
}

#[test]
fn a_pool_that_is_not_full_keeps_the_batch() {
    let folder = tempdir().unwrap();
    let train = "train cyclegan --x builtin:noto/animals --y builtin:twemoji/animals --preset seed --size 16 --g-width 2 --d-width 2 \
                 --batch 1 --pool 4 --updates generators-first --d-fake-every 1 --device cpu --out run --steps 2";
    done(&folder, train);
    let parts = ["batch is 1 and cannot become 2 yet", "2 of the 4 images"];
    refused(&folder, "resume run --steps 3 --batch 2", &parts);
    refused(&folder, "resume run --steps 3 --pool 5", &["pool is 4", "part of the checkpoint"]);
    done(&folder, "resume run --steps 4 --lambda-cycle 5");
    done(&folder, "resume run --steps 5 --batch 2");
}

#[test]
fn a_run_goes_on_from_another_folder_and_with_images_that_moved() {
    let folder = tempdir().unwrap();
    images(&folder, "images", 6);
    done(&folder, &format!("{DCGAN} 1"));
    fs::create_dir(folder.path().join("elsewhere")).unwrap();
    let elsewhere = |arguments: &str| {
        let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_mewgan"));
        command.current_dir(folder.path().join("elsewhere")).args(arguments.split_whitespace());
        let output = command.output().unwrap();
        assert!(output.status.success(), "{arguments}: {}", String::from_utf8_lossy(&output.stderr));
    };
    elsewhere("evaluate ../run");
    elsewhere("resume ../run --steps 2");
    assert!(Record::read(&folder.path().join("run/config.toml")).unwrap().changes.len() == 1, "the steps");

    fs::rename(folder.path().join("images"), folder.path().join("moved")).unwrap();
    refused(&folder, "resume run --steps 3", &["images", "no such folder"]);
    images(&folder, "fewer", 5);
    refused(
        &folder,
        "resume run --steps 3 --data fewer",
        &["fewer: not the images", "5 images, 6 before", "--init"],
    );
    fs::rename(folder.path().join("fewer/4.png"), folder.path().join("fewer/5.png")).unwrap();
    fs::copy(folder.path().join("moved/0.png"), folder.path().join("fewer/6.png")).unwrap();
    refused(&folder, "resume run --steps 3 --data fewer", &["6 images of other names"]);
    refused(&folder, "resume run --steps 3 --data typo", &["typo", "no such folder"]);
    done(&folder, "resume run --steps 3 --data moved");
    elsewhere("evaluate ../run");
    // The step before the images moved.
    elsewhere("evaluate ../run/checkpoints/000002.safetensors");
}
