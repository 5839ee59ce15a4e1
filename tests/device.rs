//! Promise: a device that is missing or too small is refused before training, one that is lost leaves the last
//! checkpoint and the way on, none is given more than it may chew on at once, and memory does not grow.

use crate::support::runs;
use crate::support::runs::run;
use mewgan::Error;
use mewgan::device::Device;
use mewgan::gpu::Gpu;
use mewgan::gpu::lower::{Target, lower};
use mewgan::gpu::program::Program;
use mewgan::gpu::submissions::{MAX_WORK, submissions};
use mewgan::models::cyclegan::CycleGanConfig;
use mewgan::models::dcgan::Plan;
use mewgan::models::dcgan::{DcganConfig, DcganSettings};
use mewgan::train::config::{CommonSettings, Preset, RunConfig};
use mewgan::train::model::Model;
use mewgan::train::run::Outcome;
use std::path::Path;
use std::process::Command;
use tempfile::tempdir;

fn tiny() -> DcganSettings {
    DcganSettings {
        common: CommonSettings { log_every: Some(5), checkpoint_every: Some(4), ..runs::tiny("gpu").common },
        ..runs::tiny("gpu")
    }
}

fn plan(settings: DcganSettings, out: &Path) -> Plan {
    Plan::start(DcganConfig::new(DcganSettings::default(), settings).unwrap(), Some(out)).unwrap()
}

#[test]
fn no_driver_is_an_error_with_the_remedy() {
    let folder = tempdir().unwrap();
    let nothing = folder.path().join("none.json");
    let out = folder.path().join("run");
    let output = Command::new(env!("CARGO_BIN_EXE_mewgan"))
        .args(["train", "dcgan", "--data", "builtin:noto", "--device", "gpu", "--out"])
        .arg(&out)
        // No driver is found where the loader is told of none that is there.
        .envs([("VK_DRIVER_FILES", &nothing), ("VK_ICD_FILENAMES", &nothing)])
        .output()
        .unwrap();
    let text = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{text}");
    assert!(text.contains("no GPU driver found") && text.contains("--device cpu"), "{text}");
    assert!(!out.exists(), "nothing is begun");
}

#[test]
fn a_plan_over_the_devices_limits_is_refused_with_figures() {
    let model = DcganConfig::new(
        DcganSettings::default(),
        DcganSettings { common: CommonSettings { batch: Some(64), ..tiny().common }, ..tiny() },
    );
    let model = model.unwrap().dcgan().unwrap();
    let step = model.discriminator_step(64).unwrap();
    let lowered = |target: Target| lower(&step, &model.buffers(), &target).unwrap_err().to_string();
    let binding = lowered(Target { max_binding: 64 << 10, ..Target::GPU });
    assert!(binding.contains("a binding of 1 MiB is needed, this device allows 0 MiB"), "{binding}");
    let buffer = lowered(Target { max_buffer: 64 << 10, ..Target::GPU });
    assert!(buffer.contains("a buffer of") && buffer.contains("`batch`"), "{buffer}");
    // Kernels are chosen so that a workgroup's memory and invocations suffice.
    let small = Target { workgroup_bytes: 16 << 10, workgroup_invocations: 256, ..Target::GPU };
    lower(&step, &model.buffers(), &small).unwrap();
}

#[test]
fn a_lost_device_leaves_the_last_checkpoint_and_says_how_to_go_on() {
    let folder = tempdir().unwrap();
    let out = folder.path().join("run");
    let plan = plan(
        DcganSettings { common: CommonSettings { check_every: Some(3), ..tiny().common }, ..tiny() },
        &out,
    );
    let Device::Gpu(gpu) = plan.device().clone() else { panic!("asked for a GPU") };
    let mut trainer = plan.begin().unwrap();
    let lose = |step: u64| {
        if step == 10 {
            gpu.destroy();
        }
    };
    let error = run(&mut trainer, lose).unwrap_err();
    let text = error.to_string();
    assert!(matches!(error, Error::Device(_)), "{text}");
    assert!(text.contains("the device was lost"), "{text}");
    // Checkpoints are due at 4 and 8; the state of step 9 was the last that was looked at.
    assert!(text.contains("the checkpoint of step 9 is kept") && text.contains("`resume "), "{text}");
    drop(trainer);

    // Another device goes on from there.
    let again = Plan::resume(
        &out,
        DcganSettings {
            common: CommonSettings { steps: Some(12), ..Default::default() },
            ..Default::default()
        },
    )
    .unwrap();
    assert_eq!(run(&mut again.begin().unwrap(), |_| ()).unwrap(), Outcome::Finished);
}

/// The largest models there are presets for, as if the device allowed buffers of any size.
#[test]
fn no_submission_takes_long_on_a_slow_gpu() {
    let target = Target { max_binding: u64::MAX, max_buffer: u64::MAX, ..Target::GPU };
    let mut all: Vec<Vec<Program>> = Vec::new();
    for preset in [Preset::Small, Preset::Seed, Preset::Course, Preset::Paper] {
        let config = DcganConfig::preset(preset);
        let model = config.dcgan().unwrap();
        let steps =
            [model.discriminator_step(config.common.batch), model.generator_step(config.common.batch)];
        all.push(steps.map(|step| lower(&step.unwrap(), &model.buffers(), &target).unwrap()).into());
        let config = CycleGanConfig::preset(preset);
        let model = config.cyclegan().unwrap();
        let steps = model.steps(config.common.batch).unwrap();
        all.push(steps.iter().map(|step| lower(step, &model.buffers(), &target).unwrap()).collect());
    }
    let mut most = 0;
    for programs in &all {
        let programs: Vec<&Program> = programs.iter().collect();
        let work = |program: &&Program| {
            program.dispatches.iter().map(|dispatch| program.work(dispatch)).collect::<Vec<u64>>()
        };
        let work: Vec<Vec<u64>> = programs.iter().map(work).collect();
        let submissions = submissions(&work.iter().map(Vec::as_slice).collect::<Vec<_>>());
        most = most.max(submissions.len());
        for submission in &submissions {
            let dispatches = submission.iter().flat_map(|(at, range)| {
                programs[*at].dispatches[range.clone()].iter().map(|dispatch| programs[*at].work(dispatch))
            });
            assert!(dispatches.sum::<u64>() <= MAX_WORK);
        }
        // Every dispatch once, in order.
        let submitted =
            submissions.iter().flatten().flat_map(|(at, range)| range.clone().map(|index| (*at, index)));
        let whole = programs
            .iter()
            .enumerate()
            .flat_map(|(at, program)| (0..program.dispatches.len()).map(move |index| (at, index)));
        assert!(submitted.eq(whole));
    }
    assert!(most > 10, "the paper's CycleGAN is too much for one submission");
}

/// What wgpu holds on the device after ten steps is what it holds after a thousand.
#[test]
fn device_memory_does_not_grow() {
    let folder = tempdir().unwrap();
    let settings = DcganSettings {
        common: CommonSettings {
            steps: Some(1000),
            checkpoint_every: Some(50),
            sample_every: Some(50),
            ..tiny().common
        },
        ..tiny()
    };
    let plan = plan(settings, &folder.path().join("run"));
    let Device::Gpu(gpu) = plan.device().clone() else { panic!("asked for a GPU") };
    let bytes = |gpu: &Gpu| gpu.allocated_bytes().expect("wgpu manages the memory of Vulkan devices");
    let mut trainer = plan.begin().unwrap();
    let mut seen = Vec::new();
    let look = |step: u64| {
        if step.is_multiple_of(10) {
            seen.push((step, bytes(&gpu)));
        }
    };
    run(&mut trainer, look).unwrap();
    let (first, last) = (seen[0], seen[seen.len() - 1]);
    println!("{} bytes at step {}, {} at step {}", first.1, first.0, last.1, last.0);
    assert_eq!((first.0, last.0), (10, 1000));
    assert!(first.1 > 0);
    let different: Vec<_> = seen.iter().filter(|(_, bytes)| *bytes != first.1).collect();
    assert!(different.is_empty(), "{first:?}, but {different:?}");
}
