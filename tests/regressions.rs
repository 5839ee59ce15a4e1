//! Every input that fuzzing found once, and what it starts from, through what it found it with: `fuzz/`.

#[path = "../fuzz/inputs.rs"]
mod inputs;

use std::fs;
use std::path::Path;

/// Hands every file of `fuzz/seeds/<target>` and `fuzz/regressions/<target>` to `input`.
fn replay(target: &str, input: fn(&[u8])) {
    let fuzz = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz");
    let mut count = 0;
    for folder in ["seeds", "regressions"].map(|folder| fuzz.join(folder).join(target)) {
        for entry in fs::read_dir(&folder).into_iter().flatten() {
            let path = entry.unwrap().path();
            println!("{}", path.display());
            input(&fs::read(&path).unwrap());
            count += 1;
        }
    }
    assert!(count > 0, "no inputs for {target}");
}

#[test]
fn checkpoints() {
    replay("checkpoint", inputs::checkpoint);
}

#[test]
fn settings() {
    replay("config", inputs::config);
}

#[test]
fn pictures() {
    replay("picture", inputs::picture);
}

#[test]
fn operations() {
    replay("op", inputs::op);
}
