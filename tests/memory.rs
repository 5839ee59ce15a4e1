//! The memory a process holds does not grow with its steps.

#![cfg(target_os = "linux")]

use crate::support::runs::run;
use mewgan::models::cyclegan::{CycleGanConfig, CycleGanSettings};
use mewgan::models::dcgan::{DcganConfig, DcganSettings};
use mewgan::models::{cyclegan, dcgan};
use mewgan::train::config::{CommonSettings, Preset, RunConfig};
use mewgan::train::model::Model;
use mewgan::train::run::Trainer;
use std::collections::BTreeMap;
use std::env;
use std::fs;
use std::process::Command;
use tempfile::tempdir;

/// Names the run that is measured in a process of its own.
const CASE: &str = "MEWGAN_TEST_MEMORY";
/// How often samples, curves and checkpoints are written; the first time takes memory of its own, which stays.
const EVERY: u64 = 500;
/// Where it is looked at: early, before those, after them, before the next.
const LOOKS: [u64; 4] = [10, EVERY - 1, EVERY + 1, 2 * EVERY - 1];

/// Prints what is resident after some steps.
fn print_resident(step: u64) {
    if LOOKS.contains(&step) || step == 2 * EVERY + 1 {
        let status = fs::read_to_string("/proc/self/status").unwrap();
        let resident = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
        println!("resident {step} {}", resident.trim().trim_end_matches(" kB"));
    }
}

fn train<T: Model>(config: T::Config) {
    let runs = tempdir().unwrap();
    let mut trainer = Trainer::<T>::start(config, Some(&runs.path().join("run"))).unwrap();
    run(&mut trainer, print_resident).unwrap();
}

fn measure(kind: &str, device: &str) {
    let (preset, device, steps) = (Some(Preset::Seed), Some(device.to_owned()), Some(2 * EVERY + 2));
    let (size, batch, width, every) = (Some(16_usize), Some(4), Some(4), Some(EVERY));
    if kind == "dcgan" {
        let own = DcganSettings {
            common: CommonSettings {
                preset,
                device,
                steps,
                size: size.map(Into::into),
                batch,
                ..Default::default()
            },
            ..Default::default()
        };
        let own = DcganSettings {
            noise_size: Some(8),
            common: CommonSettings { g_width: width, d_width: width, ..own.common },
            ..own
        };
        let own = DcganSettings { data: Some("builtin:noto/animals".into()), ..own };
        let own = DcganSettings {
            common: CommonSettings { sample_every: every, checkpoint_every: every, ..own.common },
            ..own
        };
        return train::<dcgan::Dcgan>(DcganConfig::new(DcganSettings::default(), own).unwrap());
    }
    let own = CycleGanSettings {
        common: CommonSettings {
            preset,
            device,
            steps,
            size: size.map(Into::into),
            batch,
            ..Default::default()
        },
        ..Default::default()
    };
    let own = CycleGanSettings {
        pool: Some(9),
        common: CommonSettings { g_width: width, d_width: width, ..own.common },
        ..own
    };
    let x = Some("builtin:noto/animals".into());
    let own = CycleGanSettings {
        x: x.clone(),
        y: x,
        common: CommonSettings { sample_every: every, checkpoint_every: every, ..own.common },
        ..own
    };
    train::<cyclegan::CycleGan>(CycleGanConfig::new(CycleGanSettings::default(), own).unwrap());
}

#[test]
fn resident_memory_does_not_grow_with_steps() {
    if let Ok(case) = env::var(CASE) {
        let (kind, device) = case.split_once(' ').unwrap();
        return measure(kind, device);
    }
    for case in ["dcgan cpu", "cyclegan cpu", "dcgan gpu", "cyclegan gpu"] {
        let mut again = Command::new(env::current_exe().unwrap());
        again
            .args(["--exact", "memory::resident_memory_does_not_grow_with_steps", "--nocapture"])
            .env(CASE, case);
        let output = again.output().unwrap();
        let said = String::from_utf8_lossy(&output.stdout);
        assert!(output.status.success(), "{case}: {said}{}", String::from_utf8_lossy(&output.stderr));
        let looks = said.lines().filter_map(|line| line.split_once("resident ")?.1.split_once(' '));
        let kib: BTreeMap<u64, f64> =
            looks.map(|(step, kib)| (step.parse().unwrap(), kib.parse().unwrap())).collect();
        println!("{case}: {kib:?} KiB");
        let grown = |from, to| kib[&to] / kib[&from] - 1.0;
        for pair in LOOKS.chunks(2) {
            assert!(grown(pair[0], pair[1]) < 0.03, "{case}: {kib:?}");
        }
        // What is written takes some MiB once.
        assert!(grown(10, 2 * EVERY + 1) < 0.05 + 4096.0 / kib[&10], "{case}: {kib:?}");
    }
}
