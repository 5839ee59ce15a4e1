//! A CycleGAN run equals another of the same settings, and one that was stopped and resumed, bit for bit, on the same device.

use crate::support::runs::run_until;
use mewgan::data::AugmentKind;
use mewgan::models::cyclegan::Trainer;
use mewgan::models::cyclegan::Updates;
use mewgan::models::cyclegan::networks::Translator;
use mewgan::models::cyclegan::{CycleGanConfig, CycleGanSettings, Discriminator};
use mewgan::nn::Norm;
use mewgan::nn::Upsample;
use mewgan::nn::loss::Adversarial;
use mewgan::optim::Schedule;
use mewgan::train::config::{CommonSettings, DiffAugmentPart, DiffAugmentParts, Preset, RunConfig};
use mewgan::train::run::Outcome;
use safetensors::SafeTensors;
use std::fs;
use std::path::Path;
use tempfile::tempdir;

const DEVICES: [&str; 2] = ["cpu", "gpu"];
/// What the end of a run leaves on every device, times left out, as in `tests/resume.rs`.
const FILES: [&str; 5] = [
    "checkpoints/000010.safetensors",
    "samples/000010-YtoXtoY.png",
    "progress-XtoY.gif",
    "losses.svg",
    "config.toml",
];
const ORDERS: [(Preset, Updates); 4] = [
    (Preset::Small, Updates::GeneratorsFirst),
    (Preset::Seed, Updates::Apart),
    (Preset::Course, Updates::DiscriminatorsFirst),
    (Preset::Paper, Updates::GeneratorsFirst),
];

/// A preset made small; the published discriminator needs images of 32.
fn shrunk(preset: Preset, device: &str) -> CycleGanSettings {
    CycleGanSettings {
        x: Some("builtin:noto/animals".into()),
        y: Some("builtin:twemoji/faces".into()),
        common: CommonSettings {
            preset: Some(preset),
            size: Some(if preset == Preset::Paper { 32.into() } else { 16.into() }),
            batch: Some(2),
            g_width: Some(2),
            d_width: Some(2),
            steps: Some(10),
            log_every: Some(2),
            sample_every: Some(4),
            checkpoint_every: Some(4),
            device: Some(device.into()),
            ..Default::default()
        },
        ..Default::default()
    }
}

/// A tiny run with everything that is state: a pool that fills while it runs, averages, a schedule.
fn tiny(preset: Preset, device: &str) -> CycleGanSettings {
    CycleGanSettings {
        generator: Some(Translator::Plain),
        discriminator: Some(Discriminator::Patch),
        pool: Some(5),
        common: CommonSettings {
            size: Some(16.into()),
            blocks: Some(1),
            average: Some(0.9),
            schedule: Some(Schedule::Linear),
            augment: Some(AugmentKind::Deluxe),
            diffaugment: Some(DiffAugmentParts(vec![
                DiffAugmentPart::Color,
                DiffAugmentPart::Translation,
                DiffAugmentPart::Cutout,
            ])),
            ..shrunk(preset, device).common
        },
        ..shrunk(preset, device)
    }
}

/// The same with what helps on small sets.
fn recipe(preset: Preset, device: &str) -> CycleGanSettings {
    CycleGanSettings {
        common: CommonSettings {
            d_norm: Some(Norm::Spectral),
            slope: Some(0.2),
            loss: Some(Adversarial::Hinge),
            upsample: Some(Upsample::Bilinear),
            r1: Some(1.0),
            r1_every: Some(2),
            ..tiny(preset, device).common
        },
        ..tiny(preset, device)
    }
}

/// The same with two scales, the smaller of 16 pixels.
fn scaled(preset: Preset, device: &str) -> CycleGanSettings {
    CycleGanSettings {
        scales: Some(2),
        common: CommonSettings { size: Some(32.into()), ..recipe(preset, device).common },
        ..recipe(preset, device)
    }
}

fn start(settings: CycleGanSettings, out: &Path) -> Trainer {
    let config = CycleGanConfig::new(CycleGanSettings::default(), settings).unwrap();
    Trainer::start(config, Some(out)).unwrap()
}

fn assert_same(a: &Path, b: &Path, file: &str) {
    assert!(fs::read(a.join(file)).unwrap() == fs::read(b.join(file)).unwrap(), "{file} differs");
}

/// The metrics but the times, which differ from run to run.
fn losses(run: &Path) -> Vec<(u64, Vec<(String, f64)>)> {
    let rows = mewgan::report::metrics::read(run.join("metrics.jsonl")).unwrap();
    let is_loss = |name: &String| !name.starts_with("s");
    rows.into_iter()
        .map(|row| (row.step, row.values.into_iter().filter(|(name, _)| is_loss(name)).collect()))
        .collect()
}

#[test]
fn runs_repeat_and_resumed_ones_equal_uninterrupted_ones() {
    for device in DEVICES {
        for (preset, updates) in ORDERS {
            assert_eq!(CycleGanConfig::preset(preset).updates, updates);
            repeats(shrunk(preset, device));
        }
        repeats(recipe(Preset::Seed, device));
        repeats(scaled(Preset::Paper, device));
        // What is kept is the host's: software GPUs take minutes to compile the kernels of more.
        if device == "cpu" {
            repeats(recipe(Preset::Course, device));
            repeats(scaled(Preset::Seed, device));
        }
    }
}

fn repeats(settings: CycleGanSettings) {
    let runs = tempdir().unwrap();
    let [whole, again, stopped] = ["whole", "again", "stopped"].map(|run| runs.path().join(run));
    for out in [&whole, &again] {
        assert_eq!(run_until(start(settings.clone(), out), u64::MAX), Outcome::Finished);
    }
    let gpu = settings.common.device.as_deref() == Some("gpu");
    assert_eq!(run_until(start(settings, &stopped), 5), Outcome::Stopped);
    let trainer = Trainer::resume(&stopped, CycleGanSettings::default()).unwrap();
    assert_eq!(trainer.steps(), (5, 10));
    assert_eq!(run_until(trainer, u64::MAX), Outcome::Finished);
    for other in [&again, &stopped] {
        for file in FILES.iter().chain(gpu.then_some(&"kernels.json")) {
            assert_same(&whole, other, file);
        }
        assert_eq!(losses(&whole), losses(other));
    }
}

/// The last checkpoint of a run.
fn checkpoint_of(settings: CycleGanSettings) -> Vec<u8> {
    let runs = tempdir().unwrap();
    let out = runs.path().join("run");
    run_until(start(settings, &out), u64::MAX);
    fs::read(out.join("checkpoints/000010.safetensors")).unwrap()
}

#[test]
fn a_checkpoint_has_pytorchs_names_the_averages_and_the_pool() {
    let bytes = checkpoint_of(tiny(Preset::Seed, "cpu"));
    let tensors = SafeTensors::deserialize(&bytes).unwrap();
    let shape = |name: &str| tensors.tensor(name).unwrap().shape().to_vec();
    assert_eq!(shape("G_XtoY.main.0.weight"), [2, 3, 4, 4]);
    assert_eq!(shape("G_YtoX.main.1.running_mean"), [2]);
    assert_eq!(shape("D_Y.main.0.weight"), [2, 3, 4, 4]);
    assert_eq!(shape("optimizer.first.G_YtoX.main.0.weight"), [2, 3, 4, 4]);
    assert_eq!(shape("optimizer.second.D_X.main.1.bias"), [2]);
    assert_eq!(shape("average.G_YtoX.main.0.weight"), [2, 3, 4, 4]);
    assert_eq!(shape("pool.X"), [5, 16, 16, 3]);
    let filled = |name: &str| tensors.tensor(name).unwrap().data().iter().any(|&byte| byte != 0);
    assert!(filled("pool.X") && filled("pool.Y"));
    let different = |a: &str, b: &str| tensors.tensor(a).unwrap().data() != tensors.tensor(b).unwrap().data();
    assert!(different("average.G_XtoY.main.0.weight", "G_XtoY.main.0.weight"));
    assert!(different("G_YtoX.main.0.weight", "G_XtoY.main.0.weight"), "the two start differently");
}

/// As an `nn.ModuleList` names them; without scales the names are those of one discriminator.
#[test]
fn scales_are_numbered_in_a_checkpoint() {
    let bytes = checkpoint_of(scaled(Preset::Course, "cpu"));
    let tensors = SafeTensors::deserialize(&bytes).unwrap();
    let shape = |name: &str| tensors.tensor(name).unwrap().shape().to_vec();
    for name in ["D_X.0", "D_X.1", "D_Y.0", "D_Y.1"] {
        assert_eq!(shape(&format!("{name}.main.0.weight_orig")), [2, 3, 4, 4]);
        assert_eq!(shape(&format!("optimizer.first.{name}.main.0.weight_orig")), [2, 3, 4, 4]);
    }
    let numbers = |name: &str| tensors.tensor(name).unwrap().data().to_vec();
    assert!(
        numbers("D_X.0.main.0.weight_orig") != numbers("D_X.1.main.0.weight_orig"),
        "scales start differently"
    );
}

#[test]
fn samples_and_logs_do_not_change_the_training() {
    let runs = tempdir().unwrap();
    let (quiet, chatty) = (runs.path().join("quiet"), runs.path().join("chatty"));
    let every = |steps| CycleGanSettings {
        common: CommonSettings {
            log_every: Some(steps),
            sample_every: Some(steps),
            ..tiny(Preset::Seed, "cpu").common
        },
        ..tiny(Preset::Seed, "cpu")
    };
    run_until(start(every(100), &quiet), u64::MAX);
    run_until(start(every(1), &chatty), u64::MAX);
    let sheet = "samples/000010-XtoYtoX.png";
    assert_same(&quiet, &chatty, sheet);
    let tensors = |run: &Path| {
        let bytes = fs::read(run.join("checkpoints/000010.safetensors")).unwrap();
        let tensors = SafeTensors::deserialize(&bytes).unwrap();
        let mut all: Vec<_> =
            tensors.iter().map(|(name, view)| (name.to_owned(), view.data().to_vec())).collect();
        all.sort();
        all
    };
    assert!(tensors(&quiet) == tensors(&chatty));
}
