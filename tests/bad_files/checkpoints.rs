//! Checkpoints.

use super::{Row, assert_says, folder_with, refused, row};
use mewgan::Result;
use mewgan::models::cyclegan::CycleGanConfig;
use mewgan::models::dcgan::{DcganConfig, DcganSettings};
use mewgan::nn::Init;
use mewgan::train::checkpoint::{self, Checkpoint};
use mewgan::train::config::{CommonSettings, Preset, RunConfig};
use mewgan::train::model::Model;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

fn tiny() -> DcganConfig {
    let settings = DcganSettings {
        data: Some("builtin:noto/animals".into()),
        noise_size: Some(2),
        common: CommonSettings {
            preset: Some(Preset::Seed),
            size: Some(8.into()),
            g_width: Some(1),
            d_width: Some(1),
            device: Some("cpu".into()),
            ..Default::default()
        },
        ..Default::default()
    };
    DcganConfig::new(DcganSettings::default(), settings).unwrap()
}

/// A whole checkpoint of [`tiny`].
fn whole() -> Vec<u8> {
    let (folder, path) = folder_with("whole.safetensors", b"");
    let (config, model) = (tiny(), tiny().dcgan().unwrap());
    let values = model.initial(Init::Uniform, config.common.seed);
    checkpoint::write(&path, &model, &config, &BTreeMap::new(), 7, &values).unwrap();
    let bytes = fs::read(&path).unwrap();
    drop(folder);
    bytes
}

/// A file of a header and what follows it.
fn file(header: &[u8], tensors: &[u8]) -> Vec<u8> {
    [&(header.len() as u64).to_le_bytes(), header, tensors].concat()
}

/// The whole checkpoint with its header changed.
fn changed(change: impl FnOnce(&mut Value)) -> Vec<u8> {
    let whole = whole();
    let length = u64::from_le_bytes(whole[..8].try_into().unwrap()) as usize;
    let (header, tensors) = whole[8..].split_at(length);
    let mut header = serde_json::from_slice(header).unwrap();
    change(&mut header);
    file(header.to_string().as_bytes(), tensors)
}

/// The whole checkpoint with what it says about itself changed.
fn with(name: &'static str, value: Value) -> Vec<u8> {
    changed(|header| {
        let mut own: Value =
            serde_json::from_str(header["__metadata__"]["mewgan"].as_str().unwrap()).unwrap();
        own[name] = value;
        header["__metadata__"]["mewgan"] = own.to_string().into();
    })
}

/// A header of one tensor.
fn tensor(shape: Value, offsets: Value) -> Vec<u8> {
    json!({"w": {"dtype": "F32", "shape": shape, "data_offsets": offsets}}).to_string().into_bytes()
}

const FIRST: &str = "discriminator.main.0.weight";
const SECOND: &str = "discriminator.main.1.bias";

fn rows() -> Vec<Row> {
    let (whole, length) = (whole(), |length: u64| [&length.to_le_bytes()[..], b"{}"].concat());
    let half = whole[..whole.len() / 2].to_vec();
    let short = whole[..whole.len() - 1].to_vec();
    let mut nan = whole.clone();
    let last = nan.len() - 4;
    nan[last..].copy_from_slice(&f32::NAN.to_le_bytes());
    let damaged = &["damaged"];
    let nested = [&b"{\"w\":"[..], &b"[".repeat(100_000)].concat();
    let config = |text: &str| with("config", text.into());
    vec![
        row("nothing", "", &["cut short", "0 bytes"]),
        row("less than a length", "1234567", &["cut short", "7 bytes"]),
        row("a length alone", [0; 8], damaged),
        row("a length without end", length(u64::MAX), &["no safetensors file", "18446744073709551615"]),
        row("a length over the limit", length((16 << 20) + 1), &["no safetensors file", "16777216"]),
        row("a length over the file's", length(3), &["cut short", "ends at byte 11, the file at 10"]),
        row("zeros", [0; 4096], damaged),
        row("PyTorch's own format", b"PK\x03\x04\0\0\0\0archive/data.pkl".to_vec(), &["no safetensors file"]),
        row("an image", b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR".to_vec(), &["no safetensors file"]),
        row("a header that is no JSON", file(b"{\"w\"", b""), damaged),
        row("a header that is no object", file(b"[1]", b""), damaged),
        row("a header that is no text", file(b"\xff\xfe{}", b""), damaged),
        row("a header nested without end", file(&nested, b""), &["damaged", "recursion"]),
        row("half a header", half, &["damaged"]),
        row("a byte too few", short, &["cut short", "bytes long; by its header"]),
        row("a byte too many", [&whole[..], b"\0"].concat(), &["damaged (", "bytes long; by its header"]),
        row("a gap", file(&tensor(json!([1]), json!([4, 8])), &[0; 8]), damaged),
        row("offsets turned round", file(&tensor(json!([1]), json!([4, 0])), &[0; 4]), damaged),
        row("an offset below 0", file(&tensor(json!([1]), json!([-4, 0])), &[0; 4]), damaged),
        row("an offset without end", file(&tensor(json!([1]), json!([0, u64::MAX])), &[0; 4]), damaged),
        row("tensors behind the end", file(&tensor(json!([9]), json!([0, 36])), &[0; 4]), &["cut short"]),
        row("a shape beyond numbers", file(&tensor(json!([1u64 << 63, 2]), json!([0, 4])), &[0; 4]), damaged),
        row("a shape of another length", file(&tensor(json!([2]), json!([0, 4])), &[0; 4]), damaged),
        row("overlapping tensors", changed(|h| h[SECOND]["data_offsets"] = json!([188, 192])), damaged),
        row("an unknown type", changed(|h| h[SECOND]["dtype"] = "F33".into()), damaged),
        row("no entry of ours", file(b"{}", b""), &["not a checkpoint of mewgan"]),
        row("an entry that is no JSON", changed(|h| h["__metadata__"]["mewgan"] = "{".into()), &["metadata"]),
        row("a step below 0", with("step", (-1).into()), &["metadata"]),
        row("another format", with("format", 2.into()), &["format 2; expected format 1"]),
        row("another kind", with("kind", "other".into()), &["\"other\"", "\"dcgan\""]),
        row("settings that are none", config("size = \"large\""), &["size", "\"large\" is no size"]),
        row(
            "settings of another kind",
            config("lambda_cycle = 1.0"),
            &["lambda_cycle (a setting of cyclegan)"],
        ),
        row("settings out of range", config("size = 1000000"), &["size"]),
        row(
            "settings of a larger model",
            config("g_width = 4096\nsize = 2048"),
            &["and", "more", "settings"],
        ),
        row(
            "a tensor less",
            changed(|h| {
                let tensor = h.as_object_mut().unwrap().remove(FIRST).unwrap();
                h["discriminator.main.9.weight"] = tensor;
            }),
            &["discriminator.main.0.weight is missing", "discriminator.main.9.weight is unexpected"],
        ),
        row(
            "another shape",
            changed(|h| h[FIRST]["shape"] = json!([3, 1, 4, 4])),
            &["discriminator.main.0.weight is F32 [3, 1, 4, 4], expected F32 [1, 3, 4, 4]"],
        ),
        row(
            "another type",
            changed(|h| h[SECOND]["dtype"] = "I32".into()),
            &["discriminator.main.1.bias is I32 [1], expected F32 [1]"],
        ),
        row("not a number", nan, &["optimizer.second.generator.main.3.weight has NaN at place 47"]),
    ]
}

/// Opens a checkpoint and reads all there is.
fn read(path: &Path) -> Result<()> {
    let checkpoint = Checkpoint::open(path)?;
    let model = checkpoint.config::<DcganConfig>()?.dcgan()?;
    checkpoint.buffers(&model).map(drop)
}

#[test]
fn are_refused() {
    let (_folder, path) = folder_with("whole.safetensors", &whole());
    read(&path).unwrap();
    for row in rows() {
        let (folder, path) = folder_with("bad.safetensors", &row.content);
        assert_says(&row, "bad.safetensors", &read(&path).expect_err(row.what).to_string());
        let error =
            refused(folder.path(), &["sample", "bad.safetensors", "--device", "cpu", "--out", "x.png"]);
        assert_says(&row, "bad.safetensors", &error);
        assert!(!folder.path().join("x.png").exists(), "{}", row.what);
    }
}

#[test]
fn are_refused_by_every_command() {
    let (folder, _) = folder_with("config.toml", tiny().to_toml().unwrap().as_bytes());
    let path = folder.path().join("checkpoints/000007.safetensors");
    fs::create_dir(path.parent().unwrap()).unwrap();
    image::RgbImage::new(8, 8).save(folder.path().join("a.png")).unwrap();
    let commands: [&[&str]; 4] = [
        &["resume", ".", "--steps", "9", "--device", "cpu"],
        &["sample", ".", "--device", "cpu", "--out", "out"],
        &["translate", ".", "--to", "y", "a.png", "--device", "cpu", "--out", "out"],
        &["evaluate", ".", "--device", "cpu"],
    ];
    // Of this kind of run; what is cut, foreign or of another kind is for all commands alike.
    let own = ["another shape", "not a number", "a tensor less"];
    let all = ["nothing", "a byte too few", "a length without end", "another format", "another kind"];
    for row in rows().iter().filter(|row| own.contains(&row.what) || all.contains(&row.what)) {
        fs::write(&path, &row.content).unwrap();
        for command in commands {
            let foreign = command[0] == "translate" && own.contains(&row.what);
            let error = refused(folder.path(), command);
            assert!(error.contains("000007.safetensors"), "{error}");
            let kind = row.what == "another kind" && error.contains("\"other\"");
            if !foreign && !kind {
                assert_says(row, "000007.safetensors", &error);
            }
        }
    }
    // With another checkpoint there is a remedy.
    fs::write(folder.path().join("checkpoints/000005.safetensors"), whole()).unwrap();
    fs::write(&path, b"").unwrap();
    let error = refused(folder.path(), commands[1]);
    assert!(error.contains("take another with --checkpoint: 5"), "{error}");
}

#[test]
fn of_another_model_are_told_apart() {
    let (folder, path) = folder_with("a.safetensors", &whole());
    let error = Checkpoint::open(&path).unwrap().config::<CycleGanConfig>().unwrap_err().to_string();
    assert!(error.contains("\"dcgan\"; expected \"cyclegan\""), "{error}");
    // A run whose settings were changed afterwards.
    let wider = tiny().to_toml().unwrap().replace("g_width = 1", "g_width = 2");
    fs::write(folder.path().join("config.toml"), wider).unwrap();
    fs::create_dir(folder.path().join("checkpoints")).unwrap();
    fs::rename(path, folder.path().join("checkpoints/7.safetensors")).unwrap();
    let error = refused(folder.path(), &["resume", ".", "--steps", "9"]);
    for part in ["7.safetensors", "generator.main.0.weight is F32 [2, 1, 4, 4]", "the settings that its"] {
        assert!(error.contains(part), "{error}");
    }
}

#[cfg(target_os = "linux")]
#[test]
fn of_50_gb_are_not_read() {
    let sparse = |header: &[u8], length: u64| {
        let (folder, path) = folder_with("vast.safetensors", &file(header, b""));
        fs::File::options().write(true).open(path).unwrap().set_len(length).unwrap();
        folder
    };
    let length: u64 = 50 << 30;
    let mut header = tensor(json!([length / 4 - 1024]), json!([0, length - 4096]));
    header.resize(4096 - 8, b' ');
    let foreign = sparse(&header, length);
    let mut own: Value = serde_json::from_slice(&header).unwrap();
    let about = json!({"format": 1, "kind": "dcgan", "step": 1, "config": tiny().to_toml().unwrap()});
    own["__metadata__"] = json!({"mewgan": about.to_string()});
    let mut own = own.to_string().into_bytes();
    own.resize(4096 - 8, b' ');
    let own = sparse(&own, length);
    let zeros = sparse(b"", length);
    for (folder, says) in [
        (zeros, "damaged"),
        (foreign, "not a checkpoint of mewgan"),
        (own, "generator.main.0.weight is missing"),
    ] {
        let sample = ["sample", "vast.safetensors", "--device", "cpu", "--out", "x.png"];
        let error = super::refused_within(256, folder.path(), &sample);
        assert!(error.contains("vast.safetensors") && error.contains(says), "{error}");
    }
}
