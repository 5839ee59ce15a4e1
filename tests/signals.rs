//! What signals do to a run, through the program itself.

use crate::support::signals::with_signals;
use libc::{SIGHUP, SIGINT, SIGTERM, SIGUSR1};
use mewgan::report::metrics;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};
use tempfile::{TempDir, tempdir};

const TRAIN: &str = "train dcgan --preset seed --data builtin:noto/animals --size 8 --g-width 2 --d-width 2 --noise-size 4 --batch 2 \
                     --device cpu --log-every 1 --check-every 1000000 --sample-every 1000000 --checkpoint-every 1000000 --out run";
/// Nothing takes so long.
const PATIENCE: Duration = Duration::from_secs(120);

/// A run of so many steps that ignores `ignored` from its start.
fn start(folder: &TempDir, ignored: &[i32], steps: u64) -> Child {
    let mut command = Command::new(env!("CARGO_BIN_EXE_mewgan"));
    command.current_dir(folder.path()).args(TRAIN.split_whitespace()).args(["--steps", &steps.to_string()]);
    with_signals(&mut command, ignored).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
}

/// Waits until `found` finds something, while the run goes on.
fn wait_for<T>(child: &mut Child, mut found: impl FnMut() -> Option<T>) -> T {
    let start = Instant::now();
    loop {
        if let Some(found) = found() {
            return found;
        }
        assert_eq!(child.try_wait().unwrap(), None, "the run has ended");
        assert!(start.elapsed() < PATIENCE);
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// The last step that is logged, if it is beyond `after`.
fn logged(folder: &TempDir, after: u64) -> Option<u64> {
    let path = folder.path().join("run/metrics.jsonl");
    let whole = path.is_file().then(|| metrics::read(&path).ok()).flatten()?;
    Some(whole.last()?.step).filter(|step| *step > after)
}

fn send(child: &Child, signal: &str) {
    let sent = Command::new("kill").args([&format!("-{signal}"), &child.id().to_string()]).status().unwrap();
    assert!(sent.success());
}

fn checkpoints(run: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(run.join("checkpoints")).into_iter().flatten();
    let paths = entries.map(|entry| entry.unwrap().path());
    paths.filter(|path| path.extension().is_some_and(|extension| extension == "safetensors")).collect()
}

fn ended(child: Child) -> (Option<i32>, String, String) {
    let Output { status, stdout, stderr } = child.wait_with_output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (status.code(), text(stdout), text(stderr))
}

#[test]
fn signals_ignored_at_the_start_stay_ignored() {
    for (signal, number) in [("HUP", SIGHUP), ("INT", SIGINT), ("TERM", SIGTERM), ("USR1", SIGUSR1)] {
        let folder = tempdir().unwrap();
        let steps = 1500;
        let mut child = start(&folder, &[number], steps);
        let before = wait_for(&mut child, || logged(&folder, 0));
        assert!(before < steps, "it is still training");
        send(&child, signal);
        send(&child, signal);
        let (code, said, errors) = ended(child);
        assert_eq!(code, Some(0), "{signal}: {errors}");
        assert!(said.contains(&format!("done: {steps} steps")), "{signal}: {said}");
        assert_eq!(checkpoints(&folder.path().join("run")).len(), 1, "{signal}: the last one alone");
    }
}

#[test]
fn a_run_stops_when_its_terminal_closes() {
    let folder = tempdir().unwrap();
    // That another is ignored changes nothing.
    let mut child = start(&folder, &[SIGINT], 1_000_000);
    wait_for(&mut child, || logged(&folder, 0));
    send(&child, "HUP");
    let (code, said, _) = ended(child);
    assert_eq!(code, Some(130));
    assert!(said.contains("stopped after step"), "{said}");
    assert_eq!(checkpoints(&folder.path().join("run")).len(), 1);
}

/// As schedulers such as Slurm send it before a job's time is over.
#[test]
fn usr1_writes_a_checkpoint_and_training_goes_on() {
    let folder = tempdir().unwrap();
    let run = folder.path().join("run");
    let mut child = start(&folder, &[], 1_000_000);
    wait_for(&mut child, || logged(&folder, 0));
    send(&child, "USR1");
    let first = wait_for(&mut child, || checkpoints(&run).pop());
    let step: u64 = first.file_stem().unwrap().to_str().unwrap().parse().unwrap();
    assert!(run.join(format!("samples/{step:06}.png")).is_file());
    wait_for(&mut child, || logged(&folder, step + 2));
    send(&child, "USR1");
    let second = wait_for(&mut child, || checkpoints(&run).into_iter().find(|path| *path != first));
    assert!(first.is_file() && second > first, "asked again, it writes another");
    send(&child, "TERM");
    let (code, said, errors) = ended(child);
    assert_eq!(code, Some(130), "{errors}");
    assert!(said.contains(&format!("step {step}: asked for a checkpoint")), "{said}");
}
