//! Files that are damaged, foreign or hostile are refused: by an error that names the file, what is wrong and what to do,
//! in bounded memory, and never by a panic. A table a kind of file; what fuzzing found is in `tests/regressions.rs`.

mod checkpoints;
mod images;
mod others;
mod settings;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use tempfile::{TempDir, tempdir};

/// Damage: what it is, the file's content, and words that its error must hold.
struct Row {
    what: &'static str,
    content: Vec<u8>,
    says: &'static [&'static str],
}

fn row(what: &'static str, content: impl Into<Vec<u8>>, says: &'static [&'static str]) -> Row {
    Row { what, content: content.into(), says }
}

/// The error of the program run in `folder`; it has to fail by itself, with an error and without a panic.
fn refused(folder: &Path, arguments: &[&str]) -> String {
    error_of(arguments, Command::new(program()).current_dir(folder).args(arguments).output().unwrap())
}

/// As [`refused`], in a process that gets no more than `mebibytes` of address space; more than asked for ends it.
#[cfg(target_os = "linux")]
fn refused_within(mebibytes: u64, folder: &Path, arguments: &[&str]) -> String {
    let mut shell = Command::new("sh");
    let limited = format!("ulimit -v {} && exec \"$0\" \"$@\"", mebibytes << 10);
    // Several threads, so that several files are at hand at once.
    shell.current_dir(folder).env("RAYON_NUM_THREADS", "4").args(["-c", &limited, program()]).args(arguments);
    error_of(arguments, shell.output().unwrap())
}

fn program() -> &'static str {
    env!("CARGO_BIN_EXE_mewgan")
}

fn error_of(arguments: &[&str], Output { status, stderr, .. }: Output) -> String {
    let stderr = String::from_utf8(stderr).unwrap();
    assert!(matches!(status.code(), Some(1 | 2)), "{arguments:?}: {status}: {stderr}");
    assert!(stderr.starts_with("error: ") && !stderr.contains("panicked"), "{arguments:?}: {stderr}");
    stderr
}

/// Asserts that an error names the file and holds the words of its row.
fn assert_says(row: &Row, file: &str, error: &str) {
    for part in [&[file], row.says].concat() {
        assert!(error.contains(part), "{}: {part:?} is not in: {error}", row.what);
    }
}

/// A folder with one file in it.
fn folder_with(name: &str, content: &[u8]) -> (TempDir, PathBuf) {
    let folder = tempdir().unwrap();
    let path = folder.path().join(name);
    fs::write(&path, content).unwrap();
    (folder, path)
}
