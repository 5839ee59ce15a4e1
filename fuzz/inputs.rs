//! What each fuzz target does with its bytes: it hands them to the functions through which the program reads a user's
//! files, and says whether they were taken for what they should be. An error is a fine answer; a panic, a hang or memory
//! without bounds is not. `tests/regressions.rs` does the same with every input that was once a finding.
#![allow(dead_code, reason = "every target is a program of its own, and needs one of these")]

use mewgan::data::{Fit, ImageFile, LoadOptions};
use mewgan::executor::Executor;
use mewgan::graph::StateBuffer;
use mewgan::models::cyclegan::CycleGanConfig;
use mewgan::models::dcgan::{DcganConfig, DcganSettings};
use mewgan::op::{self, OpRequest};
use mewgan::reference::Reference;
use mewgan::tensor_file::{self, Tensors};
use mewgan::train::checkpoint::Checkpoint;
use mewgan::train::config::{CommonSettings, Preset, RunConfig};
use std::fs;
use std::io::Cursor;
use std::path::{Path, PathBuf};

/// A dcgan small enough that its checkpoint is a few kB.
pub fn tiny() -> DcganConfig {
    let settings = DcganSettings {
        noise_size: Some(2),
        common: CommonSettings {
            preset: Some(Preset::Seed),
            size: Some(8.into()),
            g_width: Some(1),
            d_width: Some(1),
            ..Default::default()
        },
        ..Default::default()
    };
    DcganConfig::new(DcganSettings::default(), settings).expect("a tiny dcgan")
}

/// A checkpoint: opened, its settings read, its tensors fitted to a tiny model and to the one it says it holds. Bytes that
/// start with `{` are the header of one whose length is right and whose numbers are all 0.
pub fn checkpoint(bytes: &[u8]) -> bool {
    let path = file("checkpoint", &safetensors(bytes));
    let Ok(checkpoint) = Checkpoint::open(&path) else { return false };
    let _ = checkpoint.buffers(&tiny().dcgan().expect("a tiny dcgan"));
    let dcgan = checkpoint.config::<DcganConfig>().and_then(|config| checkpoint.buffers(&config.dcgan()?));
    let cyclegan =
        checkpoint.config::<CycleGanConfig>().and_then(|config| checkpoint.buffers(&config.cyclegan()?));
    dcgan.is_ok() || cyclegan.is_ok()
}

/// A `config.toml`, of either kind: what is accepted is written out and comes back the same, and its networks can be
/// described.
pub fn config(bytes: &[u8]) -> bool {
    let Ok(text) = std::str::from_utf8(bytes) else { return false };
    let path = Path::new("config.toml");
    let (dcgan, cyclegan) = (DcganConfig::from_toml(text, path), CycleGanConfig::from_toml(text, path));
    if let Ok(config) = &dcgan {
        let written = config.to_toml().expect("settings that were read can be written");
        assert_eq!(DcganConfig::from_toml(&written, path).expect("and read again"), *config);
        let _ = config.dcgan();
    }
    if let Ok(config) = &cyclegan {
        let written = config.to_toml().expect("settings that were read can be written");
        assert_eq!(CycleGanConfig::from_toml(&written, path).expect("and read again"), *config);
        let _ = config.cyclegan();
    }
    dcgan.is_ok() || cyclegan.is_ok()
}

/// An image: decoded and made square as for training, and read at its own size as for translating.
pub fn image(bytes: &[u8]) -> bool {
    // Images of many pixels are refused or take their time; a fuzzer's is better spent on small ones.
    let size =
        image::ImageReader::new(Cursor::new(bytes)).with_guessed_format().map(|of| of.into_dimensions());
    if let Ok(Ok((width, height))) = size
        && u64::from(width) * u64::from(height) > 1 << 20
        && width.max(height) <= 32768
    {
        return false;
    }
    let file = ImageFile::of_bytes("image", bytes.to_vec());
    for (side, channels, fit) in [(8, 3, Fit::Crop), (5, 1, Fit::Stretch)] {
        let options = LoadOptions { fit, ..LoadOptions::new(side.into(), channels) };
        if let Ok(fitted) = file.fitted(&options) {
            assert_eq!(fitted.bytes.len(), side * side * channels);
        }
    }
    file.read(3).is_ok()
}

/// The inputs of `mewgan op`: the first byte chooses the operation, the rest is the file, as [`checkpoint`] has it.
pub fn op(bytes: &[u8]) -> bool {
    let Some((&first, bytes)) = bytes.split_first() else { return false };
    let names: Vec<&str> = op::names().collect();
    let request = OpRequest::new(names[usize::from(first) % names.len()]);
    let path = file("op", &safetensors(bytes));
    let Ok(Tensors::F32(tensors)) = tensor_file::read(&path) else { return false };
    let cpu = |buffers: &[StateBuffer], steps| {
        Ok(Box::new(Reference::<f32>::new(buffers, steps)?) as Box<dyn Executor>)
    };
    op::run(&request, tensors, cpu).is_ok()
}

/// `bytes`, or where they start with `{` a safetensors file with that header, as many bytes of 0 behind it as it asks for.
fn safetensors(bytes: &[u8]) -> Vec<u8> {
    if bytes.first() != Some(&b'{') {
        return bytes.to_vec();
    }
    let header: serde_json::Value = serde_json::from_slice(bytes).unwrap_or_default();
    let ends = header.as_object().into_iter().flatten().filter_map(|(_, of)| of["data_offsets"][1].as_u64());
    let data = vec![0; ends.max().unwrap_or(0).min(1 << 16) as usize];
    [&(bytes.len() as u64).to_le_bytes(), bytes, &data].concat()
}

/// A file of this process, and of one target, that holds `bytes`.
fn file(target: &str, bytes: &[u8]) -> PathBuf {
    let path = std::env::temp_dir().join(format!("mewgan-{target}-{}.safetensors", std::process::id()));
    fs::write(&path, bytes).expect("a temporary file can be written");
    path
}
