//! CycleGAN's presets are the published ones, tensor by tensor and number by number.

use mewgan::models::cyclegan::networks::Translator;
use mewgan::models::cyclegan::{CycleGanConfig, CycleGanSettings, Discriminator};
use mewgan::nn::Network;
use mewgan::train::config::ModelSettings;
use mewgan::train::config::{CommonSettings, Preset, RunConfig};
use mewgan::train::model::Model;
use serde_json::Value;
use std::path::Path;

const PRESETS: [(&str, Preset); 3] =
    [("cyclegan_seed", Preset::Seed), ("cyclegan_course", Preset::Course), ("cyclegan_paper", Preset::Paper)];

fn config(settings: CycleGanSettings) -> CycleGanConfig {
    CycleGanConfig::new(CycleGanSettings::default(), settings).unwrap()
}

/// Names and shapes as PyTorch's `state_dict` has them, by name.
fn entries(network: &Network) -> Vec<(String, Vec<usize>)> {
    let tensors = [network.parameters(), network.running()].concat();
    let mut entries: Vec<_> = tensors.iter().flat_map(|tensor| tensor.torch_entries()).collect();
    entries.sort();
    entries
}

fn golden_entries(network: &Value) -> Vec<(String, Vec<usize>)> {
    let entry = |tensor: &Value| {
        let shape = tensor["shape"].as_array().unwrap().iter().map(|side| side.as_u64().unwrap() as usize);
        (tensor["name"].as_str().unwrap().to_owned(), shape.collect())
    };
    let mut entries: Vec<_> = network["tensors"].as_array().unwrap().iter().map(entry).collect();
    entries.sort();
    entries
}

fn assert_is(network: &Network, golden: &Value) {
    assert_eq!(entries(network), golden_entries(golden), "{}", network.name);
    assert_eq!(network.parameter_count() as u64, golden["parameters"].as_u64().unwrap(), "{}", network.name);
}

#[test]
fn parameter_counts_are_the_published_ones() {
    let counts = PRESETS.map(|(_, preset)| {
        let model = CycleGanConfig::preset(preset).cyclegan().unwrap();
        (model.generators[0].parameter_count(), model.discriminators[0][0].parameter_count())
    });
    assert_eq!(counts, [(27_264, 175_328), (164_192, 693_760), (11_378_179, 2_764_737)]);
}

#[test]
fn tensors_are_named_and_shaped_as_pytorchs() {
    let golden: Value = serde_json::from_str(include_str!("golden/names.json")).unwrap();
    for (name, preset) in PRESETS {
        let model = CycleGanConfig::preset(preset).cyclegan().unwrap();
        model.generators.iter().for_each(|network| assert_is(network, &golden[name]["G"]));
        model.all_discriminators().into_iter().for_each(|network| assert_is(network, &golden[name]["D"]));
        let names =
            model.generators.iter().chain(model.all_discriminators()).map(|network| network.name.as_str());
        assert_eq!(names.collect::<Vec<_>>(), ["G_XtoY", "G_YtoX", "D_X", "D_Y"]);
    }
    let patch = CycleGanSettings {
        discriminator: Some(Discriminator::Patch),
        common: CommonSettings { preset: Some(Preset::Course), ..Default::default() },
        ..Default::default()
    };
    assert_is(
        config(patch).cyclegan().unwrap().all_discriminators()[0],
        &golden["cyclegan_course"]["D_patch"],
    );
    let six = CycleGanSettings {
        common: CommonSettings { preset: Some(Preset::Paper), blocks: Some(6), ..Default::default() },
        ..Default::default()
    };
    assert_is(&config(six).cyclegan().unwrap().generators[0], &golden["cyclegan_paper"]["G_6"]);
}

/// A whole-image discriminator of half the size has one halving less: 32 to 256 channels, then 32 to 128.
#[test]
fn scales_add_discriminators() {
    let scaled = |discriminator, scales| {
        let (preset, discriminator) = (Some(Preset::Course), Some(discriminator));
        config(CycleGanSettings {
            discriminator,
            scales: Some(scales),
            common: CommonSettings { preset, ..Default::default() },
            ..Default::default()
        })
        .cyclegan()
        .unwrap()
    };
    let model = scaled(Discriminator::Whole, 2);
    let counts =
        model.all_discriminators().iter().map(|network| network.parameter_count()).collect::<Vec<_>>();
    let smaller = 693_760 - 16 * (128 * 256 + 256) + 16 * 128;
    assert_eq!(counts, [693_760, smaller, 693_760, smaller]);
    for (discriminator, scales) in
        [(Discriminator::Whole, 4), (Discriminator::Patch, 3), (Discriminator::Patch70, 2)]
    {
        let model = scaled(discriminator, scales);
        let names: Vec<_> = model.all_discriminators().iter().map(|network| network.name.clone()).collect();
        let expected = ["X", "Y"].map(|domain| (0..scales).map(move |scale| format!("D_{domain}.{scale}")));
        assert_eq!(names, expected.into_iter().flatten().collect::<Vec<_>>());
        model.steps(2).unwrap();
    }
}

#[test]
fn other_sizes_and_grey_images_build() {
    for (_, preset) in PRESETS {
        for generator in [Translator::Plain, Translator::Resnet] {
            for (discriminator, size) in [
                (Discriminator::Whole, 8),
                (Discriminator::Whole, 128),
                (Discriminator::Patch, 16),
                (Discriminator::Patch, 20),
                (Discriminator::Patch70, 24),
                (Discriminator::Patch70, 100),
            ] {
                let settings = CycleGanSettings {
                    generator: Some(generator),
                    discriminator: Some(discriminator),
                    common: CommonSettings {
                        preset: Some(preset),
                        size: Some(size.into()),
                        channels: Some(1),
                        g_width: Some(2),
                        d_width: Some(2),
                        ..Default::default()
                    },
                    ..Default::default()
                };
                config(settings).cyclegan().unwrap().steps(2).unwrap();
            }
        }
    }
}

/// Where nobody chooses, the recipe for small sets is taken, and its run's settings name it.
#[test]
fn the_default_is_the_recipe_for_small_sets() {
    let default = config(CycleGanSettings::default());
    assert_eq!(default, CycleGanConfig::preset(Preset::Small));
    assert!(default.common.average > 0.0 && default.pool > 0);
    assert!(default.to_toml().unwrap().contains("preset = \"small\""));
    for size in [16, 32, 64, 128] {
        let model = config(CycleGanSettings {
            common: CommonSettings { size: Some(size.into()), ..Default::default() },
            ..Default::default()
        })
        .cyclegan()
        .unwrap();
        assert!(!model.steps(2).unwrap().is_empty());
    }
}

#[test]
fn update_counts_follow_the_order_of_updates() {
    // Of the generators and of the discriminators, after so many iterations.
    let counts = |preset: Preset, iterations: u64| {
        let config = CycleGanConfig::preset(preset);
        let phases = config.cyclegan().unwrap().phases(&config, 2.into()).unwrap();
        let of = |trains| phases.iter().filter(move |phase| phase.trains == trains);
        [0, 1].map(|trains| of(trains).map(|phase| phase.due.until(iterations)).sum::<u64>())
    };
    assert_eq!([0, 1, 2, 3].map(|step| counts(Preset::Seed, step)), [[0, 0], [2, 1], [4, 3], [6, 4]]);
    assert_eq!(counts(Preset::Course, 7), [7, 7]);
}

#[test]
fn what_is_written_is_read_again() {
    let file = "preset = \"paper\"\nepochs = 3\naverage = 0.999\ndecay_from = 5\nupdates = \"apart\"\n";
    let file = CycleGanSettings::from_toml(file, Path::new("settings.toml")).unwrap();
    let flags = CycleGanSettings {
        d_fake_every: Some(3),
        common: CommonSettings { steps: Some(7), ..Default::default() },
        ..Default::default()
    };
    let merged = CycleGanConfig::new(file, flags).unwrap();
    assert_eq!((merged.common.steps, merged.common.epochs, merged.common.blocks), (Some(7), None, 9));
    let again = CycleGanConfig::from_toml(&merged.to_toml().unwrap(), Path::new("config.toml")).unwrap();
    assert_eq!(again, merged);
}

#[test]
fn settings_that_cannot_be_are_refused_by_name() {
    for (text, named) in [
        ("size = 30", "28 or 32"),
        ("size = 0", "size"),
        ("size = 116\ndiscriminator = \"whole\"", "`discriminator` patch"),
        ("size = 64\nscales = 5\ndiscriminator = \"whole\"", "`scales` 4"),
        ("size = 64\nscales = 3\ndiscriminator = \"patch70\"", "`scales` 2"),
        ("size = 100\nscales = 4\ndiscriminator = \"patch\"", "multiple of 8 from 128"),
        ("scales = 0", "scales"),
        ("size = 12\ndiscriminator = \"patch\"", "16 pixels"),
        ("size = 16\ndiscriminator = \"patch70\"", "24 pixels"),
        ("channels = 2", "channels"),
        ("lambda_cycle = -1.0", "lambda_cycle"),
        ("lambda_identity = nan", "lambda_identity"),
        ("average = 1.0", "average"),
        ("norm = \"spectral\"", "`d_norm` spectral"),
        ("r1 = 1.0\nd_norm = \"instance\"", "`d_norm` none"),
        ("r1_every = 0", "r1_every"),
        ("d_fake_every = 2", "`updates` apart"),
        ("d_fake_every = 0", "d_fake_every"),
        ("memory_limit = 0", "memory_limit"),
        ("pool = 1000000000", "pool"),
        ("schedule = \"step\"", "linear"),
        ("steps = 1\nepochs = 1", "both steps and epochs"),
        ("data = \"cats\"", "data"),
    ] {
        let settings = CycleGanSettings::from_toml(text, Path::new("settings.toml"));
        let config = settings.and_then(|file| CycleGanConfig::new(file, CycleGanSettings::default()));
        let error = config.unwrap_err().to_string();
        assert!(error.contains(named), "{text}: {error}");
    }
}
