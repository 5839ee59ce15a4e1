//! Where translations go.

use super::{assert_says, fails, folder, image, size, translate};
use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use walkdir::WalkDir;

/// The files under a folder.
fn files(folder: &Path) -> BTreeSet<String> {
    let files =
        WalkDir::new(folder).into_iter().map(Result::unwrap).filter(|entry| entry.file_type().is_file());
    files.map(|entry| entry.path().strip_prefix(folder).unwrap().to_str().unwrap().to_owned()).collect()
}

fn names<const N: usize>(names: [&str; N]) -> BTreeSet<String> {
    names.map(str::to_owned).into()
}

#[test]
fn names_and_sizes_are_kept() {
    let folder = folder("seed");
    let path = |name: &str| folder.path().join(name);
    fs::create_dir_all(path("in/deep")).unwrap();
    for (name, width, height) in
        [("odd.png", 37, 22), ("deep/dot.webp", 1, 1), ("deep/line.png", 3, 40), ("frame.0001.png", 8, 8)]
    {
        image(width, height).save(path("in").join(name)).unwrap();
    }
    image(9, 9).save(path("in/odd.jpg")).unwrap();
    fs::copy(path("in/frame.0001.png"), path("frame.0002")).unwrap();
    fs::copy(path("in/frame.0001.png"), path("frame.0003")).unwrap();
    let said = translate(&folder, "in in in/deep frame.0002 frame.0003 --out out");
    assert_says(&said, &["9 images translated to Y by step 4, in out"]);
    let expected = names([
        "odd.png",
        "odd.jpg.png",
        "deep/dot.png",
        "deep/line.png",
        "dot.png",
        "line.png",
        "frame.0001.png",
        "frame.0002.png",
        "frame.0003.png",
    ]);
    assert_eq!(files(&path("out")), expected);
    assert_eq!(size(&path("out/odd.png")), (37, 22));
    assert_eq!(size(&path("out/odd.jpg.png")), (9, 9));
    assert_eq!(size(&path("out/deep/dot.png")), (1, 1));
}

#[test]
fn output_is_never_input() {
    let folder = folder("seed");
    let path = |name: &str| folder.path().join(name);
    fs::create_dir(path("in")).unwrap();
    image(16, 16).save(path("in/a.png")).unwrap();
    image(20, 16).save(path("in/b.jpg")).unwrap();
    translate(&folder, "in --out in/out");
    let first = fs::read(path("in/out/a.png")).unwrap();
    let said = translate(&folder, "in --out in/out --force");
    assert_says(&said, &["in/out: ", "its 2 images are not translated", "2 images translated"]);
    assert_eq!(files(&path("in")), names(["a.png", "b.jpg", "out/a.png", "out/b.png"]));
    assert!(fs::read(path("in/out/a.png")).unwrap() == first);
    let (_, _, error) = fails(&folder, "in --out in");
    assert_says(&error, &["in: ", "translated again", "--out"]);
    let (_, _, error) = fails(&folder, "in/a.png --out in");
    assert_says(&error, &["would replace it", "--out"]);
}

#[test]
fn one_image_may_become_a_file() {
    let folder = folder("seed");
    image(16, 16).save(folder.path().join("a.jpg")).unwrap();
    translate(&folder, "a.jpg --out new/b.webp");
    assert_eq!(files(&folder.path().join("new")), names(["b.webp"]));
    assert_eq!(size(&folder.path().join("new/b.webp")), (16, 16));
    let (_, _, error) = fails(&folder, "a.jpg builtin:noto/animals --out c.png");
    assert_says(&error, &["c.png", "131 to translate", "folder"]);
    let (_, _, error) = fails(&folder, "a.jpg --out c.png --format jpeg");
    assert_says(&error, &["c.png", "--format"]);
}

#[test]
fn two_images_of_one_name_are_refused() {
    let folder = folder("seed");
    for name in ["one", "two"] {
        fs::create_dir(folder.path().join(name)).unwrap();
        image(16, 16).save(folder.path().join(name).join("a.png")).unwrap();
    }
    let (_, _, error) = fails(&folder, "one two --out out");
    assert_says(&error, &["one/a.png", "two/a.png", "both become out/a.png", "two folders"]);
}
