//! The text step of a shader: what WGSL cannot say itself.
//!
//! Lines that open with `#` are directives; everything else is WGSL in which `${NAME}` stands for a definition.
//!
//! | directive | meaning |
//! |---|---|
//! | `#import lib/grid` | that file's text, once |
//! | `#define NAME value` | a definition from here on |
//! | `#if NAME` .. `#else` .. `#end` | text kept when NAME is defined and not 0 |
//! | `#for i in 4` (or a name) .. `#end` | text repeated with `${i}` from 0, unrolled |

use crate::embedded::SHADERS;
use crate::{Error, Result};
use std::collections::{BTreeMap, BTreeSet};

/// Names of all kernels (`family/kernel`), without the shared pieces under `lib/`.
pub fn kernels() -> Vec<String> {
    let names = SHADERS.iter().filter_map(|(path, _)| path.strip_suffix(".wgsl"));
    names.filter(|name| !name.starts_with("lib/")).map(str::to_owned).collect()
}

/// The source text of `family/kernel`, as written.
///
/// # Errors
/// If there is none of that name.
pub fn source(name: &str) -> Result<&'static str> {
    let found = SHADERS.iter().find(|(path, _)| path.strip_suffix(".wgsl") == Some(name));
    let (_, text) = found.ok_or_else(|| {
        Error::Input(format!("no kernel named {name}; there are: {}", kernels().join(", ")))
    })?;
    std::str::from_utf8(text).map_err(|_| problem(&path(name), 0, "not UTF-8"))
}

/// The WGSL of `family/kernel` under the given definitions.
///
/// # Errors
/// If a directive is malformed or names something undefined; the message says where.
pub fn expand(name: &str, definitions: &[(&str, String)]) -> Result<String> {
    let mut text = Expansion::new(definitions);
    text.file(name)?;
    Ok(text.out)
}

/// The WGSL of a kernel from outside this crate, for the operation `name`, under the given definitions.
///
/// # Errors
/// As [`expand`].
pub(super) fn expand_text(name: &str, kernel: &str, definitions: &[(&str, String)]) -> Result<String> {
    let mut text = Expansion::new(definitions);
    text.lines(&format!("the kernel of {name}"), kernel)?;
    Ok(text.out)
}

fn problem(file: &str, line: usize, text: impl std::fmt::Display) -> Error {
    Error::Input(format!("{file}:{line}: {text}"))
}

/// Where the text of `family/kernel` stands.
fn path(name: &str) -> String {
    format!("shaders/{name}.wgsl")
}

struct Expansion {
    definitions: BTreeMap<String, String>,
    imported: BTreeSet<String>,
    out: String,
}

impl Expansion {
    fn new(definitions: &[(&str, String)]) -> Self {
        let owned = |(name, value): &(&str, String)| ((*name).to_owned(), value.clone());
        Self {
            definitions: definitions.iter().map(owned).collect(),
            imported: BTreeSet::new(),
            out: String::new(),
        }
    }

    fn file(&mut self, name: &str) -> Result<()> {
        self.lines(&path(name), source(name)?)
    }

    fn lines(&mut self, file: &str, text: &str) -> Result<()> {
        let lines: Vec<(usize, &str)> = text.lines().enumerate().map(|(at, line)| (at + 1, line)).collect();
        self.block(file, &lines)
    }

    fn block(&mut self, file: &str, lines: &[(usize, &str)]) -> Result<()> {
        let mut at = 0;
        while at < lines.len() {
            let (number, line) = lines[at];
            at += 1;
            let Some(directive) = line.trim_start().strip_prefix('#') else {
                let line = self.substitute(line).map_err(|text| problem(file, number, text))?;
                self.out.push_str(&line);
                self.out.push('\n');
                continue;
            };
            match directive.split_whitespace().collect::<Vec<_>>()[..] {
                ["import", name] => {
                    if self.imported.insert(name.to_owned()) {
                        self.file(name)?;
                    }
                }
                ["define", name, value] => {
                    self.definitions.insert(name.to_owned(), value.to_owned());
                }
                ["if", name] => {
                    let (otherwise, end) = close(lines, at).map_err(|text| problem(file, number, text))?;
                    let kept = if self.definitions.get(name).is_some_and(|value| value != "0") {
                        &lines[at..otherwise.unwrap_or(end)]
                    } else {
                        &lines[otherwise.map_or(end, |line| line + 1)..end]
                    };
                    self.block(file, kept)?;
                    at = end + 1;
                }
                ["for", variable, "in", count] => {
                    let (_, end) = close(lines, at).map_err(|text| problem(file, number, text))?;
                    let count = self.definitions.get(count).map_or(count, String::as_str);
                    let count: usize =
                        count.parse().map_err(|_| problem(file, number, format!("{count} is no number")))?;
                    for value in 0..count {
                        self.definitions.insert(variable.to_owned(), value.to_string());
                        self.block(file, &lines[at..end])?;
                    }
                    self.definitions.remove(variable);
                    at = end + 1;
                }
                _ => return Err(problem(file, number, format!("unknown directive {line}"))),
            }
        }
        Ok(())
    }

    fn substitute(&self, line: &str) -> std::result::Result<String, String> {
        let mut parts = line.split("${");
        let mut out = parts.next().unwrap_or_default().to_owned();
        for part in parts {
            let (name, rest) = part.split_once('}').ok_or("${ without }")?;
            let value = self.definitions.get(name).ok_or_else(|| format!("{name} is not defined"))?;
            out.push_str(value);
            out.push_str(rest);
        }
        Ok(out)
    }
}

/// The `#else`, if any, and the `#end` that belong to the directive just before `lines[from]`.
fn close(lines: &[(usize, &str)], from: usize) -> std::result::Result<(Option<usize>, usize), String> {
    let mut depth = 0;
    let mut otherwise = None;
    for (at, (_, line)) in lines.iter().enumerate().skip(from) {
        let line = line.trim();
        match line.split_whitespace().next() {
            Some("#if" | "#for") => depth += 1,
            Some("#else") if depth == 0 => otherwise = Some(at),
            Some("#end") if depth == 0 => return Ok((otherwise, at)),
            Some("#end") => depth -= 1,
            _ => {}
        }
    }
    Err("no #end".into())
}

#[cfg(test)]
mod tests {
    use super::{Expansion, expand, kernels};
    use std::collections::{BTreeMap, BTreeSet};

    fn text(lines: &str, definitions: &[(&str, &str)]) -> Result<String, String> {
        let definitions: BTreeMap<String, String> =
            definitions.iter().map(|(name, value)| ((*name).into(), (*value).into())).collect();
        let mut expansion = Expansion { definitions, imported: BTreeSet::new(), out: String::new() };
        let lines: Vec<(usize, &str)> = lines.lines().enumerate().collect();
        expansion.block("test", &lines).map_err(|error| error.to_string())?;
        Ok(expansion.out)
    }

    #[test]
    fn conditions_and_loops_nest() {
        let source = "#for i in N\n#if A\na${i}\n#else\n#for j in 2\nb${i}${j}\n#end\n#end\n#end\nz";
        assert_eq!(text(source, &[("N", "2"), ("A", "1")]).unwrap(), "a0\na1\nz\n");
        assert_eq!(text(source, &[("N", "1"), ("A", "0")]).unwrap(), "b00\nb01\nz\n");
    }

    #[test]
    fn mistakes_are_named() {
        for (source, expected) in [
            ("${X}", "X is not defined"),
            ("#if A\na", "no #end"),
            ("#for i in N\n#end", "N is no number"),
            ("#include x", "unknown directive"),
            ("#import lib/nothing", "no kernel named lib/nothing"),
        ] {
            let error = text(source, &[]).unwrap_err();
            assert!(error.contains(expected), "{error}");
        }
        assert!(expand("conv/none", &[]).is_err());
        assert!(kernels().contains(&"conv/conv2d_direct".to_owned()));
    }
}
