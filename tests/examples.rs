//! Promise: each example does what it says, on the CPU device and on a GPU.

#[path = "../examples/check_op.rs"]
#[allow(dead_code, reason = "its main is for cargo run")]
mod check_op;
#[path = "../examples/custom_op.rs"]
#[allow(dead_code, reason = "its main is for cargo run")]
mod custom_op;
#[path = "../examples/own_gan.rs"]
#[allow(dead_code, reason = "its main is for cargo run")]
mod own_gan;

use crate::support;
use mewgan::device::Device;
use tempfile::tempdir;

fn devices() -> [Device; 2] {
    [Device::open("cpu").unwrap(), Device::Gpu(support::gpu())]
}

/// Untrained, points lie around the middle; a generator that has collapsed puts them all in one place.
#[test]
fn a_gan_of_ones_own_learns_the_ring() {
    for device in devices() {
        let folder = tempdir().unwrap();
        let out = folder.path().join("ring.png");
        let points = own_gan::run(&device, &out).unwrap();
        let off = |point: &[f32]| (point[0].hypot(point[1]) - 1.0).abs();
        let mean = points.chunks(2).map(off).sum::<f32>() / (points.len() / 2) as f32;
        let mut eighths = [0; 8];
        for point in points.chunks(2) {
            let turn = point[1].atan2(point[0]) / std::f32::consts::TAU + 0.5;
            eighths[(turn * 8.0) as usize % 8] += 1;
        }
        let name = device.describe();
        println!("{name}: {mean} off the ring, in each eighth of it {eighths:?}");
        assert!(mean < 0.15, "{name}: on average {mean} off the ring");
        assert!(eighths.iter().all(|&points| points >= 8), "{name}: {eighths:?} of 256 in each eighth");
        assert_eq!(image::open(&out).unwrap().height(), 3 * 96 + 4);
    }
}

#[test]
fn an_operation_of_ones_own_passes_its_checks() {
    for device in devices() {
        let report = custom_op::run(&device).unwrap();
        assert!(report.passed(), "{report}");
        let values = report.rows.iter().filter(|row| row.forward.is_some() && row.gradient.is_some());
        assert!(values.count() >= 2 && report.rows.iter().any(|row| row.differences.is_some()), "{report}");
    }
}

#[test]
fn an_operation_checked_numerically_is_right_and_a_wrong_one_is_not() {
    for device in devices() {
        assert!(check_op::run(&device).unwrap(), "{}", device.describe());
    }
}
