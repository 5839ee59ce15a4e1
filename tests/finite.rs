//! Promise: an infinity or NaN in training is noticed, the step and operation it came from are named, and the last good
//! checkpoint stays.

use crate::support;
use crate::support::runs;
use crate::support::runs::tiny;
use mewgan::Error;
use mewgan::executor::Executor;
use mewgan::graph::StateBuffer;
use mewgan::models::cyclegan::{CycleGanConfig, CycleGanSettings};
use mewgan::models::dcgan::{DcganConfig, DcganSettings};
use mewgan::models::{cyclegan, dcgan};
use mewgan::reference::Reference;
use mewgan::train::checkpoint::Checkpoint;
use mewgan::train::config::{CommonSettings, Preset, RunConfig};
use mewgan::train::model::Model;
use mewgan::train::run::Plan;
use std::fs;
use std::path::Path;
use tempfile::tempdir;

const DEVICES: [&str; 2] = ["cpu", "gpu"];

fn run<T: Model>(plan: Plan<T>) -> mewgan::Result<()> {
    runs::run(&mut plan.begin()?, |_| ()).map(|_| ())
}

#[test]
fn the_first_bad_number_of_all_state_buffers_is_found() {
    // The second is too long for a grid of one row.
    let lens = [8, 64 * 4 * 65_535 + 4096, 1024];
    let buffers: Vec<StateBuffer> = lens.iter().map(|&len| StateBuffer { tensors: vec![], len }).collect();
    let gpu = support::gpu();
    let executors: [Box<dyn Executor>; 3] = [
        Box::new(Reference::<f32>::new(&buffers, vec![]).unwrap()),
        Box::new(gpu.clone().with_checks(false).executor(&buffers, &[]).unwrap()),
        Box::new(gpu.with_checks(true).executor(&buffers, &[]).unwrap()),
    ];
    for mut executor in executors {
        // The largest and the smallest numbers are finite.
        executor
            .write_state(0, &[f32::MAX, f32::MIN, f32::MIN_POSITIVE, 1e-45, -0.0, 0.0, 1.0, -1.0])
            .unwrap();
        assert_eq!(executor.non_finite().unwrap(), None);
        let last = lens[1] - 1;
        for (buffer, places) in [(2, vec![0, 1, 1023]), (1, vec![last, last - 4, 70_003]), (0, vec![7, 2])] {
            let mut values = executor.read_state(buffer).unwrap();
            for (place, bad) in
                places.into_iter().zip([f32::NAN, f32::NEG_INFINITY, f32::from_bits(0xff80_0001)])
            {
                values.iter_mut().filter(|value| !value.is_finite()).for_each(|value| *value = 0.0);
                values[place] = bad;
                executor.write_state(buffer, &values).unwrap();
                assert_eq!(executor.non_finite().unwrap(), Some((buffer, place)));
            }
        }
    }
}

fn started(settings: DcganSettings, out: &Path) -> dcgan::Plan {
    dcgan::Plan::start(DcganConfig::new(DcganSettings::default(), settings).unwrap(), Some(out)).unwrap()
}

/// Fills the tensor `name` of a checkpoint with `value`.
fn plant(checkpoint: &Path, name: &str, value: f32) {
    let mut bytes = fs::read(checkpoint).unwrap();
    let place = {
        let tensors = safetensors::SafeTensors::deserialize(&bytes).unwrap();
        let data = tensors.tensor(name).unwrap().data().as_ptr_range();
        data.start as usize - bytes.as_ptr() as usize..data.end as usize - bytes.as_ptr() as usize
    };
    bytes[place].as_chunks_mut::<4>().0.iter_mut().for_each(|number| *number = value.to_le_bytes());
    fs::write(checkpoint, bytes).unwrap();
}

fn problem_of(error: &Error) -> (u64, String) {
    match error {
        Error::Diverged { step, problem, .. } => (*step, problem.clone()),
        other => panic!("{other}"),
    }
}

/// A generator whose last layer's weights are near the largest number there is: what it draws is infinite.
#[test]
fn what_is_planted_in_a_weight_is_traced_to_the_operation_that_meets_it() {
    for device in DEVICES {
        let folder = tempdir().unwrap();
        let out = folder.path().join("run");
        run(started(
            DcganSettings {
                common: CommonSettings { steps: Some(2), ..tiny(device).common },
                ..tiny(device)
            },
            &out,
        ))
        .unwrap();
        let checkpoint = out.join("checkpoints/000002.safetensors");
        let last = Checkpoint::open(&checkpoint).unwrap();
        assert_eq!(last.step(), 2);
        plant(&checkpoint, "discriminator.main.0.weight", 3e38);

        let flags = DcganSettings {
            common: CommonSettings {
                steps: Some(40),
                checkpoint_every: Some(40),
                check_every: Some(7),
                ..Default::default()
            },
            ..Default::default()
        };
        let error = run(dcgan::Plan::resume(&out, flags).unwrap()).unwrap_err();
        let (step, problem) = problem_of(&error);
        assert_eq!(step, 3, "{device}: {error}");
        assert!(problem.contains("conv2d of discriminator_step gives"), "{device}: {error}");
        assert!(problem.contains("[16, 8, 8, 4]"), "{device}: the layer's shape: {error}");
        assert!(problem.contains("seen at step 7"), "{device}: {error}");
        assert!(error.to_string().contains("000002.safetensors"), "{device}: {error}");
        let left: Vec<_> = fs::read_dir(out.join("checkpoints")).unwrap().collect();
        assert_eq!(left.len(), 1, "{device}: only the good one");
    }
}

/// However seldom one looks, the same step and operation are found.
#[test]
fn divergence_is_traced_to_where_it_began() {
    for device in DEVICES {
        let found: Vec<(u64, String)> = [1, 30]
            .map(|check_every| {
                let folder = tempdir().unwrap();
                let settings = DcganSettings {
                    common: CommonSettings {
                        lr: Some(1e25),
                        check_every: Some(check_every),
                        checkpoint_every: Some(40),
                        ..tiny(device).common
                    },
                    ..tiny(device)
                };
                let error = run(started(settings, &folder.path().join("run"))).unwrap_err();
                let (step, problem) = problem_of(&error);
                assert!(problem.contains(" gives "), "{device}: {error}");
                (step, problem.split(';').next().unwrap().to_owned())
            })
            .into();
        assert_eq!(found[0], found[1], "{device}");
        assert!(found[0].0 < 30, "{device}: {found:?}");
    }
}

#[test]
fn a_cyclegan_is_looked_at_as_well() {
    for device in DEVICES {
        let folder = tempdir().unwrap();
        let settings = CycleGanSettings {
            x: Some("builtin:noto/animals".into()),
            y: Some("builtin:twemoji/animals".into()),
            common: CommonSettings {
                preset: Some(Preset::Small),
                size: Some(16.into()),
                batch: Some(2),
                g_width: Some(2),
                d_width: Some(2),
                steps: Some(20),
                lr: Some(1e38),
                check_every: Some(4),
                checkpoint_every: Some(20),
                log_every: Some(20),
                sample_every: Some(20),
                device: Some(device.into()),
                ..Default::default()
            },
            ..Default::default()
        };
        let config = CycleGanConfig::new(CycleGanSettings::default(), settings).unwrap();
        let plan = cyclegan::Plan::start(config, Some(&folder.path().join("run"))).unwrap();
        let error = run(plan).unwrap_err();
        let (step, problem) = problem_of(&error);
        assert!(step < 5 && problem.contains(" gives "), "{device}: {error}");
    }
}
