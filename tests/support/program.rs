//! The program, run in a folder.

use std::process::{Command, Output};
use tempfile::TempDir;

/// Runs the program with `arguments`, parted by spaces.
pub fn mewgan(folder: &TempDir, arguments: &str) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_mewgan"));
    command.current_dir(folder.path()).args(arguments.split_whitespace()).output().unwrap()
}

/// What it prints when all goes well.
pub fn done(folder: &TempDir, arguments: &str) -> String {
    let Output { status, stdout, stderr } = mewgan(folder, arguments);
    assert!(status.success(), "{arguments}: {}", String::from_utf8_lossy(&stderr));
    String::from_utf8(stdout).unwrap()
}
