//! Files with something wrong: shown with a warning, or refused by name.

use super::{OPTIONS, fixture};
use mewgan::Error;
use mewgan::data::{ImageFile, Images};
use std::fs;
use tempfile::tempdir;

fn jpeg(mode: &str) -> Vec<u8> {
    fixture("jpegs.zip", &format!("2x2-1x1-1x1-35x27/{mode}.jpg"))
}

fn file(content: impl Into<Vec<u8>>) -> ImageFile {
    ImageFile::of_bytes("image", content.into())
}

fn problem(content: impl Into<Vec<u8>>) -> String {
    match file(content).decode() {
        Err(Error::Unreadable { problem, .. }) => problem,
        other => panic!("{other:?}"),
    }
}

/// As phones and cameras write them: a video, or another JPEG, behind the image.
#[test]
fn what_is_behind_a_jpeg_does_not_matter() {
    for mode in ["baseline", "progressive", "separate-restarts"] {
        let whole = jpeg(mode);
        let image = file(whole.clone()).read(3).unwrap();
        for behind in [
            &b"\0\0\0\x18ftypmp42 \xff\xda\0\x08 \xff\xd8\xff\xc0"[..],
            &whole[..whole.len() - 40],
            &[0xff; 9],
        ] {
            let decoded = file([&whole[..], behind].concat());
            assert_eq!(decoded.read(3).unwrap(), image);
            assert_eq!(decoded.decode().unwrap().warning, None);
        }
    }
}

#[test]
fn a_jpeg_that_lacks_its_end_marker_alone_is_shown() {
    for mode in ["baseline", "progressive", "restarts", "separate"] {
        let whole = jpeg(mode);
        let image = file(whole.clone()).read(3).unwrap();
        for lacking in 1..=2 {
            let lacking = file(&whole[..whole.len() - lacking]);
            assert_eq!(lacking.read(3).unwrap(), image, "{mode}");
            assert_eq!(lacking.decode().unwrap().warning.unwrap(), "a JPEG without its end marker");
        }
        // Less, down to a whole scan less, is cut short, as are zeros in place of the end.
        for cut in [5, 8, 20, 60, whole.len() / 2] {
            assert_eq!(problem(&whole[..whole.len() - cut]), "unexpected end of file", "{mode} less {cut}");
            let zeros = [&whole[..whole.len() - cut], &[0; 4096]].concat();
            assert_eq!(problem(zeros), "unexpected end of file", "{mode}, zeros for {cut}");
        }
    }
    let progressive = jpeg("progressive");
    let last = progressive.windows(2).rposition(|bytes| bytes == [0xff, 0xda]).unwrap();
    assert_eq!(problem(&progressive[..last]), "unexpected end of file");
}

#[test]
fn jpegs_that_are_not_supported_are_named() {
    let with_frame = |coding: u8| {
        let mut content = jpeg("baseline");
        let frame = content.windows(2).position(|bytes| bytes == [0xff, 0xc0]).unwrap();
        content[frame + 1] = coding;
        content
    };
    for (coding, named) in
        [(0xc3, "lossless JPEG"), (0xc9, "arithmetic-coded JPEG"), (0xca, "arithmetic-coded")]
    {
        assert!(problem(with_frame(coding)).contains(named), "{}", problem(with_frame(coding)));
    }
    let baseline = jpeg("baseline");
    let scan = baseline.windows(2).position(|bytes| bytes == [0xff, 0xda]).unwrap();
    let scans = baseline[scan..baseline.len() - 2].repeat(501);
    let many = problem([&baseline[..scan], &scans, &[0xff, 0xd9]].concat());
    assert!(many.contains("501 scans; at most 500"), "{many}");
}

#[test]
fn formats_that_are_not_supported_are_named() {
    assert!(problem(*b"\0\0\0\x1cftypavif\0\0\0\0avifmif1miaf").contains("AVIF, which is not supported"));
    assert!(problem(*b"\0\0\0\x18ftypheic\0\0\0\0mif1heic").contains("HEIC, which is not supported"));
    assert!(problem("a text").contains("not a PNG, JPEG, WebP, GIF, BMP or TIFF file"));
}

#[test]
fn a_damaged_or_foreign_profile_is_ignored_with_a_warning() {
    let plain = file(fixture("others.zip", "RGB.tif")).read(3).unwrap();
    let mut damaged = fixture("others.zip", "p3.webp");
    // The signature that all profiles have.
    let at = damaged.windows(4).position(|bytes| bytes == b"acsp").unwrap();
    damaged[at..at + 4].fill(b'x');
    let damaged = file(damaged);
    assert_eq!(damaged.decode().unwrap().warning.unwrap(), "its colour profile is damaged and was ignored");
    assert_eq!(damaged.read(3).unwrap(), plain);

    let mut foreign = fixture("others.zip", "p3.webp");
    let at = foreign.windows(4).position(|bytes| bytes == b"RGB ").unwrap();
    foreign[at..at + 4].copy_from_slice(b"CMYK");
    let foreign = file(foreign);
    let warning = foreign.decode().unwrap().warning.unwrap();
    assert!(warning.contains("profile is for Cmyk, unlike its pixels, and was ignored"), "{warning}");
    assert_eq!(foreign.read(3).unwrap(), plain);
}

#[test]
fn a_set_tells_of_its_warnings() {
    let folder = tempdir().unwrap();
    let whole = jpeg("baseline");
    fs::write(folder.path().join("a.jpg"), &whole).unwrap();
    fs::write(folder.path().join("b.jpg"), &whole[..whole.len() - 2]).unwrap();
    let loaded = Images::load(folder.path().to_str().unwrap(), &OPTIONS).unwrap();
    assert_eq!(loaded.images.image(0), loaded.images.image(1));
    let expected = (folder.path().join("b.jpg"), "a JPEG without its end marker".to_owned());
    assert_eq!(loaded.warnings, [expected]);
}
