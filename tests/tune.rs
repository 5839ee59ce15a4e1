//! Promise: kernels are chosen by measurement on one device, and once a table is pinned lowering takes exactly those.

use crate::support;
use mewgan::device::Device;
use mewgan::gpu::lower::{Contraction, Form, Kind, Target, TuningTable, Variant, candidates, lower};
use mewgan::gpu::tune::{Table, measure, tuned};
use mewgan::gradcheck::variants::tables;
use mewgan::graph::{Graph, Step, gradients};
use mewgan::real::Precision;
use mewgan::shape::{ConvOptions, Shape};

fn step() -> Step {
    let graph = Graph::new();
    let x = graph.input("x", Shape([2, 8, 8, 16]));
    let w = graph.input("w", Shape([4, 4, 16, 32]));
    let y = x.conv2d(w, ConvOptions::new(2, 1)).unwrap();
    let grads = gradients(y.square().sum(), &[x, w]).unwrap();
    Step::new("step", &graph, &[("y", y), ("dx", grads[0]), ("dw", grads[1])], vec![]).unwrap()
}

fn with(choices: TuningTable) -> Target {
    Target { choices, ..Target::GPU }
}

#[test]
fn a_step_has_three_contractions_with_several_candidates_within_limits() {
    let all = Contraction::all(&[step(), step()]);
    assert_eq!(all.len(), 3);
    for of in all {
        let candidates = candidates(&of, &Target::GPU);
        assert!(candidates.len() > 1, "{of:?}");
        for Variant { form, split_k } in candidates {
            let Form::Tiled(tile) = form else { continue };
            assert!(
                split_k >= 1 && tile.bytes(Precision::F32) <= 16 << 10 && tile.invocations() <= 256,
                "{tile:?}"
            );
        }
    }
}

#[test]
fn the_default_of_any_contraction_fits_the_smallest_device() {
    for [i, o] in [[1, 1], [3, 64], [64, 3], [512, 1], [1, 512], [100, 100], [1024, 1024]] {
        for pixels in [1, 2, 30, 64] {
            let graph = Graph::new();
            let x = graph.input("x", Shape([1, pixels, pixels, i]));
            let w = graph.input("w", Shape([3, 3, i, o]));
            let y = x.conv2d(w, ConvOptions::new(1, 1)).unwrap();
            let step = Step::new("step", &graph, &[("y", y)], vec![]).unwrap();
            for target in [Target::GPU, Target::SOFTWARE] {
                lower(&step, &[], &target).unwrap();
            }
        }
    }
}

#[test]
fn eight_by_eight_results_are_tried_but_not_taken_unmeasured_where_registers_are_few() {
    let graph = Graph::new();
    let x = graph.input("x", Shape([1, 64, 64, 256]));
    let w = graph.input("w", Shape([3, 3, 256, 256]));
    let y = x.conv2d(w, ConvOptions::new(1, 1)).unwrap();
    let grads = gradients(y.square().sum(), &[x, w]).unwrap();
    let step = Step::new("step", &graph, &[("y", y), ("dx", grads[0]), ("dw", grads[1])], vec![]).unwrap();
    let of = Contraction::all(&[step]);
    let largest =
        |variant: &Variant| matches!(variant.form, Form::Tiled(tile) if tile.down * tile.across == 4);
    for (subgroup, taken) in [(8, false), (32, true)] {
        let target = Target { subgroup, ..Target::GPU };
        let table = target.resolved(&of);
        for of in &of {
            assert!(candidates(of, &target).iter().any(largest));
            assert_eq!(largest(&table.get(of).unwrap()), taken, "{of:?}");
        }
    }
}

#[test]
fn results_of_few_channels_have_kernels_of_their_own() {
    for (i, o, kind) in [
        (64, 3, Kind::Conv2d),
        (3, 64, Kind::ConvTranspose2d),
        (64, 3, Kind::WeightGrad),
        (512, 1, Kind::Conv2d),
    ] {
        let graph = Graph::new();
        let x = graph.input("x", Shape([1, 32, 32, i]));
        let w = graph.input("w", Shape([4, 4, i, o]));
        let y = x.conv2d(w, ConvOptions::new(1, 1)).unwrap();
        let grads = gradients(y.square().sum(), &[x, w]).unwrap();
        let step =
            Step::new("step", &graph, &[("y", y), ("dx", grads[0]), ("dw", grads[1])], vec![]).unwrap();
        for of in Contraction::all(&[step]).into_iter().filter(|of| of.kind == kind) {
            let taken = candidates(&of, &Target::GPU)[0].form;
            assert!(matches!(taken, Form::Narrow { .. }), "{of:?}: {taken:?}");
        }
    }
}

#[test]
fn a_settled_table_lowers_to_the_same_program_as_what_it_was_made_of() {
    let step = step();
    let text = |target: &Target| serde_json::to_string(&lower(&step, &[], target).unwrap()).unwrap();
    let settled = Target::GPU.resolved(&Contraction::all(std::slice::from_ref(&step)));
    assert_eq!(text(&with(settled.clone())), text(&Target::GPU));
    let read: TuningTable = serde_json::from_str(&serde_json::to_string(&settled).unwrap()).unwrap();
    assert_eq!(read, settled);
    for table in tables(&step, &Target::GPU).into_iter().skip(1) {
        assert_ne!(text(&with(table)), text(&Target::GPU));
    }
}

#[test]
fn a_choice_that_is_no_candidate_is_not_taken() {
    let step = step();
    let mut choices = TuningTable::NONE;
    for of in Contraction::all(std::slice::from_ref(&step)) {
        choices.set(of, Variant { form: Form::Direct { rows: 7, lanes: 5 }, split_k: 3 });
    }
    let lowered = |target| serde_json::to_string(&lower(&step, &[], &target).unwrap()).unwrap();
    assert_eq!(lowered(with(choices)), lowered(Target::GPU));
}

#[test]
fn every_candidate_is_timed() {
    let gpu = support::gpu();
    for of in Contraction::all(&[step()]) {
        let variants = candidates(&of, gpu.target());
        let seconds = measure(&gpu, &of, &variants).unwrap();
        assert_eq!(seconds.len(), variants.len());
        assert!(seconds.iter().all(|&seconds| seconds > 0.0 && seconds < 10.0), "{seconds:?}");
    }
}

#[test]
fn a_pinned_table_is_taken_on_its_device_only() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("kernels.json");
    let steps = [step()];
    let gpu = support::gpu();
    let device = Device::Gpu(gpu.clone());
    let other = tables(&steps[0], gpu.target()).pop().unwrap();
    let pinned = Table { kernels: other, ..device.kernels(&steps).unwrap() };
    pinned.write(&path).unwrap();
    assert_eq!(device.clone().pinned(&path).unwrap().kernels(&steps).unwrap(), pinned);
    Table { device: "another".into(), ..pinned }.write(&path).unwrap();
    assert_eq!(device.clone().pinned(&path).unwrap().kernels(&steps), device.kernels(&steps));
    std::fs::write(&path, "{}").unwrap();
    assert!(device.pinned(&path).err().unwrap().to_string().contains("remove it"));
}

#[test]
fn what_was_measured_is_kept_and_taken_the_next_time() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("caches/kernels.json");
    let steps = [step()];
    let gpu = support::gpu();
    let mut lines = Vec::new();
    let first = tuned(gpu.clone(), &steps, Some(&path), &mut |line| lines.push(line.to_owned())).unwrap();
    assert!(lines[0].contains("3 contractions"), "{lines:?}");
    let again = tuned(gpu.clone(), &steps, Some(&path), &mut |line| panic!("{line}")).unwrap();
    assert_eq!(again.target(), first.target());
    // A damaged table is measured again and replaced.
    std::fs::write(&path, "{\"device\"").unwrap();
    let mut lines = 0;
    tuned(gpu, &steps, Some(&path), &mut |_| lines += 1).unwrap();
    assert!(lines > 0 && Table::read(&path).unwrap().is_some());
}
