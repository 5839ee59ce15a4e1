//! A pix2pix run equals another of the same settings, and one that was stopped and resumed, bit for bit, on the same device; its pairs
//! stay pairs whatever is drawn.

use crate::support::runs::run_until;
use image::{GenericImage, Rgb, RgbImage};
use mewgan::data::{AugmentKind, Fit, Half, Images, LoadOptions};
use mewgan::models::pix2pix::{Direction, Pix2Pix, Pix2PixConfig, Pix2PixSettings, Trainer};
use mewgan::nn::Norm;
use mewgan::nn::loss::Adversarial;
use mewgan::optim::Schedule;
use mewgan::ranks::Shard;
use mewgan::train::config::{CommonSettings, DiffAugmentPart, DiffAugmentParts, Preset, RunConfig};
use mewgan::train::model::Model;
use mewgan::train::phase::{Inputs, Moment, Source};
use mewgan::train::run::Outcome;
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use tempfile::tempdir;

/// What the end of a run leaves on every device, times left out.
const FILES: [&str; 5] =
    ["checkpoints/000008.safetensors", "samples/000008.png", "progress.gif", "losses.svg", "config.toml"];

fn tiny(preset: Preset, device: &str) -> Pix2PixSettings {
    Pix2PixSettings {
        x: Some("builtin:noto/animals".into()),
        y: Some("builtin:twemoji/animals".into()),
        d_layers: Some(1),
        common: CommonSettings {
            preset: Some(preset),
            size: Some(16.into()),
            batch: Some(2),
            g_width: Some(2),
            d_width: Some(2),
            steps: Some(8),
            log_every: Some(2),
            sample_every: Some(4),
            checkpoint_every: Some(4),
            device: Some(device.into()),
            ..Default::default()
        },
        ..Default::default()
    }
}

/// The same with what helps on small sets, and images of another kind on either side.
fn recipe(preset: Preset, device: &str) -> Pix2PixSettings {
    let parts = [DiffAugmentPart::Color, DiffAugmentPart::Translation, DiffAugmentPart::Cutout];
    Pix2PixSettings {
        direction: Some(Direction::YToX),
        x_channels: Some(1),
        common: CommonSettings {
            average: Some(0.9),
            schedule: Some(Schedule::Linear),
            diffaugment: Some(DiffAugmentParts(parts.into())),
            d_norm: Some(Norm::Spectral),
            loss: Some(Adversarial::Hinge),
            r1: Some(1.0),
            r1_every: Some(2),
            ..tiny(preset, device).common
        },
        ..tiny(preset, device)
    }
}

fn config(settings: Pix2PixSettings) -> Pix2PixConfig {
    Pix2PixConfig::new(Pix2PixSettings::default(), settings).unwrap()
}

fn start(settings: Pix2PixSettings, out: &Path) -> Trainer {
    Trainer::start(config(settings), Some(out)).unwrap()
}

#[test]
fn runs_repeat_and_resumed_ones_equal_uninterrupted_ones() {
    for device in ["cpu", "gpu"] {
        repeats(tiny(Preset::Paper, device));
        repeats(recipe(Preset::Small, device));
    }
}

fn repeats(settings: Pix2PixSettings) {
    let runs = tempdir().unwrap();
    let [whole, again, stopped] = ["whole", "again", "stopped"].map(|run| runs.path().join(run));
    for out in [&whole, &again] {
        assert_eq!(run_until(start(settings.clone(), out), u64::MAX), Outcome::Finished);
    }
    assert_eq!(run_until(start(settings, &stopped), 5), Outcome::Stopped);
    let trainer = Trainer::resume(&stopped, Pix2PixSettings::default()).unwrap();
    assert_eq!(trainer.steps(), (5, 8));
    assert_eq!(run_until(trainer, u64::MAX), Outcome::Finished);
    for other in [&again, &stopped] {
        for file in FILES {
            let [a, b] = [&whole, other].map(|run| fs::read(run.join(file)).unwrap());
            assert!(a == b, "{file} differs");
        }
    }
}

/// The inputs of the step that updates the discriminator and of the one that updates the generator, by name.
fn inputs(config: &Pix2PixConfig, t: u64, shard: Shard) -> [BTreeMap<String, Vec<f32>>; 2] {
    let model = config.pix2pix().unwrap();
    let phases = model.phases(config, shard).unwrap();
    let moment = Moment { seed: 3, t, total: 8, shard, size: config.common.size };
    let mut all = Inputs::new(moment, &phases, vec![&[1.0], &[2.0]]);
    [0, 1].map(|phase| {
        let mut found = BTreeMap::new();
        all.of_phase(phase, |name, values| {
            found.insert(name.to_owned(), values.to_vec());
            Ok(())
        })
        .unwrap();
        found
    })
}

#[test]
fn both_updates_drop_the_same_and_ranks_their_part_of_it() {
    let config = config(Pix2PixSettings { dropout: Some(0.25), ..tiny(Preset::Seed, "cpu") });
    let [d, g] = inputs(&config, 1, 2.into());
    assert_eq!(d["dropout.0"], g["dropout.0"]);
    assert!(d["dropout.0"].iter().all(|&mask| mask == 0.0 || mask == 1.0 / 0.75));
    assert_ne!(inputs(&config, 2, 2.into())[0]["dropout.0"], d["dropout.0"], "anew each time");
    let parts = [0, 1].map(|rank| inputs(&config, 1, Shard::of(2, rank, 2))[0]["dropout.0"].clone());
    assert_eq!(parts.concat(), d["dropout.0"]);
    assert_eq!((d["source"][0], d["target"][0]), (1.0, 2.0));
    let turned = Pix2PixConfig { direction: Direction::YToX, ..config.clone() };
    assert_eq!(inputs(&turned, 1, 2.into())[1]["source"], [2.0]);
    let none = Pix2PixConfig { dropout: 0.0, ..config };
    let phases = none.pix2pix().unwrap().phases(&none, 2.into()).unwrap();
    let drops = |(_, source): &(String, Source)| matches!(source, Source::Dropout { .. });
    assert!(!phases.iter().any(|phase| phase.inputs.iter().any(drops)));
}

/// An image that no other is like, and no shift, flip or turn of it is like itself.
fn picture(number: u32, side: u32) -> RgbImage {
    RgbImage::from_fn(side, side, |x, y| {
        Rgb([37 * x + 11 * y, 5 * x * y + 50 * number, 90 * number + 3 * y].map(|level| (level % 256) as u8))
    })
}

fn negative(image: &RgbImage) -> RgbImage {
    let mut negative = image.clone();
    image::imageops::invert(&mut negative);
    negative
}

#[test]
fn partners_are_seen_together_and_changed_in_the_same_way() {
    let folder = tempdir().unwrap();
    let [x, y, pairs] = ["x", "y", "pairs"].map(|name| folder.path().join(name));
    [&x, &y, &pairs].into_iter().for_each(|folder| fs::create_dir(folder).unwrap());
    for number in 0..7 {
        let image = picture(number, 24);
        // Names whose order is another with their extensions.
        let stem = ["a", "a.b", "a-b", "B", "z", "10", "9"][number as usize];
        image.save(x.join(format!("{stem}.png"))).unwrap();
        negative(&image).save(y.join(format!("{stem}.bmp"))).unwrap();
        let mut pair = RgbImage::new(48, 24);
        pair.copy_from(&image, 0, 0).unwrap();
        pair.copy_from(&negative(&image), 24, 0).unwrap();
        pair.save(pairs.join(format!("{stem}.png"))).unwrap();
    }
    let name = |path: &Path| Some(path.to_str().unwrap().to_owned());
    let folders = Pix2PixSettings { x: name(&x), y: name(&y), ..tiny(Preset::Small, "cpu") };
    let files = Pix2PixSettings { pairs: name(&pairs), x: None, y: None, ..tiny(Preset::Small, "cpu") };
    for settings in [folders, files] {
        for fit in [Fit::Crop, Fit::CropRandom] {
            let mut config = config(settings.clone());
            (config.common.augment, config.common.fit) = (AugmentKind::Deluxe, fit);
            (config.common.rotate, config.common.stretch) = (20.0, 0.2);
            config.common.holdout = 0.3;
            assert_paired(&config);
        }
    }
}

fn assert_paired(config: &Pix2PixConfig) {
    use mewgan::train::dataset::Undecoded;
    let specs = Pix2Pix::datasets(config);
    let found = Undecoded::new(&specs, &config.common, None).unwrap();
    assert_eq!(found.split.of("X").held_out.len(), 2);
    let data = found.load(&specs, &config.common, &()).unwrap();
    let mut seen = Vec::new();
    for step in 0..10 {
        let batches: Vec<_> = specs
            .iter()
            .zip(&data.sets)
            .map(|(spec, set)| spec.batching.batch_at(&set.images, step).unwrap().images)
            .collect();
        let apart = batches[0].iter().zip(&batches[1]).map(|(x, y)| (x + y).abs()).fold(0.0, f32::max);
        // What lies between two levels rounds otherwise in a negative.
        assert!(apart < 1.01 / 127.5, "{apart}");
        seen.push(batches[0].clone());
    }
    seen.sort_by(|a, b| a[0].total_cmp(&b[0]));
    seen.dedup();
    assert_eq!(seen.len(), 10, "always another crop");
    let [x, y] = &data.sets[..] else { panic!("two sets") };
    let stems = |images: &Images| -> Vec<String> {
        images.names().iter().map(|name| name.rsplit_once('.').unwrap().0.to_owned()).collect()
    };
    assert_eq!(stems(&x.held_out), stems(&y.held_out));
}

#[test]
fn halves_of_a_picture_are_images() {
    let folder = tempdir().unwrap();
    let image = picture(3, 16);
    let mut pair = RgbImage::new(32, 16);
    pair.copy_from(&image, 0, 0).unwrap();
    pair.copy_from(&negative(&image), 16, 0).unwrap();
    pair.save(folder.path().join("pair.png")).unwrap();
    let source = folder.path().to_str().unwrap();
    let half = |half| {
        let options = LoadOptions { half: Some(half), ..LoadOptions::new(16.into(), 3) };
        Images::load(source, &options).unwrap().images.image(0).to_vec()
    };
    assert_eq!(half(Half::Left), image.as_raw()[..]);
    assert_eq!(half(Half::Right), negative(&image).as_raw()[..]);
    // Of a JPEG both halves have the size of the whole one's.
    RgbImage::from_pixel(256, 128, Rgb([200, 10, 10])).save(folder.path().join("large.jpg")).unwrap();
    assert_eq!(half(Half::Left).len(), 16 * 16 * 3);
}

#[test]
fn the_depth_follows_the_size() {
    for (size, depth) in [("256", 8), ("128", 7), ("64", 6), ("96x64", 5), ("512", 8), ("48", 4)] {
        let mut config = Pix2PixConfig::preset(Preset::Small);
        config.common.size = size.parse().unwrap();
        assert_eq!(config.depth(), depth, "{size}");
        config.check().unwrap();
    }
    for preset in Preset::ALL {
        Pix2PixConfig::preset(preset).checked().unwrap();
    }
}
