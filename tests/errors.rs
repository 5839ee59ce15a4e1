//! What errors say: the library names settings, and the command line makes flags of them.

use std::fs;
use std::path::Path;

/// Texts of the library that are for people at a command line: commands on a run's page, and advice to its signs of trouble.
const FOR_THE_COMMAND_LINE: [&str; 4] =
    ["train/cyclegan/mod.rs", "train/dcgan.rs", "train/reporting.rs", "train/symptoms/finding.rs"];

fn search(folder: &Path, found: &mut Vec<String>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let leave_out =
            FOR_THE_COMMAND_LINE.iter().any(|end| path.ends_with(end)) || path.ends_with("src/cli");
        if leave_out {
            continue;
        }
        if path.is_dir() {
            search(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let text = fs::read_to_string(&path).unwrap();
            let code = text.lines().filter(|line| !line.trim_start().starts_with("//"));
            let flag = |line: &&str| {
                line.match_indices("--")
                    .any(|(at, _)| line[at + 2..].starts_with(|c: char| c.is_ascii_lowercase()))
            };
            found.extend(code.filter(flag).map(|line| format!("{}: {}", path.display(), line.trim())));
        }
    }
}

/// A remedy is a setting's name in backticks, as in "use a smaller `batch`".
#[test]
fn the_library_speaks_of_no_flags() {
    let mut found = Vec::new();
    search(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), &mut found);
    assert_eq!(found, [""; 0]);
}
