//! Runs that tests can afford, and who follows them.

use mewgan::models::dcgan::DcganSettings;
use mewgan::train::config::{CommonSettings, Preset};
use mewgan::train::model::Model;
use mewgan::train::run::{Outcome, Trainer, Watch};
use std::sync::atomic::{AtomicBool, Ordering};

/// Is called after each step. A warning fails the test.
pub struct Each<F>(pub F);

impl<F: FnMut(u64)> Watch for Each<F> {
    fn stepped(&mut self, step: u64) {
        self.0(step);
    }
    fn warned(&mut self, warning: &str) {
        panic!("{warning}");
    }
}

/// Runs to the end and calls `each` after each step.
///
/// # Errors
/// As [`Trainer::run`].
pub fn run<T: Model>(trainer: &mut Trainer<T>, each: impl FnMut(u64)) -> mewgan::Result<Outcome> {
    trainer.run(&AtomicBool::new(false), &mut Each(each))
}

#[allow(dead_code, reason = "ranks are not stopped")]
/// Runs until the end of step `last`, in which it is asked to stop, or until the run's own end.
pub fn run_until<T: Model>(mut trainer: Trainer<T>, last: u64) -> Outcome {
    let stop = AtomicBool::new(false);
    let mut asking = Each(|step| {
        if step + 1 == last {
            stop.store(true, Ordering::Relaxed);
        }
    });
    trainer.run(&stop, &mut asking).unwrap()
}

/// A DCGAN of 40 steps on small images that only logs and samples at its end.
pub fn tiny(device: &str) -> DcganSettings {
    DcganSettings {
        data: Some("builtin:noto/animals".into()),
        noise_size: Some(8),
        common: CommonSettings {
            preset: Some(Preset::Small),
            size: Some(16.into()),
            g_width: Some(4),
            d_width: Some(4),
            steps: Some(40),
            log_every: Some(40),
            sample_every: Some(40),
            checkpoint_every: Some(2),
            device: Some(device.into()),
            ..Default::default()
        },
        ..Default::default()
    }
}
