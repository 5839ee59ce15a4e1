//! What is found in folders, and what is not.

use super::OPTIONS;
use image::RgbImage;
use mewgan::Error;
use mewgan::data::{Images, LoadOptions, search};
use std::fs;
use tempfile::{TempDir, tempdir};

fn folder_of(names: &[&str]) -> TempDir {
    let folder = tempdir().unwrap();
    for name in names {
        let path = folder.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        if image::ImageFormat::from_path(&path).is_ok() {
            RgbImage::new(9, 9).save_with_format(path, image::ImageFormat::Png).unwrap();
        } else {
            fs::write(path, "").unwrap();
        }
    }
    folder
}

#[test]
fn images_of_all_kinds_are_found_and_others_counted() {
    let images =
        ["a.jfif", "b.JPE", "c.bmp", "d.TIF", "e.tiff", "f.gif", "g.apng", "sub/h.jpeg", "sub/i.webp"];
    let folder = folder_of(&images);
    for name in ["1.avif", "2.AVIF", "3.heic", "note", ".hidden.avif", "sub/4.txt"] {
        fs::write(folder.path().join(name), "").unwrap();
    }
    for name in ["a.jfif", "b.JPE", "g.apng"] {
        RgbImage::new(9, 9).save_with_format(folder.path().join(name), image::ImageFormat::Png).unwrap();
    }
    let loaded = Images::load(folder.path().to_str().unwrap(), &OPTIONS).unwrap();
    assert_eq!(loaded.images.names(), images);
    assert_eq!(loaded.left_out.unwrap(), "2 .avif, 1 .heic, 1 .txt, 1 without extension");
    let found = search(folder_of(&["a.png"]).path().to_str().unwrap()).unwrap();
    assert_eq!((found.files.len(), found.left_out()), (1, None));
}

#[test]
fn of_many_kinds_the_most_frequent_are_listed() {
    let folder = folder_of(&["a.png", "1.a", "2.b", "3.c", "4.d", "5.e", "6.f", "7.f", "8.g"]);
    let found = search(folder.path().to_str().unwrap()).unwrap();
    assert_eq!(found.left_out().unwrap(), "2 .f, 1 .a, 1 .b, 1 .c, 1 .d, 2 more");
}

#[cfg(unix)]
#[test]
fn links_that_lead_nowhere_are_bad_images() {
    use std::os::unix::fs::{PermissionsExt, symlink};
    let folder = folder_of(&["good.png", "sub/good.png", "closed/image.png"]);
    let path = |name: &str| folder.path().join(name);
    symlink("nothing.png", path("broken.png")).unwrap();
    symlink("no-folder", path("broken")).unwrap();
    symlink("nothing.txt", path("broken.txt")).unwrap();
    symlink("nothing.png", path(".hidden.png")).unwrap();
    symlink("..", path("sub/loop")).unwrap();
    symlink("circle.png", path("circle.png")).unwrap();
    fs::set_permissions(path("closed"), fs::Permissions::from_mode(0o000)).unwrap();
    // The superuser may read all.
    let closed = fs::read_dir(path("closed")).is_err();

    let source = folder.path().to_str().unwrap();
    let refused = Images::load(source, &OPTIONS);
    let skipping = Images::load(source, &LoadOptions { skip_bad: true, ..OPTIONS });
    fs::set_permissions(path("closed"), fs::Permissions::from_mode(0o700)).unwrap();

    let mut expected = vec!["broken", "broken.png", "circle.png", "sub/loop"];
    expected.extend(closed.then_some("closed"));
    expected.sort_unstable();
    let named = |bad: Vec<(std::path::PathBuf, String)>| {
        let below = |(bad, _): (std::path::PathBuf, _)| {
            bad.strip_prefix(folder.path()).unwrap().display().to_string()
        };
        bad.into_iter().map(below).collect::<Vec<_>>()
    };
    match refused {
        Err(Error::Images { bad, .. }) => {
            let looped = bad.iter().find(|(path, _)| path.ends_with("sub/loop")).unwrap();
            assert!(looped.1.contains("a link back to"), "{looped:?}");
            assert_eq!(named(bad), expected);
        }
        other => panic!("{other:?}"),
    }
    let skipping = skipping.unwrap();
    assert_eq!(named(skipping.skipped), expected);
    let good = skipping.images.names().iter().filter(|name| name.ends_with("good.png"));
    assert_eq!(good.count(), 2);
    assert_eq!(skipping.left_out.unwrap(), "1 .txt");
}
