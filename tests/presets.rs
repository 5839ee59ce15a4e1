//! The presets' networks are the published ones, tensor by tensor.

use mewgan::models::Kind;
use mewgan::models::dcgan::{DcganConfig, DcganSettings};
use mewgan::nn::Network;
use mewgan::train::config::ModelSettings;
use mewgan::train::config::{CommonSettings, Preset, RunConfig};
use mewgan::train::run_folder::RunFolder;
use serde_json::Value;
use std::fs;
use tempfile::tempdir;

/// Those that others published.
const PRESETS: [(&str, Preset); 3] =
    [("seed", Preset::Seed), ("course", Preset::Course), ("paper", Preset::Paper)];

fn config(settings: DcganSettings) -> DcganConfig {
    DcganConfig::new(DcganSettings::default(), settings).unwrap()
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

#[test]
fn parameter_counts_are_the_published_ones() {
    let counts = PRESETS.map(|(_, preset)| {
        let dcgan = DcganConfig::preset(preset).dcgan().unwrap();
        (dcgan.generator.parameter_count(), dcgan.discriminator.parameter_count())
    });
    assert_eq!(counts, [(378_080, 175_328), (1_099_264, 693_760), (3_576_704, 2_765_568)]);
    let small = DcganConfig::preset(Preset::Small).dcgan().unwrap();
    let counts = (small.generator.parameter_count(), small.discriminator.parameter_count());
    assert_eq!(counts, (798_496, 694_656));
}

#[test]
fn tensors_are_named_and_shaped_as_pytorchs() {
    let golden: Value = serde_json::from_str(include_str!("golden/names.json")).unwrap();
    for (name, preset) in PRESETS {
        let dcgan = DcganConfig::preset(preset).dcgan().unwrap();
        for network in [&dcgan.generator, &dcgan.discriminator] {
            let golden = &golden[name][&network.name];
            assert_eq!(entries(network), golden_entries(golden), "{name} {}", network.name);
            assert_eq!(network.parameter_count() as u64, golden["parameters"].as_u64().unwrap());
        }
    }
}

#[test]
fn other_sizes_and_grey_images_build() {
    for (_, preset) in PRESETS {
        for (size, channels) in [(8, 3), (32, 3), (128, 3), (64, 1)] {
            let settings = DcganSettings {
                common: CommonSettings {
                    preset: Some(preset),
                    size: Some(size.into()),
                    channels: Some(channels),
                    ..Default::default()
                },
                ..Default::default()
            };
            let dcgan = config(settings).dcgan().unwrap();
            dcgan.discriminator_step(4).unwrap();
            dcgan.generator_step(4).unwrap();
        }
    }
}

/// A gate for the 32x32 features out of the 4x4 ones: 4x4 taps from 256 channels to 32, then 32 to 32.
#[test]
fn excitation_adds_its_gates() {
    let excited = |size: usize| {
        let settings = DcganSettings {
            excite: Some(true),
            common: CommonSettings {
                preset: Some(Preset::Course),
                size: Some(size.into()),
                ..Default::default()
            },
            ..Default::default()
        };
        config(settings).dcgan().unwrap().generator
    };
    let (plain, gated) = (DcganConfig::preset(Preset::Course).dcgan().unwrap().generator, excited(64));
    assert_eq!(gated.parameter_count(), plain.parameter_count() + 16 * 256 * 32 + 32 * 32);
    let gate = |name: &str, shape: [usize; 4]| (format!("main.12.{name}.weight"), shape.to_vec());
    let entries = entries(&gated);
    for entry in [gate("1", [32, 256, 4, 4]), gate("3", [32, 32, 1, 1])] {
        assert!(entries.contains(&entry), "{entry:?} in {entries:?}");
    }
    // 128 pixels: 4x4 to 32x32 and 8x8 to 64x64.
    let course = DcganSettings {
        common: CommonSettings { preset: Some(Preset::Course), size: Some(128.into()), ..Default::default() },
        ..Default::default()
    };
    let plain = config(course).dcgan().unwrap().generator;
    let gates = 16 * 512 * 64 + 64 * 64 + 16 * 256 * 32 + 32 * 32;
    assert_eq!(excited(128).parameter_count(), plain.parameter_count() + gates);
}

/// What helps on small sets is off in the published presets, and all of it builds at every size.
#[test]
fn what_helps_on_small_sets_builds() {
    for (name, preset) in PRESETS {
        let config = DcganConfig::preset(preset);
        assert_eq!(
            (config.common.average, config.common.blocks, config.common.r1, config.common.d_norm),
            (0.0, 0, 0.0, None),
            "{name}"
        );
        assert!(!config.excite, "{name}");
    }
    for (size, d_norm, upsample) in [(8, "none", "nearest"), (64, "spectral", "bilinear")] {
        let text = format!(
            "size = {size}\nd_norm = \"{d_norm}\"\nupsample = \"{upsample}\"\nloss = \"hinge\"\nblocks = 2\n\
             average = 0.999\nr1 = 1.0\nr1_every = 8\ng_lr = 1e-4\nd_lr = 4e-4\nexcite = {}\n",
            size >= 64
        );
        let file = DcganSettings::from_toml(&text, "settings.toml".as_ref()).unwrap();
        let merged = DcganConfig::new(file, DcganSettings::default()).unwrap();
        let again = DcganConfig::from_toml(&merged.to_toml().unwrap(), "config.toml".as_ref()).unwrap();
        assert_eq!(again, merged);
        let dcgan = merged.dcgan().unwrap();
        dcgan.penalized_discriminator_step(4).unwrap();
        dcgan.generator_step(4).unwrap();
        dcgan.sampler(4, mewgan::nn::NormMode::Running).unwrap();
    }
}

/// Where nobody chooses, the recipe for small sets is taken: it draws any size, and its run's settings name it.
#[test]
fn the_default_is_the_recipe_for_small_sets() {
    let default = config(DcganSettings::default());
    assert_eq!(default, DcganConfig::preset(Preset::Small));
    assert!(default.common.average > 0.0 && !default.common.diffaugment.0.is_empty());
    assert!(default.to_toml().unwrap().contains("preset = \"small\""));
    for size in [8, 32, 64, 128] {
        let dcgan = config(DcganSettings {
            common: CommonSettings { size: Some(size.into()), ..Default::default() },
            ..Default::default()
        })
        .dcgan()
        .unwrap();
        dcgan.discriminator_step(4).unwrap();
        dcgan.generator_step(4).unwrap();
    }
}

#[test]
fn a_config_file_yields_to_flags_and_presets_to_both() {
    let file =
        "preset = \"paper\"\nsize = 32\nbatch = 8\nepochs = 3\ndiffaugment = [\"color\", \"cutout\"]\n";
    let file = DcganSettings::from_toml(file, "settings.toml".as_ref()).unwrap();
    let flags = DcganSettings {
        common: CommonSettings { batch: Some(4), steps: Some(7), ..Default::default() },
        ..Default::default()
    };
    let merged = DcganConfig::new(file, flags).unwrap();
    assert_eq!((merged.common.size, merged.common.batch, merged.common.g_width), (32.into(), 4, 64));
    assert_eq!(
        (merged.common.steps, merged.common.epochs),
        (Some(7), None),
        "the flag's steps replace the file's epochs"
    );
    let again = DcganConfig::from_toml(&merged.to_toml().unwrap(), "config.toml".as_ref()).unwrap();
    assert_eq!(again, merged, "what is written is enough to run it again");
}

#[test]
fn settings_say_which_model_they_are_of() {
    let text = config(DcganSettings::default()).to_toml().unwrap();
    assert!(text.starts_with("model = \"dcgan\"\n"), "{text}");
    let unnamed = text.replace("model = \"dcgan\"\n", "");
    let read = |text: &str| DcganConfig::from_toml(text, "config.toml".as_ref());
    assert_eq!(read(&unnamed).unwrap(), read(&text).unwrap(), "as earlier versions wrote them");
    for (other, named) in [("cyclegan", "\"cyclegan\""), ("stylegan", "\"stylegan\"")]
        .map(|(kind, named)| (text.replace("\"dcgan\"", &format!("{kind:?}")), named))
    {
        let error = read(&other).unwrap_err().to_string();
        assert!(error.contains(named) && error.contains("config.toml"), "{error}");
    }

    // A run is of the model that its settings name, and of no other where that is unknown.
    let runs = tempdir().unwrap();
    let kind = |text: &str| {
        fs::write(runs.path().join("config.toml"), text).unwrap();
        Kind::of_run(&RunFolder::open(runs.path()).unwrap())
    };
    assert_eq!(kind(&text).unwrap(), Kind::Dcgan);
    assert_eq!(kind(&unnamed).unwrap(), Kind::Dcgan);
    assert_eq!(kind("x = \"a\"\ny = \"b\"\n").unwrap(), Kind::CycleGan);
    let error = kind("model = \"stylegan\"\n").unwrap_err().to_string();
    assert!(error.contains("no model named stylegan; there are dcgan, cyclegan, pix2pix"), "{error}");
}

#[test]
fn settings_that_cannot_be_are_refused_by_name() {
    let refused = |text: &str| {
        let settings = DcganSettings::from_toml(text, "settings.toml".as_ref());
        let error = settings.and_then(|file| DcganConfig::new(file, DcganSettings::default())).unwrap_err();
        error.to_string()
    };
    for (text, named) in [
        ("size = 50", "size 50"),
        ("size = 4", "size is 4"),
        ("size = 1099511627776", "size"),
        ("channels = 2", "channels"),
        ("batch = 0", "batch"),
        ("g_width = 0", "g_width"),
        ("noise_size = 0", "noise_size"),
        ("decay_from = 3", "`schedule` linear"),
        ("lambda_cycle = 3.0", "a setting of cyclegan"),
        ("lr = nan", "lr"),
        ("d_lr = -1.0", "d_lr"),
        ("beta2 = 1.0", "beta2"),
        ("d_every = 0", "d_every"),
        ("log_every = 0", "log_every"),
        ("steps = 0", "steps"),
        ("holdout = 1.0", "holdout"),
        ("rotate = 181.0", "rotate"),
        ("steps = 1\nepochs = 1", "both steps and epochs"),
        ("widht = 3", "widht"),
        ("norm = \"layer\"", "layer"),
        ("norm = \"spectral\"", "`d_norm` spectral"),
        ("r1 = 1.0", "`d_norm` none"),
        ("r1 = -1.0", "r1"),
        ("r1_every = 0", "r1_every"),
        ("average = 1.0", "average"),
        ("blocks = 101", "blocks"),
        ("size = 32\nexcite = true", "`size` 64"),
        ("upsample = \"cubic\"", "nearest"),
        ("loss = \"wgan\"", "hinge"),
        ("diffaugment = [\"blur\"]", "blur"),
    ] {
        let error = refused(text);
        assert!(error.contains(named), "{text}: {error}");
    }
}
