//! Promise: what can be made from the program is what the program makes: the reference of settings, completions, man pages. Every
//! page of docs/ is part of the book.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use tempfile::tempdir;
use walkdir::WalkDir;

/// The commands of the program as its help lists them; `help` is not one.
fn commands() -> Vec<String> {
    let help = output(&["--help"]);
    let (_, list) = help.split_once("Commands:\n").unwrap();
    let names =
        list.lines().take_while(|line| !line.is_empty()).filter_map(|line| line.split_whitespace().next());
    names.filter(|name| *name != "help").map(str::to_owned).collect()
}

/// What a command prints that has to succeed.
fn output(arguments: &[&str]) -> String {
    let output = Command::new(env!("CARGO_BIN_EXE_mewgan")).args(arguments).output().unwrap();
    assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

fn docs() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("docs")
}

#[test]
fn the_reference_of_settings_is_up_to_date() {
    let page = output(&["settings"]);
    for part in ["| `--lambda-cycle` | number |", "| `--g-width` | 32 | 16 | 32 | 64 |"] {
        assert!(page.contains(part), "{part:?} is not in: {page}");
    }
    let kept = fs::read_to_string(docs().join("settings.md")).unwrap();
    assert!(kept.replace("\r\n", "\n") == page, "write it again: mewgan settings > docs/settings.md");
}

#[test]
fn completions_know_every_command() {
    for shell in ["bash", "elvish", "fish", "powershell", "zsh"] {
        let script = output(&["completions", shell]);
        for name in commands() {
            assert!(script.contains(&name), "{shell}: {name}");
        }
        assert!(script.contains("lambda-cycle"), "{shell}");
    }
}

/// bash itself reads the script, and completes by it.
#[cfg(unix)]
#[test]
fn bash_completes() {
    let folder = tempdir().unwrap();
    let script = folder.path().join("mewgan.bash");
    fs::write(&script, output(&["completions", "bash"])).unwrap();
    let complete = r#"source "$1"; COMP_WORDS=(mewgan train cyc); COMP_CWORD=2; _mewgan mewgan cyc train; echo "${COMPREPLY[@]}""#;
    let bash = Command::new("bash").args(["-c", complete, "bash"]).arg(&script).output().unwrap();
    assert_eq!(
        String::from_utf8_lossy(&bash.stdout).trim(),
        "cyclegan",
        "{}",
        String::from_utf8_lossy(&bash.stderr)
    );
}

#[test]
fn every_command_has_a_man_page() {
    let folder = tempdir().unwrap();
    let man = folder.path().join("man1");
    output(&["man", "--out", man.to_str().unwrap()]);
    let page = |name: &str| fs::read_to_string(man.join(format!("{name}.1"))).unwrap();
    assert!(page("mewgan").contains(".TH mewgan 1"), "{}", page("mewgan"));
    for name in commands() {
        assert!(page("mewgan").contains(&format!("mewgan\\-{name}(1)")), "{name}");
        assert!(page(&format!("mewgan-{name}")).contains(".SH SYNOPSIS"), "{name}");
    }
    assert!(page("mewgan-train-cyclegan").contains("lambda\\-cycle"));
    assert!(!man.join("mewgan-settings.1").exists(), "a hidden command has no page");
}

/// The book's table of contents, without which mdBook leaves a page out.
#[test]
fn every_page_is_in_the_book() {
    let summary = fs::read_to_string(docs().join("SUMMARY.md")).unwrap();
    let listed: BTreeSet<&str> =
        summary.split("](").skip(1).filter_map(|link| link.split_once(')')).map(|(path, _)| path).collect();
    for entry in WalkDir::new(docs()).into_iter().map(Result::unwrap) {
        let path = entry.path().strip_prefix(docs()).unwrap().to_str().unwrap().replace('\\', "/");
        if path.ends_with(".md") && path != "SUMMARY.md" {
            assert!(listed.contains(path.as_str()), "docs/SUMMARY.md does not list {path}");
        }
    }
}
