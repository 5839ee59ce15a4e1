//! Full and read-only disks: training continues where it can, the last whole checkpoint stays, and what happened is told with
//! its remedy.

#![cfg(target_os = "linux")]

use mewgan::report::metrics;
use mewgan::train::checkpoint::Checkpoint;
use mewgan::train::run_folder::RunFolder;
use std::env;
use std::fs::{self, File};
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::Duration;
use tempfile::tempdir;

/// Where the test runs that may mount file systems.
const INSIDE: &str = "MEWGAN_TEST_DISK";
const STEPS: &str = "1500";
#[rustfmt::skip]
const TINY: [&str; 24] = [
    "--preset", "seed", "--data", "builtin:noto/animals", "--size", "8", "--batch", "2", "--g-width", "2", "--d-width", "2",
    "--noise-size", "4", "--device", "cpu", "--log-every", "1", "--sample-every", "400", "--checkpoint-every", "100",
    "--keep", "1",
];

/// Runs test `name` again with mounts of its own, which end with it, and with a folder for them.
///
/// # Panics
/// Where that may not be: a test of disks never passes by not running. The message names the remedy.
fn with_disk(name: &str, test: impl Fn(&Disk)) {
    if let Some(folder) = env::var_os(INSIDE) {
        return test(&Disk::mount(Path::new(&folder)));
    }
    let may = |flags: &&str| {
        Command::new("unshare").args([flags, "true"]).output().is_ok_and(|done| done.status.success())
    };
    let flags = ["-m", "-rm"].into_iter().find(may).unwrap_or_else(|| {
        panic!(
            "this test mounts a small file system, which `unshare -m` and `unshare -rm` may not here: run it as root \
             (in a container with CAP_SYS_ADMIN), allow namespaces (sysctl kernel.apparmor_restrict_unprivileged_userns=0), \
             or leave it out: cargo test -- --skip disk"
        )
    });
    let folder = tempdir().unwrap();
    let name = format!("disk::{name}");
    let again = [flags, env::current_exe().unwrap().to_str().unwrap(), "--exact", &name, "--nocapture"]
        .map(str::to_owned);
    let output = Command::new("unshare").args(again).env(INSIDE, folder.path()).output().unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let stdout = text(&output.stdout);
    assert!(output.status.success() && stdout.contains("1 passed"), "{stdout}{}", text(&output.stderr));
}

/// A file system of 1 MiB.
struct Disk {
    /// Beside it.
    folder: PathBuf,
    /// On it.
    path: PathBuf,
}

impl Disk {
    fn mount(folder: &Path) -> Self {
        let disk = Self { folder: folder.to_path_buf(), path: folder.join("disk") };
        fs::create_dir(&disk.path).unwrap();
        disk.mount_with("size=1m");
        disk
    }

    fn mount_with(&self, options: &str) {
        let mounted =
            Command::new("mount").args(["-t", "tmpfs", "-o", options, "tmpfs"]).arg(&self.path).status();
        assert!(mounted.unwrap().success(), "mount -o {options}");
    }

    fn fill(&self) {
        let mut ballast = File::create(self.path.join("ballast")).unwrap();
        while ballast.write_all(&[0; 4096]).is_ok() {}
    }

    fn free(&self) {
        fs::remove_file(self.path.join("ballast")).unwrap();
    }

    fn mewgan(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_mewgan"));
        command.current_dir(&self.folder).args(arguments).env("TMPDIR", self.folder.join("elsewhere"));
        command
    }

    fn train(&self, out: &str) -> Command {
        self.mewgan(&[&["train", "dcgan"], &TINY[..], &["--steps", STEPS, "--out", out]].concat())
    }

    fn done(&self, mut command: Command) {
        let output = command.output().unwrap();
        assert!(output.status.success(), "{}", said(&output));
    }

    /// The files of a run as they are on the disk.
    fn run(&self) -> RunFolder {
        RunFolder::open(&self.path.join("run")).unwrap()
    }
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

fn assert_says(text: &str, parts: &[&str]) {
    for part in parts {
        assert!(text.contains(part), "{part:?} is not in: {text}");
    }
}

/// The error of a command that has to fail before it trains.
fn refused(mut command: Command) -> String {
    let output = command.output().unwrap();
    assert_eq!(output.status.code(), Some(1), "{}", said(&output));
    assert!(!String::from_utf8_lossy(&output.stdout).contains("step 1"), "it trained");
    said(&output)
}

/// A run in progress: what it says, line by line. It waits where nobody reads on.
struct Running {
    child: Child,
    lines: std::io::Lines<BufReader<std::process::ChildStdout>>,
    warnings: std::sync::mpsc::Receiver<String>,
}

impl Running {
    fn start(mut command: Command) -> Self {
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let (sender, warnings) = std::sync::mpsc::channel();
        let stderr = BufReader::new(child.stderr.take().unwrap());
        std::thread::spawn(move || {
            stderr.lines().map_while(Result::ok).try_for_each(|line| sender.send(line))
        });
        Self { child, lines, warnings }
    }

    fn until_step(&mut self, step: u64) {
        let wanted = format!("step {step}/");
        assert!(self.lines.by_ref().any(|line| line.unwrap().starts_with(&wanted)), "{wanted}");
    }

    /// Reads on slowly until there is a warning of each file of `files`, and returns all warnings so far.
    fn until_warned(&mut self, files: &[&str]) -> Vec<String> {
        let mut warnings: Vec<String> = Vec::new();
        for line in self.lines.by_ref() {
            line.unwrap();
            std::thread::sleep(Duration::from_millis(2));
            warnings.extend(self.warnings.try_iter());
            if files.iter().all(|file| warnings.iter().any(|warning| warning.contains(file))) {
                return warnings;
            }
        }
        panic!("no warnings of {files:?}: {warnings:?}");
    }

    /// The exit code, and what was said as an error or a warning since.
    fn end(mut self) -> (Option<i32>, String) {
        self.lines.by_ref().for_each(drop);
        (self.child.wait().unwrap().code(), self.warnings.iter().collect::<Vec<_>>().join("\n"))
    }
}

/// The steps and losses that were logged.
fn losses(run: &Path) -> Vec<(u64, f64)> {
    let rows = metrics::read(run.join("metrics.jsonl")).unwrap();
    rows.iter().filter_map(|row| Some((row.step, *row.values.get("G")?))).collect()
}

/// Nothing half written, and checkpoints that are whole.
fn assert_intact(run: &RunFolder) {
    let half = |path: &Path| path.extension().is_some_and(|extension| extension == "partial");
    let all = walkdir::WalkDir::new(run.path()).into_iter().map(|entry| entry.unwrap().into_path());
    assert_eq!(all.filter(|path| half(path)).collect::<Vec<_>>(), Vec::<PathBuf>::new());
    let checkpoints = run.checkpoints().unwrap();
    assert!(!checkpoints.is_empty());
    checkpoints.iter().for_each(|(_, path)| drop(Checkpoint::open(path).unwrap()));
}

/// A run whose disk is full from step 110 on, and beside it, done, the same run undisturbed.
fn overtaken(disk: &Disk) -> Running {
    disk.done(disk.train("whole"));
    let mut run = Running::start(disk.train("disk/run"));
    run.until_step(110);
    disk.fill();
    run
}

#[test]
fn a_disk_that_is_full_for_a_while_ends_no_run() {
    with_disk("a_disk_that_is_full_for_a_while_ends_no_run", |disk| {
        let mut run = overtaken(disk);
        let kept = disk.run().checkpoints().unwrap();
        let warnings = run.until_warned(&["checkpoints/", "metrics.jsonl"]);
        assert_intact(&disk.run());
        assert_eq!(disk.run().checkpoints().unwrap(), kept, "what is whole stays");
        disk.free();
        let (code, more) = run.end();
        assert_eq!(code, Some(0), "{more}");
        let warnings = warnings.join("\n") + &more;
        assert_says(&warnings, &["No space left", "free some space", "training continues", "its lines wait"]);
        assert_eq!(warnings.matches("metrics.jsonl").count(), 1, "told once: {warnings}");
        let whole = disk.folder.join("whole");
        for file in ["checkpoints/001500.safetensors", "samples/001500.png"] {
            assert!(
                fs::read(whole.join(file)).unwrap() == fs::read(disk.path.join("run").join(file)).unwrap(),
                "{file}"
            );
        }
        assert!(losses(&whole) == losses(&disk.path.join("run")), "no logged line is lost");
    });
}

#[test]
fn the_last_state_is_kept_on_another_disk() {
    with_disk("the_last_state_is_kept_on_another_disk", |disk| {
        fs::create_dir(disk.folder.join("elsewhere")).unwrap();
        let run = overtaken(disk);
        let (code, said) = run.end();
        assert_eq!(code, Some(1));
        assert_says(
            &said,
            &["error: step 1500", "No space left", "free some space", "move it to disk/run/checkpoints/"],
        );
        assert_intact(&disk.run());
        let mut kept =
            fs::read_dir(disk.folder.join("elsewhere")).unwrap().map(|entry| entry.unwrap().path());
        let (kept, none) = (kept.next().unwrap(), kept.next());
        assert!(none.is_none() && said.contains(kept.to_str().unwrap()), "{said}");
        let last = "checkpoints/001500.safetensors";
        assert!(fs::read(&kept).unwrap() == fs::read(disk.folder.join("whole").join(last)).unwrap());
        disk.free();
        fs::copy(kept, disk.path.join("run").join(last)).unwrap();
        disk.done(disk.mewgan(&["resume", "disk/run", "--steps", "1510"]));
    });
}

#[test]
fn a_disk_that_stays_full_leaves_the_last_whole_checkpoint() {
    with_disk("a_disk_that_stays_full_leaves_the_last_whole_checkpoint", |disk| {
        let run = overtaken(disk);
        // There is no folder elsewhere.
        let (code, said) = run.end();
        assert_eq!(code, Some(1));
        assert_says(&said, &["error: step 1500", "No space left", "nor could", "mewgan resume disk/run"]);
        assert_intact(&disk.run());
        let full = refused(disk.mewgan(&["resume", "disk/run"]));
        assert_says(&full, &["disk/run/", "No space left", "free some space"]);
        assert_intact(&disk.run());
        disk.free();
        disk.done(disk.mewgan(&["resume", "disk/run"]));
        let last = "checkpoints/001500.safetensors";
        let [whole, resumed] =
            ["whole", "disk/run"].map(|run| fs::read(disk.folder.join(run).join(last)).unwrap());
        assert!(whole == resumed);
        assert!(losses(&disk.folder.join("whole")) == losses(&disk.path.join("run")));
    });
}

#[test]
fn a_run_begins_on_no_full_disk() {
    with_disk("a_run_begins_on_no_full_disk", |disk| {
        disk.fill();
        assert_says(&refused(disk.train("disk/run")), &["disk/run", "No space left", "free some space"]);
        disk.free();
        disk.done(
            disk.mewgan(&[&["train", "dcgan"], &TINY[..], &["--steps", "3", "--out", "disk/run"]].concat()),
        );
    });
}

#[test]
fn a_disk_that_is_read_only_is_told_before_training() {
    with_disk("a_disk_that_is_read_only_is_told_before_training", |disk| {
        disk.done(
            disk.mewgan(&[&["train", "dcgan"], &TINY[..], &["--steps", "3", "--out", "disk/run"]].concat()),
        );
        disk.mount_with("remount,ro");
        let remedy = ["Read-only file system", "choose a place that can be written"];
        let new = refused(disk.train("disk/new"));
        assert_says(&new, &[&["disk/new"][..], &remedy].concat());
        let resumed = refused(disk.mewgan(&["resume", "disk/run", "--steps", "9"]));
        assert_says(&resumed, &[&["disk/run/"][..], &remedy].concat());
        disk.mount_with("remount,rw");
        disk.done(disk.mewgan(&["resume", "disk/run", "--steps", "9"]));
    });
}
