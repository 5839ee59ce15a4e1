//! Lists the files that are part of the library, for `src/embedded.rs`.

use std::fmt::Write;
use std::path::Path;
use std::{env, fs, io};

/// A list's name, where the names in it begin, and its folders.
const LISTS: [(&str, &str, &[&str]); 3] = [
    ("SHADERS", "shaders/", &["shaders"]),
    ("IMAGES", "assets/", &["assets/noto", "assets/twemoji"]),
    ("PAGE", "assets/web/", &["assets/web"]),
];

fn main() -> io::Result<()> {
    println!("cargo::rerun-if-changed=build.rs");
    let mut text = String::new();
    for (list, base, folders) in LISTS {
        let mut paths = Vec::new();
        for folder in folders {
            println!("cargo::rerun-if-changed={folder}");
            collect(folder, &mut paths)?;
        }
        paths.sort_unstable();
        if list == "PAGE" {
            text.push_str("#[cfg(feature = \"web\")]\n");
        }
        let _ = writeln!(text, "pub(crate) const {list}: Files = &[");
        for path in paths {
            let name = &path[base.len()..];
            let place = format!("concat!(env!(\"CARGO_MANIFEST_DIR\"), {:?})", format!("/{path}"));
            let _ = writeln!(text, "    ({name:?}, include_bytes!({place})),");
        }
        text.push_str("];\n");
    }
    let out = env::var_os("OUT_DIR").ok_or(io::ErrorKind::NotFound)?;
    fs::write(Path::new(&out).join("embedded.rs"), text)
}

/// Adds the paths of all files under `folder`, with `/` on every system; files a desktop hides there are not ours.
fn collect(folder: &str, paths: &mut Vec<String>) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let name = entry.file_name().into_string().map_err(|_| io::ErrorKind::InvalidData)?;
        let path = format!("{folder}/{name}");
        match entry.file_type()?.is_dir() {
            _ if name.starts_with('.') => {}
            true => collect(&path, paths)?,
            false => paths.push(path),
        }
    }
    Ok(())
}
