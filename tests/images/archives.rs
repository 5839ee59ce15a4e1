//! Sets of images in zip files.

use super::OPTIONS;
use image::{DynamicImage, ImageFormat, RgbImage};
use mewgan::data::{Images, LoadOptions, search};
use std::fs::{self, File};
use std::io::{Cursor, Write};
use std::path::{Path, PathBuf};
use tempfile::{TempDir, tempdir};
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipWriter};

fn png(level: u8) -> Vec<u8> {
    let mut content = Cursor::new(Vec::new());
    let image = RgbImage::from_fn(12, 10, |x, y| image::Rgb([level, x as u8 * 20, y as u8 * 20]));
    DynamicImage::from(image).write_to(&mut content, ImageFormat::Png).unwrap();
    content.into_inner()
}

fn zip_of(folder: &TempDir, entries: &[(&str, Vec<u8>)]) -> PathBuf {
    let path = folder.path().join("images.zip");
    let mut zip = ZipWriter::new(File::create(&path).unwrap());
    for (number, (name, content)) in entries.iter().enumerate() {
        let method = [CompressionMethod::Stored, CompressionMethod::Deflated][number % 2];
        zip.start_file(*name, SimpleFileOptions::default().compression_method(method)).unwrap();
        zip.write_all(content).unwrap();
    }
    zip.finish().unwrap();
    path
}

fn message<T>(result: mewgan::Result<T>) -> String {
    result.err().expect("an error").to_string()
}

fn load(path: &Path) -> mewgan::Result<mewgan::data::Loaded> {
    Images::load(path.to_str().unwrap(), &OPTIONS)
}

#[test]
fn a_zip_file_is_as_the_folder_it_was_made_of() {
    let (packed, unpacked) = (tempdir().unwrap(), tempdir().unwrap());
    let names: Vec<String> = (0..60).map(|number| format!("{}/{number}.png", number % 3)).collect();
    let entries: Vec<_> =
        names.iter().enumerate().map(|(level, name)| (name.as_str(), png(level as u8))).collect();
    for (name, content) in &entries {
        fs::create_dir_all(unpacked.path().join(name).parent().unwrap()).unwrap();
        fs::write(unpacked.path().join(name), content).unwrap();
    }
    let path = zip_of(&packed, &entries);
    let zipped = load(&path).unwrap();
    assert_eq!(zipped.images, load(unpacked.path()).unwrap().images);
    assert_eq!(Images::load_named(path.to_str().unwrap(), &names[..2], &OPTIONS).unwrap().len(), 2);
}

#[test]
fn what_is_no_image_of_the_set_is_left_out() {
    let folder = tempdir().unwrap();
    let names =
        ["b.png", "a/c.PNG", "__MACOSX/._b.png", ".hidden/d.png", "a/.e.png", "notes.txt", "../../out.png"];
    let path = zip_of(&folder, &names.map(|name| (name, png(0))));
    let found = search(path.to_str().unwrap()).unwrap();
    let names: Vec<_> = found.files.iter().map(|file| file.name.as_str()).collect();
    assert_eq!(names, ["a/c.PNG", "b.png", "out.png"], "none of them leads out of a folder");
    assert_eq!(found.files[0].path, path.join("a/c.PNG"));
    assert_eq!(found.left_out().unwrap(), "1 .txt");
    let empty = message(load(&zip_of(&folder, &[("a.txt", vec![])])));
    assert!(empty.contains("images.zip: no images in it") && empty.contains("1 .txt"), "{empty}");
}

#[test]
fn damaged_zip_files_are_refused_and_damaged_entries_skipped() {
    let folder = tempdir().unwrap();
    let path = zip_of(&folder, &[("a.png", png(1)), ("b.png", png(2)), ("c.png", b"no image".to_vec())]);
    let whole = fs::read(&path).unwrap();
    fs::write(&path, &whole[..whole.len() / 2]).unwrap();
    let cut = message(load(&path));
    assert!(cut.contains("images.zip: not a zip file that can be read"), "{cut}");
    fs::write(&path, "no zip file").unwrap();
    assert!(message(load(&path)).contains("not a zip file that can be read"));

    // Inside of the first entry's data, which is stored as it is.
    let mut damaged = whole.clone();
    damaged[70] ^= 1;
    fs::write(&path, &damaged).unwrap();
    let loaded = Images::load(path.to_str().unwrap(), &LoadOptions { skip_bad: true, ..OPTIONS }).unwrap();
    let skipped: Vec<_> = loaded.skipped.iter().map(|(path, _)| path.file_name().unwrap()).collect();
    assert_eq!(
        (loaded.images.names(), skipped),
        (&["b.png".to_owned()][..], vec!["a.png".as_ref(), "c.png".as_ref()])
    );
    assert!(loaded.skipped[0].1.to_lowercase().contains("checksum"), "{:?}", loaded.skipped);
}

#[test]
fn encrypted_entries_and_unknown_methods_are_named() {
    let folder = tempdir().unwrap();
    let path = zip_of(&folder, &[("a.png", png(1))]);
    let whole = fs::read(&path).unwrap();
    // The flags and the method of the entry, in the directory at the end and at its own start.
    let directory = whole.windows(4).position(|bytes| bytes == b"PK\x01\x02").unwrap();
    let with = |flags: u8, method: u8| {
        let mut content = whole.clone();
        for (flag, of) in [(6, 8), (directory + 8, directory + 10)] {
            content[flag] |= flags;
            content[of] = method;
        }
        fs::write(&path, content).unwrap();
        message(load(&path))
    };
    let encrypted = with(1, 0);
    assert!(encrypted.contains("a.png (encrypted; unpack its zip file with the password"), "{encrypted}");
    let method = with(0, 12);
    assert!(method.contains("a.png (compressed by") && method.contains("deflate"), "{method}");
}

/// 257 MiB of zeros, which take 256 kB in the file; and then the same with a lie about it.
#[test]
fn entries_that_unpack_to_too_much_are_refused() {
    let folder = tempdir().unwrap();
    let path = folder.path().join("bomb.zip");
    let mut zip = ZipWriter::new(File::create(&path).unwrap());
    let options = SimpleFileOptions::default().compression_method(CompressionMethod::Deflated);
    zip.start_file("a.png", options).unwrap();
    (0..257).for_each(|_| zip.write_all(&vec![0; 1 << 20]).unwrap());
    zip.finish().unwrap();
    let honest = message(load(&path));
    assert!(honest.contains("a.png (longer than 256 MiB"), "{honest}");

    let mut content = fs::read(&path).unwrap();
    let directory = content.windows(4).rposition(|bytes| bytes == b"PK\x01\x02").unwrap();
    for size in [22, directory + 24] {
        content[size..size + 4].copy_from_slice(&1000_u32.to_le_bytes());
    }
    fs::write(&path, content).unwrap();
    assert!(message(load(&path)).contains("1 of 1 images cannot be read"));
}
