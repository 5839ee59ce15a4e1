//! Promise: `--fit crop-random` trains on random crops of images at their own scale, each image of its own size, on either device,
//! and all that follows takes them.

use crate::support::program::{done, mewgan};
use image::{Rgb, RgbImage};
use mewgan::data::{Augment, AugmentKind, Batching, Fit, Images, LoadOptions, to_byte};
use mewgan::size::Size;
use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use tempfile::{TempDir, tempdir};

const TINY: &str = "--preset seed --size 16 --g-width 2 --d-width 2 --batch 4 --steps 2 --log-every 2";

/// Images of several sizes, one of them smaller than what is trained on; a pixel says where it lies and in which image.
fn mixed() -> TempDir {
    let folder = tempdir().unwrap();
    for (number, (width, height)) in
        [(40, 20), (16, 50), (100, 90), (8, 12), (33, 17), (16, 16)].into_iter().enumerate()
    {
        let pixel = |x: u32, y: u32| Rgb([2 * x as u8, 2 * y as u8, 40 * number as u8]);
        let name = folder.path().join(format!("{number}.png"));
        RgbImage::from_fn(width, height, pixel).save(name).unwrap();
    }
    folder
}

fn loaded(folder: &TempDir, cover: Option<Size>) -> Images {
    let own = LoadOptions { fit: Fit::CropRandom, cover, whole: true, ..LoadOptions::new(16.into(), 3) };
    Images::load(folder.path().to_str().unwrap(), &own).unwrap().images
}

fn batching(rank: (usize, usize)) -> Batching {
    let augment = Augment { kind: AugmentKind::Deluxe, rotate: 0.0, stretch: 0.0, load_size: None };
    Batching { batch: 6, drop_last: false, seed: 3, name: "x", augment, size: 16.into(), rank }
}

#[test]
fn images_keep_their_scale_and_are_seen_everywhere() {
    let images = loaded(&mixed(), None);
    let sides: Vec<[usize; 2]> = (0..6).map(|index| images.size_of(index).extents()).collect();
    assert_eq!(
        sides,
        [[20, 40], [50, 16], [90, 100], [24, 16], [17, 33], [16, 16]],
        "the small one covers 16x16"
    );
    let mut corners = BTreeSet::new();
    for step in 0..1500 {
        let batch = batching((0, 1)).batch_at(&images, step).unwrap();
        for (image, index) in batch.images.chunks_exact(16 * 16 * 3).zip(batch.indices) {
            let bytes: Vec<u8> = image.iter().map(|&unit| to_byte(unit)).collect();
            assert!(index == 3 || bytes.chunks(3).all(|pixel| pixel[2] == 40 * index as u8), "of one image");
            if index == 4 {
                let flipped = bytes[0] > bytes[3];
                let row = if flipped { &bytes[15 * 3..] } else { &bytes };
                let (left, top) = (row[0] / 2, row[1] / 2);
                let at = |y: usize, x: usize| &bytes[(y * 16 + if flipped { 15 - x } else { x }) * 3..][..2];
                assert!((0..16).all(|x| at(0, x) == [2 * (left + x as u8), 2 * top]), "a pixel is a pixel");
                assert_eq!(at(15, 0), [2 * left, 2 * (top + 15)]);
                corners.insert((left, top, flipped));
            }
        }
    }
    assert_eq!(corners.len(), 18 * 2 * 2, "18 lefts, two tops, flipped or not");
}

#[test]
fn ranks_cut_the_same_crops_as_one() {
    let images = loaded(&mixed(), Some(30.into()));
    assert!((0..6).all(|index| images.size_of(index).least() == 30), "each just covers 30x30");
    for step in 0..5 {
        let all = batching((0, 1)).batch_at(&images, step).unwrap().images;
        let ranks = (0..3).flat_map(|rank| batching((rank, 3)).batch_at(&images, step).unwrap().images);
        assert!(ranks.eq(all));
    }
}

#[test]
fn both_systems_train_on_crops_and_go_on() {
    let (data, folder) = (mixed(), tempdir().unwrap());
    let source = data.path().display();
    for device in ["cpu", "gpu"] {
        for (model, sets) in [
            ("dcgan", format!("--data {source} --noise-size 4")),
            ("cyclegan", format!("--x {source} --y builtin:noto/faces --blocks 1 --load-size 24")),
        ] {
            let run = format!("{model}-{device}");
            let train = format!("train {model} {sets} --fit crop-random {TINY} --device {device}");
            let said = done(&folder, &format!("{train} --out {run}"));
            assert!(said.contains("6 images in crops of 16x16"), "{said}");
            done(&folder, &format!("resume {run} --steps 4"));
            done(&folder, &format!("{} --out {run}-whole", train.replace("--steps 2", "--steps 4")));
            let state = |run: &str| checkpoint(&folder.path().join(run));
            assert!(state(&run) == state(&format!("{run}-whole")), "resumed as if it had never stopped");
            let judged = done(&folder, &format!("evaluate {run} --device {device}"));
            assert!(judged.contains("at 16 pixels"), "{judged}");
            done(&folder, &format!("export web {run} --out {run}/site --images 3"));
        }
    }
}

/// The tensors of a run's checkpoint after step 4.
fn checkpoint(run: &Path) -> Vec<u8> {
    let bytes = fs::read(run.join("checkpoints/000004.safetensors")).unwrap();
    let header = u64::from_le_bytes(bytes[..8].try_into().unwrap()) as usize;
    bytes[8 + header..].to_vec()
}

#[test]
fn whole_images_count_as_memory() {
    let folder = tempdir().unwrap();
    let data = folder.path().join("data");
    fs::create_dir(&data).unwrap();
    for name in 0..4 {
        RgbImage::new(2000, 2000).save(data.join(format!("{name}.png"))).unwrap();
    }
    let train = |fit: &str| {
        mewgan(
            &folder,
            &format!("train dcgan --data data --fit {fit} {TINY} --memory-limit 40 --device cpu --out {fit}"),
        )
    };
    assert!(train("crop").status.success());
    let refused = train("crop-random");
    let error = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(!refused.status.success() && error.contains("46 of them for its images"), "{error}");
}
