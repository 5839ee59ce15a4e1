//! Checkpoints hold what PyTorch expects, come back as they were, and never bring the program down.

use mewgan::Result;
use mewgan::models::dcgan::{DcganConfig, DcganSettings};
use mewgan::train::checkpoint::{self, Checkpoint, ImageNames};
use mewgan::train::config::{CommonSettings, Preset, RunConfig};
use mewgan::train::model::Model;
use proptest::prelude::*;
use safetensors::SafeTensors;
use safetensors::tensor::{Dtype, TensorView, serialize};
use std::collections::HashMap;
use std::fs;
use std::path::PathBuf;
use tempfile::{TempDir, tempdir};

fn tiny() -> DcganConfig {
    let settings = DcganSettings {
        noise_size: Some(8),
        common: CommonSettings {
            preset: Some(Preset::Seed),
            size: Some(16.into()),
            g_width: Some(4),
            d_width: Some(4),
            ..Default::default()
        },
        ..Default::default()
    };
    DcganConfig::new(DcganSettings::default(), settings).unwrap()
}

/// State buffers whose every tensor holds numbers of its own; the gaps between tensors and the gradients are 0, as they come back.
fn numbered(config: &DcganConfig) -> Vec<Vec<f32>> {
    let mut next = 0.0;
    let buffers = config.dcgan().unwrap().buffers();
    let fill = |(index, buffer): (usize, &mewgan::graph::StateBuffer)| {
        let mut values = vec![0.0; buffer.len];
        let tensors = if index % 5 == 4 { 0 } else { buffer.tensors.len() };
        for tensor in 0..tensors {
            buffer.view_mut(&mut values, tensor).fill_with(|| {
                next += 0.5;
                next
            });
        }
        values
    };
    buffers.iter().enumerate().map(fill).collect()
}

fn written() -> (TempDir, PathBuf, DcganConfig, Vec<Vec<f32>>) {
    let (folder, config) = (tempdir().unwrap(), tiny());
    let (path, buffers) = (folder.path().join("000007.safetensors"), numbered(&config));
    let sets = [("data".to_owned(), ImageNames::new(&["a.png".into(), "b.png".into()]))].into();
    checkpoint::write(&path, &config.dcgan().unwrap(), &config, &sets, 7, &buffers).unwrap();
    (folder, path, config, buffers)
}

/// Opens a file of `bytes` and reads all there is.
fn read(bytes: &[u8]) -> Result<Vec<Vec<f32>>> {
    let folder = tempdir().unwrap();
    let path = folder.path().join("hostile.safetensors");
    fs::write(&path, bytes).unwrap();
    let checkpoint = Checkpoint::open(&path)?;
    checkpoint.config::<DcganConfig>()?;
    checkpoint.buffers(&tiny().dcgan()?)
}

#[test]
fn what_is_written_comes_back() {
    let (_folder, path, config, buffers) = written();
    let checkpoint = Checkpoint::open(&path).unwrap();
    assert_eq!(checkpoint.step(), 7);
    assert_eq!(checkpoint.config::<DcganConfig>().unwrap(), config);
    assert!(checkpoint.buffers(&config.dcgan().unwrap()).unwrap() == buffers);
    assert_eq!(fs::read_dir(path.parent().unwrap()).unwrap().count(), 1, "no temporary file is left");
}

#[test]
fn names_and_shapes_are_pytorchs() {
    let (_folder, path, ..) = written();
    let bytes = fs::read(path).unwrap();
    let tensors = SafeTensors::deserialize(&bytes).unwrap();
    let shape = |name: &str| tensors.tensor(name).unwrap().shape().to_vec();
    assert_eq!(shape("generator.main.0.weight"), [8, 8, 4, 4]);
    assert_eq!(shape("generator.main.1.running_var"), [8]);
    assert_eq!(shape("generator.main.6.weight"), [4, 3, 4, 4]);
    assert_eq!(shape("discriminator.main.0.weight"), [4, 3, 4, 4]);
    assert_eq!(shape("optimizer.first.discriminator.main.3.weight"), [8, 4, 4, 4]);
    assert_eq!(shape("optimizer.second.generator.main.1.bias"), [8]);
    let (_, metadata) = SafeTensors::read_metadata(&bytes).unwrap();
    let header = &metadata.metadata().as_ref().unwrap()["mewgan"];
    let header: checkpoint::Header = serde_json::from_str(header).unwrap();
    assert_eq!((header.step, header.sets["data"].count), (7, 2));
    assert_ne!(header.sets["data"], ImageNames::new(&["a.png".into(), "c.png".into()]));
}

/// The checkpoint's bytes after `change` has been made to its tensors.
fn changed(change: impl FnOnce(&mut HashMap<String, (Dtype, Vec<usize>, Vec<u8>)>)) -> Vec<u8> {
    let (_folder, path, ..) = written();
    let bytes = fs::read(path).unwrap();
    let (_, metadata) = SafeTensors::read_metadata(&bytes).unwrap();
    let tensors = SafeTensors::deserialize(&bytes).unwrap();
    let owned = |view: &TensorView| (view.dtype(), view.shape().to_vec(), view.data().to_vec());
    let mut tensors = tensors.iter().map(|(name, view)| (name.to_owned(), owned(&view))).collect();
    change(&mut tensors);
    let view = |(dtype, shape, data)| TensorView::new(dtype, shape, data).unwrap();
    let views =
        tensors.iter().map(|(name, (dtype, shape, data))| (name, view((*dtype, shape.clone(), data))));
    serialize(views, metadata.metadata().clone()).unwrap()
}

#[test]
fn tensors_that_do_not_fit_are_named() {
    let bytes = changed(|tensors| {
        tensors.remove("generator.main.0.weight");
        tensors.get_mut("discriminator.main.0.weight").unwrap().1 = vec![4, 4, 3, 4];
        tensors.insert("generator.main.99.weight".into(), (Dtype::F32, vec![1], vec![0; 4]));
        tensors.get_mut("generator.main.1.bias").unwrap().0 = Dtype::I32;
    });
    let error = read(&bytes).unwrap_err().to_string();
    for named in [
        "hostile.safetensors",
        "generator.main.0.weight is missing",
        "discriminator.main.0.weight is F32 [4, 4, 3, 4], expected F32 [4, 3, 4, 4]",
        "generator.main.99.weight is unexpected",
        "generator.main.1.bias is I32 [8], expected F32 [8]",
    ] {
        assert!(error.contains(named), "{named}: {error}");
    }
}

#[test]
fn other_files_are_refused() {
    let foreign = serialize(Vec::<(&str, TensorView)>::new(), None).unwrap();
    assert!(read(&foreign).unwrap_err().to_string().contains("not a checkpoint of mewgan"));
    let kind = HashMap::from([(
        "mewgan".to_owned(),
        r#"{"format":1,"kind":"other","step":1,"updates":{},"config":""}"#.to_owned(),
    )]);
    let other = serialize(Vec::<(&str, TensorView)>::new(), Some(kind)).unwrap();
    assert!(read(&other).unwrap_err().to_string().contains("\"other\""));
    assert!(read(b"").unwrap_err().to_string().contains("damaged or cut short"));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..Default::default() })]

    #[test]
    fn damage_never_panics(place in any::<prop::sample::Index>(), byte in any::<u8>(), cut in any::<bool>()) {
        let (_folder, path, ..) = written();
        let mut bytes = fs::read(path).unwrap();
        // Most damage is in the header, the first tenth.
        let place = place.index(bytes.len() / 10);
        if cut {
            bytes.truncate(place * 10);
            prop_assert!(read(&bytes).is_err());
        } else {
            bytes[place] = byte;
            let _ = read(&bytes);
        }
    }
}
