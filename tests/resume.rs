//! A run equals another of the same settings, and one that was stopped and resumed, bit for bit, on the same device.

use crate::support::runs::run_until;
use mewgan::data::AugmentKind;
use mewgan::device::Device;
use mewgan::gpu::Gpu;
use mewgan::gpu::lower::candidates;
use mewgan::gpu::tune::Table;
use mewgan::models::dcgan::Trainer;
use mewgan::models::dcgan::sampling::{Drawn, Sampler, save_grid};
use mewgan::models::dcgan::{DcganConfig, DcganSettings};
use mewgan::nn::Norm;
use mewgan::nn::loss::Adversarial;
use mewgan::nn::{NormMode, Upsample};
use mewgan::optim::Schedule;
use mewgan::real::Precision;
use mewgan::train::checkpoint::Checkpoint;
use mewgan::train::config::ModelSettings;
use mewgan::train::config::{CommonSettings, DiffAugmentPart, DiffAugmentParts, Preset, RunConfig};
use mewgan::train::run::Outcome;
use std::fs;
use std::path::Path;
use tempfile::tempdir;

const DEVICES: [&str; 2] = ["cpu", "gpu"];
/// What the end of a run leaves on every device, times left out: metrics.jsonl and report.html have them, starts.json says
/// where a run was resumed.
const FILES: [&str; 5] =
    ["checkpoints/000012.safetensors", "samples/000012.png", "progress.gif", "losses.svg", "config.toml"];

/// A preset made small, over 130 images: 9 steps an epoch, the last of 2 images.
fn shrunk(preset: Preset, device: &str) -> DcganSettings {
    DcganSettings {
        data: Some("builtin:noto/animals".into()),
        common: CommonSettings {
            preset: Some(preset),
            size: Some(16.into()),
            batch: Some(16),
            g_width: Some(4),
            d_width: Some(4),
            steps: Some(12),
            log_every: Some(2),
            sample_every: Some(4),
            checkpoint_every: Some(5),
            device: Some(device.into()),
            ..Default::default()
        },
        ..Default::default()
    }
}

/// The same with little noise and everything that draws.
fn tiny(preset: Preset, device: &str) -> DcganSettings {
    DcganSettings {
        noise_size: Some(8),
        common: CommonSettings {
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

/// The same with what helps on small sets; the R1 penalty falls on another step than checkpoints.
fn recipe(device: &str) -> DcganSettings {
    DcganSettings {
        common: CommonSettings {
            norm: Some(Norm::Batch),
            d_norm: Some(Norm::Spectral),
            slope: Some(0.2),
            loss: Some(Adversarial::Hinge),
            upsample: Some(Upsample::Bilinear),
            blocks: Some(1),
            average: Some(0.9),
            r1: Some(1.0),
            r1_every: Some(4),
            d_lr: Some(4e-4),
            ..tiny(Preset::Course, device).common
        },
        ..tiny(Preset::Course, device)
    }
}

/// The same of images that are large enough for gates, with learning rates that fall from the third step on.
fn gated(device: &str) -> DcganSettings {
    let (size, width) = (Some(64_usize), Some(2));
    DcganSettings {
        excite: Some(true),
        common: CommonSettings {
            size: size.map(Into::into),
            g_width: width,
            d_width: width,
            blocks: Some(0),
            schedule: Some(Schedule::Linear),
            decay_from: Some(2),
            ..recipe(device).common
        },
        ..recipe(device)
    }
}

/// The same in half precision, with loss scales.
fn mixed(device: &str) -> DcganSettings {
    let own = recipe(device);
    DcganSettings { common: CommonSettings { precision: Some(Precision::Mixed), ..own.common }, ..own }
}

fn start(settings: DcganSettings, out: &Path) -> Trainer {
    let config = DcganConfig::new(DcganSettings::default(), settings).unwrap();
    Trainer::start(config, Some(out)).unwrap()
}

fn assert_same(a: &Path, b: &Path, file: &str) {
    assert!(fs::read(a.join(file)).unwrap() == fs::read(b.join(file)).unwrap(), "{file} differs");
}

/// The metrics but the times, which differ from run to run.
fn losses(run: &Path) -> Vec<(u64, Vec<f64>)> {
    let rows = mewgan::report::metrics::read(run.join("metrics.jsonl")).unwrap();
    let losses = |row: &mewgan::report::Row| {
        ["D", "D_real", "D_fake", "G", "R1"]
            .iter()
            .filter_map(|name| row.values.get(*name))
            .copied()
            .collect()
    };
    rows.iter().map(|row| (row.step, losses(row))).collect()
}

#[test]
fn runs_repeat_and_resumed_ones_equal_uninterrupted_ones() {
    for device in DEVICES {
        let presets = [Preset::Small, Preset::Seed, Preset::Course, Preset::Paper];
        let presets = presets.map(|preset| shrunk(preset, device));
        let others = [tiny(Preset::Seed, device), recipe(device), gated(device), mixed(device)];
        for settings in presets.into_iter().chain(others) {
            let runs = tempdir().unwrap();
            let [whole, again, stopped] = ["whole", "again", "stopped"].map(|run| runs.path().join(run));
            for out in [&whole, &again] {
                assert_eq!(run_until(start(settings.clone(), out), u64::MAX), Outcome::Finished);
            }
            assert_eq!(run_until(start(settings, &stopped), 6), Outcome::Stopped);
            assert!(stopped.join("checkpoints/000006.safetensors").is_file());
            let trainer = Trainer::resume(&stopped, DcganSettings::default()).unwrap();
            assert_eq!(trainer.steps(), (6, 12));
            assert_eq!(run_until(trainer, u64::MAX), Outcome::Finished);
            for other in [&again, &stopped] {
                for file in FILES.iter().chain((device == "gpu").then_some(&"kernels.json")) {
                    assert_same(&whole, other, file);
                }
                assert_eq!(losses(&whole), losses(other));
            }
        }
    }
}

/// Other kernels than those a device takes by itself: what is pinned decides, not what would be chosen today.
#[test]
fn a_resumed_run_takes_the_pinned_kernels() {
    let runs = tempdir().unwrap();
    let run_of = runs.path().join("run");
    assert_eq!(run_until(start(tiny(Preset::Seed, "gpu"), &run_of), 7), Outcome::Stopped);
    let path = run_of.join("kernels.json");
    let own = Table::read(&path).unwrap().unwrap();
    let target = Gpu::open("", false).unwrap().target().clone();
    let mut other = own.clone();
    for of in own.kernels.contractions() {
        let variants = candidates(&of, &target);
        other.kernels.set(of, variants[variants.len() - 1]);
    }
    assert_ne!(other, own);
    other.write(&path).unwrap();
    let trainer = Trainer::resume(&run_of, DcganSettings::default()).unwrap();
    assert_eq!(run_until(trainer, u64::MAX), Outcome::Finished);
    assert_eq!(Table::read(&path).unwrap().unwrap(), other);
}

/// The tensors of a checkpoint that stand behind `prefix`, by name: shape and bytes.
fn tensors(run: &Path, prefix: &str) -> Vec<(String, Vec<usize>, Vec<u8>)> {
    let bytes = fs::read(run.join("checkpoints/000012.safetensors")).unwrap();
    let tensors = safetensors::SafeTensors::deserialize(&bytes).unwrap();
    let mut found: Vec<_> = tensors
        .iter()
        .filter_map(|(name, view)| Some((name.strip_prefix(prefix)?, view)))
        .map(|(name, view)| (name.to_owned(), view.shape().to_vec(), view.data().to_vec()))
        .collect();
    found.sort();
    found
}

#[test]
fn an_average_draws_and_does_not_change_the_training() {
    for device in DEVICES {
        let runs = tempdir().unwrap();
        let (with, without) = (runs.path().join("with"), runs.path().join("without"));
        run_until(start(recipe(device), &with), u64::MAX);
        run_until(
            start(
                DcganSettings {
                    common: CommonSettings { average: Some(0.0), ..recipe(device).common },
                    ..recipe(device)
                },
                &without,
            ),
            u64::MAX,
        );
        for part in ["generator.", "discriminator.", "optimizer."] {
            assert!(tensors(&with, part) == tensors(&without, part), "{part}");
        }
        let averages = tensors(&with, "average.generator.");
        let is_weight = |name: &str| !name.contains("running");
        let weights: Vec<_> =
            tensors(&with, "generator.").into_iter().filter(|(name, ..)| is_weight(name)).collect();
        assert!(
            averages.iter().map(|(name, shape, _)| (name, shape)).eq(weights.iter().map(|(n, s, _)| (n, s)))
        );
        assert!(averages.iter().zip(&weights).all(|(average, weight)| average.2 != weight.2));
        let sample = |run: &Path| fs::read(run.join("samples/000012.png")).unwrap();
        assert!(sample(&with) != sample(&without));

        let checkpoint = Checkpoint::of_run(&with, None).unwrap();
        let device = Device::open(device).unwrap();
        let mut sampler = Sampler::new(&checkpoint, &device, NormMode::Batch).unwrap();
        let (mut images, config) = (Vec::new(), sampler.config().clone());
        let mut each = |drawn: Drawn<'_>| {
            images.extend_from_slice(drawn.image);
            Ok(())
        };
        sampler.images(config.common.seed, 16, &mut each).unwrap();
        let grid = runs.path().join("grid.png");
        save_grid(&images, &config, 4, &grid).unwrap();
        assert!(fs::read(grid).unwrap() == sample(&with), "a sample of the checkpoint is that of the run");
    }
}

#[test]
fn spectral_norms_are_named_as_pytorchs_and_follow_the_weights() {
    let runs = tempdir().unwrap();
    let out = runs.path().join("run");
    run_until(start(recipe("cpu"), &out), u64::MAX);
    let found: Vec<_> =
        tensors(&out, "discriminator.main.2.").into_iter().map(|(name, shape, _)| (name, shape)).collect();
    let expected = [("weight_orig", vec![8, 4, 4, 4]), ("weight_u", vec![8]), ("weight_v", vec![64])];
    assert_eq!(found, expected.map(|(name, shape)| (name.to_owned(), shape)));
    for (name, shape, bytes) in tensors(&out, "discriminator.") {
        if name.ends_with("weight_u") || name.ends_with("weight_v") {
            let squares = bytes.as_chunks().0.iter().map(|&bytes| f32::from_le_bytes(bytes).powi(2));
            let length = squares.sum::<f32>().sqrt();
            assert!((length - 1.0).abs() < 1e-5, "{name} {shape:?}: {length}");
        }
    }
    // The penalty is logged where it was computed: of the steps looked at, every second one.
    let rows = mewgan::report::metrics::read(out.join("metrics.jsonl")).unwrap();
    let penalized = |row: &mewgan::report::Row| row.values.get("R1").map(|_| row.step);
    assert_eq!(rows.iter().filter_map(penalized).collect::<Vec<_>>(), [4, 8, 12]);
}

#[test]
fn a_longer_run_goes_on_where_a_shorter_one_ended() {
    for device in DEVICES {
        let runs = tempdir().unwrap();
        let (whole, longer) = (runs.path().join("whole"), runs.path().join("longer"));
        run_until(start(tiny(Preset::Seed, device), &whole), u64::MAX);
        run_until(
            start(
                DcganSettings {
                    common: CommonSettings { steps: Some(6), ..tiny(Preset::Seed, device).common },
                    ..tiny(Preset::Seed, device)
                },
                &longer,
            ),
            u64::MAX,
        );
        let finished = Trainer::resume(&longer, DcganSettings::default());
        assert!(finished.err().unwrap().to_string().contains("`steps`"));
        let flags = DcganSettings {
            common: CommonSettings { steps: Some(12), ..Default::default() },
            ..Default::default()
        };
        run_until(Trainer::resume(&longer, flags).unwrap(), u64::MAX);
        assert_same(&whole, &longer, "checkpoints/000012.safetensors");
    }
}

#[test]
fn the_written_settings_repeat_the_run() {
    let runs = tempdir().unwrap();
    let (first, second) = (runs.path().join("first"), runs.path().join("second"));
    run_until(start(tiny(Preset::Seed, "cpu"), &first), u64::MAX);
    let written = DcganSettings::read(&first.join("config.toml")).unwrap();
    run_until(start(written, &second), u64::MAX);
    assert_same(&first, &second, "checkpoints/000012.safetensors");
}

#[test]
fn samples_and_logs_do_not_change_the_training() {
    let runs = tempdir().unwrap();
    let (quiet, chatty) = (runs.path().join("quiet"), runs.path().join("chatty"));
    let every = |steps| DcganSettings {
        common: CommonSettings {
            log_every: Some(steps),
            sample_every: Some(steps),
            ..tiny(Preset::Seed, "cpu").common
        },
        ..tiny(Preset::Seed, "cpu")
    };
    let weights = |run: &Path| {
        let checkpoint = Checkpoint::open(&run.join("checkpoints/000012.safetensors")).unwrap();
        checkpoint.buffers(&checkpoint.config::<DcganConfig>().unwrap().dcgan().unwrap()).unwrap()
    };
    run_until(start(every(100), &quiet), u64::MAX);
    run_until(start(every(1), &chatty), u64::MAX);
    assert!(weights(&quiet) == weights(&chatty));
}

#[test]
fn old_checkpoints_go() {
    let runs = tempdir().unwrap();
    let out = runs.path().join("run");
    let settings = DcganSettings {
        common: CommonSettings {
            checkpoint_every: Some(1),
            keep: Some(2),
            ..tiny(Preset::Seed, "cpu").common
        },
        ..tiny(Preset::Seed, "cpu")
    };
    run_until(start(settings, &out), u64::MAX);
    let mut names: Vec<_> =
        fs::read_dir(out.join("checkpoints")).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    names.sort();
    assert_eq!(names, ["000011.safetensors", "000012.safetensors"]);
}
