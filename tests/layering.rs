//! Promise: modules build on each other in one direction. `LAYERS` is the order; the front page (src/lib.rs) gives the same.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use walkdir::WalkDir;

/// The modules of the crate, bottom up: each may use those of the lines above its own, and no other.
const LAYERS: &[&[&str]] = &[
    &["error"],
    &["shape", "size", "real", "random", "file", "machine", "spelling", "embedded"],
    &["graph", "ranks", "tensor_file"],
    &["executor"],
    &["reference"],
    &["gpu"],
    &["device"],
    &["nn", "data", "quality"],
    &["optim", "evaluate", "report", "onnx"],
    &["session", "gradcheck", "op", "measure", "features"],
    &["kernels"],
    &["train"],
    &["models"],
    &["bench", "explain", "web"],
    &["cli"],
];

/// Files that are no module: what they use does not count.
const ROOTS: [&str; 2] = ["lib.rs", "main.rs"];

fn layer(module: &str) -> Option<usize> {
    LAYERS.iter().position(|layer| layer.contains(&module))
}

/// The text without comments and without modules for tests, which rustfmt ends by a brace at the start of a line.
fn code(text: &str) -> String {
    let mut code = String::new();
    let mut lines = text.lines().peekable();
    while let Some(line) = lines.next() {
        if line == "#[cfg(test)]" && lines.peek().is_some_and(|next| next.ends_with('{')) {
            lines.by_ref().find(|line| *line == "}");
            continue;
        }
        code.push_str(line.split("//").next().unwrap_or_default());
        code.push('\n');
    }
    code
}

/// The names that stand first in a list such as `{Error, gpu::{Gpu, run}, graph::Graph}`, or the one name of a path.
fn first_names(path: &str) -> Vec<String> {
    let name = |text: &str| -> String {
        text.trim_start().chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect()
    };
    let Some(list) = path.strip_prefix('{') else { return vec![name(path)] };
    let (mut names, mut depth, mut start) = (Vec::new(), 0, 0);
    for (at, c) in list.char_indices() {
        match c {
            '{' => depth += 1,
            '}' if depth > 0 => depth -= 1,
            ',' | '}' if depth == 0 => {
                names.push(name(&list[start..at]));
                start = at + 1;
                if c == '}' {
                    break;
                }
            }
            _ => {}
        }
    }
    names.retain(|name| !name.is_empty());
    names
}

/// The names of the crate's root that a file `depth` modules below it uses.
fn imports(text: &str, depth: usize) -> BTreeSet<String> {
    let code = code(text);
    let to_the_root = "super::".repeat(depth);
    let starts = ["crate::", &to_the_root];
    let after = starts.iter().flat_map(|start| code.match_indices(start).map(|(at, _)| at + start.len()));
    after.flat_map(|at| first_names(&code[at..])).collect()
}

/// What a file of the crate is: the module of the root that it is part of, and how far below the root its own module is.
fn place(path: &Path) -> (String, usize) {
    let parts: Vec<&str> = path.iter().map(|part| part.to_str().unwrap()).collect();
    let depth = parts.len() - usize::from(path.ends_with("mod.rs"));
    (parts[0].trim_end_matches(".rs").to_owned(), depth)
}

#[test]
fn modules_use_only_what_is_below_them() {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let (mut problems, mut seen) = (Vec::new(), BTreeSet::new());
    for entry in WalkDir::new(&src).sort_by_file_name().into_iter().map(Result::unwrap) {
        let path = entry.path().strip_prefix(&src).unwrap();
        let is_rust = path.extension().is_some_and(|extension| extension == "rs");
        if !is_rust || ROOTS.iter().any(|root| path == Path::new(root)) {
            continue;
        }
        let (module, depth) = place(path);
        seen.insert(module.clone());
        let Some(own) = layer(&module) else {
            problems.push(format!("src/{}: {module} is in no layer; give it one in LAYERS", path.display()));
            continue;
        };
        for used in imports(&fs::read_to_string(entry.path()).unwrap(), depth) {
            // The crate's own Error and Result are those of error.
            if used != module && layer(&used).is_some_and(|layer| layer >= own) {
                problems.push(format!(
                    "src/{} uses {used}, which is not below {module}: have callers hand over what it needs, or move what it needs \
                     into a module below both",
                    path.display()
                ));
            }
        }
    }
    assert!(problems.is_empty(), "{}", problems.join("\n"));
    let gone: Vec<_> = LAYERS.concat().into_iter().filter(|module| !seen.contains(*module)).collect();
    assert!(gone.is_empty(), "LAYERS names modules that are not there: {gone:?}");
}

/// Public modules stand there in the order of `LAYERS`.
#[test]
fn the_front_page_gives_the_same_order() {
    let page = include_str!("../src/lib.rs");
    let rows = page.lines().filter_map(|line| line.strip_prefix("//! | [`")?.split_once(" | "));
    let name = |link: &str| link.trim_start_matches("mod@").split('`').next().unwrap().to_owned();
    let listed: Vec<String> =
        rows.flat_map(|(links, _)| links.split("[`").map(name).collect::<Vec<_>>()).collect();
    let layers: Vec<_> = listed.iter().map(|module| layer(module)).collect();
    assert!(
        layers.is_sorted() && !layers.contains(&None),
        "in src/lib.rs, not in the order of LAYERS: {listed:?}"
    );
    let public: BTreeSet<&str> =
        page.lines().filter_map(|line| line.strip_prefix("pub mod ")?.strip_suffix(';')).collect();
    assert_eq!(
        listed.iter().map(String::as_str).collect::<BTreeSet<_>>(),
        public,
        "of src/lib.rs, as listed and as there"
    );
}

#[test]
fn imports_are_found_wherever_they_stand() {
    let text = "\
use crate::{Error, graph::{Graph, Step}, ranks};
// use crate::web;
use super::super::{device::Device};
use super::report;
fn f() -> crate::Result<()> { crate::gpu::adapters() }
#[cfg(test)]
mod tests {
    use crate::cli;
}
macro_rules! m { () => { $crate::file::text() } }
";
    let found: Vec<String> = imports(text, 2).into_iter().collect();
    assert_eq!(found, ["Error", "Result", "device", "file", "gpu", "graph", "ranks"]);
    assert_eq!(place(Path::new("gpu/lower/mod.rs")), ("gpu".into(), 2));
    assert_eq!(place(Path::new("gpu/lower/call.rs")), ("gpu".into(), 3));
    assert_eq!(place(Path::new("shape.rs")), ("shape".into(), 1));
}
