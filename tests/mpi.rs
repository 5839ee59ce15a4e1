//! Ranks started by mpirun train what one process trains, go on in any number, and end together. `make mpi` runs these.

mod ranks;
mod support {
    pub mod mpi;
    pub mod runs;
}

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};
use support::mpi::{Run, apart, mpirun, text};

/// What ranks may be apart from one process after a few steps, as a share of the size of gradients and of what Adam moved. Rounding
/// is 6e-8 a number; Adam divides by the size of a gradient, so where one nearly cancels its rounding moves a weight as much as any.
const ROUNDING: f64 = 5e-5;
/// What they are at least where they compute something else.
const DIFFERENT: f64 = 3e-2;

const STEPS: usize = 4;

/// A DCGAN with all that draws at random, on 130 images.
const DCGAN: &str = "train dcgan --preset course --data builtin:noto/animals --size 16 --g-width 4 --d-width 4 --noise-size 8 \
    --diffaugment color,translation,cutout --rotate 5 --average 0.9 --log-every 1 --check-every 1";
/// A CycleGAN with a pool that is full after two steps, so that past translations are shown, those of other ranks too.
const CYCLEGAN: &str = "train cyclegan --preset paper --x builtin:noto/animals --y builtin:twemoji/animals --size 24 --g-width 2 \
    --d-width 2 --blocks 1 --pool 9 --diffaugment color,translation --schedule constant --log-every 1 --check-every 1";

/// Its losses without corners: the slope of |x| jumps at 0, where rounding then shows as more than it is.
const SMOOTH: &str = "--cycle-loss mse --lambda-identity 0";

/// Trains with 1 process and with several, and checks that the results are apart by no more than rounding.
fn equal(kind: &str, flags: &str, batch: usize, device: &str, sizes: &[usize]) {
    let flags = format!("{kind} {flags} --global-batch {batch} --steps {STEPS} --device {device}");
    let alone = Run::new(1, &flags).finish();
    for &size in sizes {
        let together = Run::new(size, &flags).finish();
        let [gradients, moved] = apart(&alone, &together, STEPS);
        println!("{size} ranks, {device}, {flags}: gradients {gradients:.1e}, weights {moved:.1e}");
        assert!(
            gradients < ROUNDING && moved < ROUNDING,
            "{size} ranks: {gradients:.1e} {moved:.1e}\n{flags}"
        );
        alone.check_losses(&together);
    }
}

#[test]
fn with_instance_norm_ranks_equal_one_process() {
    equal(DCGAN, "", 6, "cpu", &[2, 3]);
    equal(CYCLEGAN, "", 6, "cpu", &[2, 3]);
}

#[test]
fn with_synced_batch_norm_too() {
    let norm = "--norm batch --sync-batch-norm";
    equal(DCGAN, norm, 6, "cpu", &[2, 3]);
    equal(CYCLEGAN, &format!("{norm} {SMOOTH} --updates apart"), 6, "cpu", &[2, 3]);
}

#[test]
fn on_a_gpu_too() {
    equal(DCGAN, "", 6, "gpu", &[2]);
    equal(DCGAN, "--norm batch --sync-batch-norm", 6, "gpu", &[3]);
    equal(CYCLEGAN, &format!("--norm batch --sync-batch-norm {SMOOTH}"), 6, "gpu", &[2]);
}

#[test]
fn batches_need_not_divide() {
    // Of 130 images 129 leave a last batch of 1: one rank has it, the others none. 8 are 2, 3 and 3; 2 leave none to one of 3 ranks.
    equal(DCGAN, "", 129, "cpu", &[3]);
    equal(DCGAN, "--norm batch --sync-batch-norm", 8, "cpu", &[3]);
    equal(CYCLEGAN, &format!("--norm batch --sync-batch-norm {SMOOTH}"), 2, "cpu", &[3]);
}

#[test]
fn without_syncing_each_rank_normalises_its_own() {
    let flags = format!("{DCGAN} --norm batch --global-batch 6 --steps {STEPS} --device cpu");
    let [gradients, _] = apart(&Run::new(1, &flags).finish(), &Run::new(2, &flags).finish(), STEPS);
    assert!(gradients > DIFFERENT, "{gradients:.1e}: this test would not see a difference");
}

#[test]
fn another_number_of_ranks_goes_on() {
    for kind in [DCGAN, CYCLEGAN] {
        let flags = |steps| format!("{kind} --global-batch 6 --device cpu --steps {steps}");
        let whole = Run::new(1, &flags(6)).finish();
        let parts = Run::new(2, &flags(2)).finish();
        parts.resume(3, "--steps 4");
        parts.resume(1, "--steps 6");
        let [gradients, moved] = apart(&whole, &parts, 6);
        assert!(gradients < ROUNDING && moved < ROUNDING, "{gradients:.1e} {moved:.1e}");
    }
}

#[test]
fn the_batch_of_all_ranks_is_kept_and_rates_follow_only_when_asked() {
    let steps = "--steps 1 --device cpu --batch 4";
    let run = Run::new(2, &format!("{DCGAN} {steps} --lr 0.0001")).finish();
    assert!(
        run.config().contains("batch = 8\n") && run.config().contains("lr = 0.0001\n"),
        "{}",
        run.config()
    );
    let scaled = Run::new(2, &format!("{DCGAN} {steps} --lr 0.0001 --d-lr 0.001 --scale-lr linear")).finish();
    let config = scaled.config();
    assert!(config.contains("\nlr = 0.0002\n") && config.contains("d_lr = 0.002\n"), "{config}");
    assert!(scaled.said().contains("learning rates times 2.000"), "{}", scaled.said());
    assert!(run.said().contains("2 ranks, 4 images of a batch each"), "{}", run.said());
    assert_eq!(run.said().matches("step 1/1").count(), 1, "only rank 0 speaks:\n{}", run.said());
}

/// A run that lasts longer than any test waits for it. It says little: what mpirun has not passed on when it is told to end gets lost.
fn endless() -> Run {
    let quiet = DCGAN.replace("--log-every 1 --check-every 1", "--log-every 1000 --check-every 50");
    Run::new(2, &format!("{quiet} --batch 4 --steps 1000000 --checkpoint-every 50 --device cpu"))
}

#[test]
fn when_a_rank_is_killed_all_end_and_the_last_checkpoint_is_whole() {
    let run = endless();
    let mut child = run.start();
    run.wait_for_checkpoint();
    let victim = run.pid_of_rank(1);
    let killed = Instant::now();
    assert!(mpirun_kill("-KILL", victim));
    let status = child.wait().unwrap();
    let took = killed.elapsed();
    let said = run.said();
    println!("all ended {took:?} after the kill, {status}:\n{said}");
    assert!(!status.success() && took < Duration::from_secs(10), "{took:?} {status}\n{said}");
    assert!(
        said.contains("signal 9") && said.contains(&format!("mewgan resume {}", run.path().display())),
        "{said}"
    );
    let last = run.last_step();
    run.resume(2, &format!("--steps {}", last + 1));
    assert_eq!(run.last_step(), last + 1);
}

#[test]
fn a_signal_stops_all_ranks_after_the_same_step() {
    let run = endless().patient();
    let mut child = run.start();
    run.wait_for_checkpoint();
    assert!(mpirun_kill("-TERM", child.id()));
    let status = child.wait().unwrap();
    let said = run.said();
    assert!(!status.success() && said.contains("stopped after step"), "{status}\n{said}");
    assert!(
        said.contains(&format!("stopped after step {} of", run.last_step())),
        "a checkpoint of it:\n{said}"
    );
}

#[test]
fn a_rank_that_fails_says_so_and_ends_all() {
    // Rank 1 alone sees other images under the same path.
    let folder = tempfile::tempdir().unwrap();
    for (place, animals) in [("a", "noto"), ("b", "twemoji")] {
        let images = folder.path().join(place).join("images");
        fs::create_dir_all(&images).unwrap();
        let bundled = Path::new(env!("CARGO_MANIFEST_DIR")).join("assets").join(animals);
        let files = walkdir::WalkDir::new(bundled).sort_by_file_name().into_iter().flatten();
        let png = files.filter(|entry| entry.path().extension().is_some_and(|extension| extension == "png"));
        for (index, entry) in png.take(8).enumerate() {
            fs::copy(entry.path(), images.join(format!("{index}.png"))).unwrap();
        }
    }
    let flags: Vec<&str> = DCGAN.split(' ').filter(|flag| !flag.is_empty()).collect();
    let at = flags.iter().position(|flag| *flag == "builtin:noto/animals").unwrap();
    let mut command = mpirun();
    for (index, place) in ["a", "b"].into_iter().enumerate() {
        if index > 0 {
            command.arg(":");
        }
        let mut flags = flags.clone();
        flags[at] = "images";
        command.args(["-n", "1", "-wdir"]).arg(folder.path().join(place));
        command.arg(env!("CARGO_BIN_EXE_mewgan")).args(flags).args(["--batch", "2", "--device", "cpu"]);
        command.arg("--out").arg(folder.path().join("run"));
    }
    let started = Instant::now();
    let output = command.output().unwrap();
    let said = text(&output);
    assert!(!output.status.success() && started.elapsed() < Duration::from_secs(30), "{said}");
    assert!(said.contains("rank 1 differs from the others in the images"), "{said}");
    assert_eq!(said.matches("error: rank").count(), 1, "one rank says it for all:\n{said}");
    assert!(!folder.path().join("run").exists(), "nothing was written");
}

fn mpirun_kill(signal: &str, pid: u32) -> bool {
    std::process::Command::new("kill").args([signal, &pid.to_string()]).status().unwrap().success()
}
