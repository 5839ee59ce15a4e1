//! What holds of ranks without MPI: here they are threads. `make mpi` runs the tests of ranks that are processes.

use crate::support::runs::{run, tiny};
use mewgan::Result;
use mewgan::models::dcgan::Plan;
use mewgan::models::dcgan::{DcganConfig, DcganSettings};
use mewgan::ranks::{Link, Ranks};
use mewgan::real::Precision;
use mewgan::train::config::{CommonSettings, RunConfig};
use mewgan::train::run::Outcome;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Barrier, Mutex};
use tempfile::tempdir;

const SIZE: usize = 3;

/// Ranks that are threads. One of them hears the sum of its `wrong`th exchange wrongly, by the last bit of its first number.
struct Threads {
    rank: usize,
    meeting: Arc<(Barrier, Mutex<Vec<Vec<u8>>>)>,
    sums: AtomicUsize,
    wrong: Option<usize>,
}

impl Threads {
    /// What all ranks tell.
    fn all(&self, own: &[u8]) -> Vec<Vec<u8>> {
        let (barrier, told) = &*self.meeting;
        told.lock().unwrap()[self.rank] = own.to_vec();
        barrier.wait();
        let all = told.lock().unwrap().clone();
        barrier.wait();
        all
    }
}

impl Link for Threads {
    fn rank(&self) -> usize {
        self.rank
    }
    fn size(&self) -> usize {
        SIZE
    }
    fn local(&self) -> (usize, usize) {
        (self.rank, SIZE)
    }
    fn sum(&self, values: &mut [f32]) {
        let all = self.all(bytemuck::cast_slice(values));
        values.fill(0.0);
        for own in all {
            let own: Vec<f32> = bytemuck::pod_collect_to_vec(&own);
            values.iter_mut().zip(own).for_each(|(sum, value)| *sum += value);
        }
        if Some(self.sums.fetch_add(1, Ordering::Relaxed)) == self.wrong {
            values[0] = f32::from_bits(values[0].to_bits() ^ 1);
        }
    }
    fn sum_wide(&self, values: &mut [f64]) {
        let all = self.all(bytemuck::cast_slice(values));
        values.fill(0.0);
        for own in all {
            let own: Vec<f64> = bytemuck::pod_collect_to_vec(&own);
            values.iter_mut().zip(own).for_each(|(sum, value)| *sum += value);
        }
    }
    fn gather(&self, own: &[u8], _: &[usize], all: &mut [u8]) {
        all.copy_from_slice(&self.all(own).concat());
    }
    fn broadcast(&self, bytes: &mut [u8]) {
        bytes.copy_from_slice(&self.all(bytes)[0]);
    }
    fn abort(&self, code: i32) -> ! {
        panic!("aborted with {code}")
    }
}

/// Trains as ranks, each with settings of its own; of rank 1 one sum may be wrong.
fn train(
    out: &Path,
    settings: impl Fn(usize) -> DcganSettings + Sync,
    wrong: Option<usize>,
) -> Vec<Result<Outcome>> {
    let meeting = Arc::new((Barrier::new(SIZE), Mutex::new(vec![vec![]; SIZE])));
    let rank = |rank: usize| {
        let wrong = wrong.filter(|_| rank == 1);
        let link = Threads { rank, meeting: Arc::clone(&meeting), sums: AtomicUsize::new(0), wrong };
        let config = DcganConfig::new(DcganSettings::default(), settings(rank))?;
        // Each computes by itself: a thread that waits for others must not hold what they need.
        let pool = rayon::ThreadPoolBuilder::new().num_threads(1).build().unwrap();
        pool.install(|| {
            run(&mut Plan::start_distributed(&Ranks::over(link), config, Some(out), &())?.begin()?, |_| ())
        })
    };
    std::thread::scope(|scope| {
        let rank = &rank;
        let ranks: Vec<_> = (0..SIZE).map(|of| scope.spawn(move || rank(of))).collect();
        ranks.into_iter().map(|rank| rank.join().unwrap()).collect()
    })
}

fn settings(_: usize) -> DcganSettings {
    DcganSettings {
        common: CommonSettings {
            steps: Some(4),
            check_every: Some(2),
            checkpoint_every: Some(2),
            batch: Some(8),
            ..tiny("cpu").common
        },
        ..tiny("cpu")
    }
}

fn errors(results: Vec<Result<Outcome>>) -> Vec<String> {
    results.into_iter().map(|result| result.unwrap_err().to_string()).collect()
}

#[test]
fn a_state_that_differs_by_a_bit_is_an_error_that_names_the_rank() {
    let folder = tempdir().unwrap();
    let out = folder.path().join("run");
    // Two sums a step: that of the third step's discriminator.
    for said in errors(train(&out, settings, Some(4))) {
        assert!(said.contains("rank 1 differs from the others in the state after step 4"), "{said}");
        assert!(
            said.contains(&format!("step 2 is kept; continue from it with: `resume {}`", out.display())),
            "{said}"
        );
    }
    // Loss scales are part of the state.
    let mixed = |rank| {
        let own = settings(rank);
        DcganSettings { common: CommonSettings { precision: Some(Precision::Mixed), ..own.common }, ..own }
    };
    let fine = [
        train(&folder.path().join("other"), settings, None),
        train(&folder.path().join("mixed"), mixed, None),
    ];
    assert!(fine.into_iter().flatten().all(|result| result.unwrap() == Outcome::Finished));
}

#[test]
fn ranks_of_different_settings_do_not_start() {
    let folder = tempdir().unwrap();
    let out = folder.path().join("run");
    let other = |rank| DcganSettings {
        common: CommonSettings { seed: Some(if rank == 2 { 5 } else { 4 }), ..settings(rank).common },
        ..settings(rank)
    };
    for said in errors(train(&out, other, None)) {
        assert!(said.contains("rank 2 differs from the others in the settings"), "{said}");
    }
    assert!(!out.exists());
}

#[cfg(not(feature = "mpi"))]
#[test]
fn without_mpi_several_processes_are_refused() {
    let folder = tempdir().unwrap();
    let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_mewgan"));
    command.args(["train", "dcgan", "--out"]).arg(folder.path().join("run"));
    let output = command.env("OMPI_COMM_WORLD_SIZE", "2").output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(!output.status.success() && said.contains("build it with the feature mpi"), "{said}");
}
