//! What is translated, and where it goes.

use crate::cli::say;
use crate::data::{EXTENSIONS, ImageFile, find, is_archive};
use crate::{Error, Result};
use clap::ValueEnum;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// The format of translations, as named on the command line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Format {
    Png,
    Jpeg,
    Webp,
    Same,
}

/// The format of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Encoding {
    Png,
    Jpeg,
    Webp,
}

impl Encoding {
    /// Extensions that name it; the first is the usual one.
    fn extensions(self) -> &'static [&'static str] {
        match self {
            Self::Png => &["png"],
            Self::Jpeg => &["jpg", "jpeg", "jpe", "jfif"],
            Self::Webp => &["webp"],
        }
    }

    /// That of a file's name.
    fn named(path: &Path) -> Option<Self> {
        let extension = extension(path)?;
        [Self::Png, Self::Jpeg, Self::Webp].into_iter().find(|of| of.extensions().contains(&&*extension))
    }

    /// That of the translation of `source` where `format` is asked for.
    fn of(format: Format, source: &Path) -> Self {
        match format {
            Format::Png => Self::Png,
            Format::Jpeg => Self::Jpeg,
            Format::Webp => Self::Webp,
            Format::Same => Self::named(source).unwrap_or(Self::Png),
        }
    }
}

fn extension(path: &Path) -> Option<String> {
    path.extension().map(|extension| extension.to_string_lossy().to_lowercase())
}

/// An image to translate.
pub struct Job {
    pub file: ImageFile,
    /// Where its translation goes.
    pub target: PathBuf,
    pub encoding: Encoding,
}

/// Every image to translate, in the order of their names.
///
/// # Errors
/// If there are none, or two would go to one place.
pub fn jobs(inputs: &[String], out: &Path, format: Option<Format>) -> Result<Vec<Job>> {
    let mut files = Vec::new();
    for input in inputs {
        let path = Path::new(input);
        match path.is_file() && !is_archive(path) {
            true => files.push(ImageFile::at(path)),
            false => files.extend(without_output(input, find(input)?, out)?),
        }
    }
    let mut seen = BTreeSet::new();
    files.retain(|file| {
        seen.insert((file.name.clone(), file.path.canonicalize().unwrap_or(file.path.clone())))
    });
    let jobs = match one_file(files.len(), out, format)? {
        Some(encoding) => {
            files.truncate(1);
            files.into_iter().map(|file| Job { file, target: out.to_path_buf(), encoding }).collect()
        }
        None => named(files, out, format.unwrap_or(Format::Png))?,
    };
    let replaced = jobs.iter().find(|job| is_same(&job.target, &job.file.path));
    match replaced {
        Some(job) => Err(Error::Input(format!(
            "{}: its translation would replace it; choose another --out",
            job.file.path.display()
        ))),
        None => Ok(jobs),
    }
}

fn is_same(a: &Path, b: &Path) -> bool {
    matches!((a.canonicalize(), b.canonicalize()), (Ok(a), Ok(b)) if a == b)
}

/// `files` without those in the folder `out`, if that lies in the folder `input`.
fn without_output(input: &str, mut files: Vec<ImageFile>, out: &Path) -> Result<Vec<ImageFile>> {
    let (Ok(folder), Ok(inside)) = (Path::new(input).canonicalize(), out.canonicalize()) else {
        return Ok(files);
    };
    if inside == folder {
        return Err(Error::Input(format!(
            "{input}: images and their translations would lie in one folder, and be translated again the next time; choose another \
             --out, such as {}",
            Path::new(input).join("translated").display()
        )));
    }
    if inside.is_dir() && inside.starts_with(&folder) {
        let before = files.len();
        files.retain(|file| !file.path.canonicalize().is_ok_and(|path| path.starts_with(&inside)));
        let left_out = before - files.len();
        if left_out > 0 {
            say(format_args!(
                "{}: the folder of translations lies in {input}; its {left_out} images are not translated",
                out.display()
            ));
        }
    }
    Ok(files)
}

/// The format of `out` where that is the name of the one image to write, and not of a folder.
fn one_file(images: usize, out: &Path, format: Option<Format>) -> Result<Option<Encoding>> {
    let Some(encoding) = Encoding::named(out).filter(|_| !out.is_dir()) else { return Ok(None) };
    let name = out.display();
    if images > 1 {
        return Err(Error::Input(format!(
            "{name}: the name of one image, but there are {images} to translate; choose a folder for --out"
        )));
    }
    match format {
        Some(format) if Encoding::of(format, out) != encoding => Err(Error::Input(format!(
            "{name}: a name of another format than --format; leave --format out, or choose another name"
        ))),
        _ => Ok(Some(encoding)),
    }
}

/// What each file becomes in the folder `out`. Its name keeps all but the extension of its old format, and of files that would
/// have one name then, those that are called otherwise keep that too: beside `a.png`, `a.jpg` becomes `a.jpg.png`.
fn named(files: Vec<ImageFile>, out: &Path, format: Format) -> Result<Vec<Job>> {
    let mut wanted = BTreeMap::<PathBuf, usize>::new();
    let mut plain = Vec::new();
    for file in &files {
        let name = Path::new(&file.name);
        let encoding = Encoding::of(format, name);
        let extension = extension(name).unwrap_or_default();
        let plainly = match Encoding::named(name) == Some(encoding) {
            true => name.to_path_buf(),
            false if EXTENSIONS.contains(&&*extension) => name.with_extension(encoding.extensions()[0]),
            false => longer(name, encoding),
        };
        *wanted.entry(plainly.clone()).or_default() += 1;
        plain.push((plainly, encoding));
    }
    let mut jobs = BTreeMap::<PathBuf, Job>::new();
    for (file, (plainly, encoding)) in files.into_iter().zip(plain) {
        let name = Path::new(&file.name);
        let kept = wanted[&plainly] == 1 || plainly == name;
        let target = out.join(if kept { plainly } else { longer(name, encoding) });
        if let Some(other) = jobs.get(&target) {
            return Err(Error::Input(format!(
                "{} and {} would both become {}; rename one, or translate them into two folders",
                other.file.path.display(),
                file.path.display(),
                target.display()
            )));
        }
        jobs.insert(target.clone(), Job { file, target, encoding });
    }
    Ok(jobs.into_values().collect())
}

/// `name` and behind it the usual extension.
fn longer(name: &Path, encoding: Encoding) -> PathBuf {
    let mut name = name.as_os_str().to_owned();
    name.push(".");
    name.push(encoding.extensions()[0]);
    name.into()
}

#[cfg(test)]
mod tests {
    use super::{Encoding, Format, named};
    use crate::data::ImageFile;
    use std::path::Path;

    fn targets(names: &[&str], format: Format) -> Vec<String> {
        let files = names.iter().map(|name| ImageFile::of_bytes(name, Vec::new())).collect();
        let jobs = named(files, Path::new("out"), format).unwrap();
        jobs.into_iter().map(|job| job.target.to_str().unwrap().replacen("out/", "", 1)).collect()
    }

    #[test]
    fn names_stay_apart() {
        let png = |names: &[&str]| targets(names, Format::Png);
        assert_eq!(png(&["a.jpg", "b.PNG", "deep/c.webp"]), ["a.png", "b.PNG", "deep/c.png"]);
        assert_eq!(png(&["a.jpg", "a.png", "a.webp"]), ["a.jpg.png", "a.png", "a.webp.png"]);
        assert_eq!(png(&["a.jpg", "a.webp"]), ["a.jpg.png", "a.webp.png"]);
        assert_eq!(png(&["frame.0001", "frame.0002"]), ["frame.0001.png", "frame.0002.png"]);
        assert_eq!(png(&["frame.0001.jpg", "frame.0002.jpg"]), ["frame.0001.png", "frame.0002.png"]);
        assert_eq!(targets(&["a.jpeg", "b.png"], Format::Jpeg), ["a.jpeg", "b.jpg"]);
        assert_eq!(targets(&["a.jpeg", "b.webp", "c.gif"], Format::Same), ["a.jpeg", "b.webp", "c.png"]);
    }

    #[test]
    fn the_name_says_the_format_that_is_kept() {
        assert_eq!(Encoding::of(Format::Same, Path::new("a.JPG")), Encoding::Jpeg);
        assert_eq!(Encoding::of(Format::Same, Path::new("a.0001")), Encoding::Png);
    }
}
