//! Every input that fuzzing found once, and what it starts from, through what it found it with: `fuzz/`.

#[path = "../fuzz/inputs.rs"]
mod inputs;

use std::fs;
use std::path::Path;

/// Hands every file of `fuzz/seeds/<target>`, all of them whole, and of `fuzz/regressions/<target>` to `input`.
fn replay(target: &str, input: fn(&[u8]) -> bool) {
    let files = |folder: &str| {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz").join(folder).join(target);
        let entries = fs::read_dir(folder).into_iter().flatten();
        entries.map(|entry| entry.unwrap().path()).collect::<Vec<_>>()
    };
    let seeds = files("seeds");
    assert!(!seeds.is_empty(), "no inputs for {target}");
    for path in seeds {
        assert!(input(&fs::read(&path).unwrap()), "{}: refused; make fuzz/seeds again", path.display());
    }
    for path in files("regressions") {
        println!("{}", path.display());
        input(&fs::read(&path).unwrap());
    }
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
fn images() {
    replay("image", inputs::image);
}

#[test]
fn operations() {
    replay("op", inputs::op);
}
