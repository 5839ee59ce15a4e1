//! All tests in one program, which links the library once. A file of `tests/` is a module here: `cargo test --release --test suite
//! ladder::` runs those of `tests/ladder.rs`. Ranks that are processes are tested apart, by `make mpi`.

mod support;

mod bad_files;
mod bench_cli;
mod checkpoint;
mod cli;
mod contractions;
mod crops;
mod custom;
mod cyclegan_cli;
mod cyclegan_presets;
mod cyclegan_resume;
mod data;
mod device;
mod diagnostics;
mod disk;
mod dispatches;
mod docs;
mod errors;
mod evaluate;
mod examples;
mod export;
mod faults;
mod finite;
mod golden_cyclegan;
mod golden_dcgan;
mod golden_ops;
mod golden_optim;
mod golden_pix2pix;
mod gradcheck;
mod images;
mod init;
mod kernels;
mod kernels_cli;
mod ladder;
mod layering;
mod lowering;
mod memory;
mod mixed;
mod op;
mod operators;
mod page;
mod phases;
mod pix2pix;
mod pix2pix_cli;
mod presets;
mod quality;
mod random_graphs;
mod ranks;
mod regressions;
mod report;
mod resume;
mod resume_settings;
mod session;
mod sets;
mod shaders;
#[cfg(unix)]
mod signals;
mod sizes;
mod soundness;
mod steps;
mod translate;
mod tune;
mod web;

/// A file that is not a module above would never be run.
#[test]
fn every_file_of_tests_is_a_module() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests");
    let files = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    for file in files.filter(|path| path.extension().is_some_and(|extension| extension == "rs")) {
        let name = file.file_stem().unwrap().to_str().unwrap();
        let module = include_str!("main.rs").lines().any(|line| line == format!("mod {name};"));
        assert!(module || ["main", "mpi"].contains(&name), "tests/main.rs lacks `mod {name};`");
    }
}
