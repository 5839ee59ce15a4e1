//! An ONNX file holds the network that was trained: its operators in order, its weights, free extents and what they mean; what
//! cannot be exported is refused with what can.

use crate::support::program::{done, mewgan};
use mewgan::onnx::proto::{Model, Size};
use prost::Message;
use std::fs;
use std::path::Path;
use std::process::Output;
use tempfile::{TempDir, tempdir};

fn refused(folder: &TempDir, arguments: &str) -> String {
    let Output { status, stderr, .. } = mewgan(folder, arguments);
    assert_eq!(status.code(), Some(1), "{arguments}");
    String::from_utf8(stderr).unwrap()
}

fn dcgan() -> TempDir {
    let folder = tempdir().unwrap();
    done(
        &folder,
        "train dcgan --data builtin:noto/animals --size 8 --g-width 2 --d-width 2 --noise-size 4 --batch 2 --steps 1 --device cpu \
         --out run",
    );
    folder
}

fn cyclegan() -> TempDir {
    let folder = tempdir().unwrap();
    done(
        &folder,
        "train cyclegan --x builtin:noto/animals --y builtin:twemoji/animals --size 16 --g-width 2 --d-width 2 --blocks 1 --batch 2 \
         --steps 1 --device cpu --out run",
    );
    folder
}

fn model(folder: &TempDir, name: &str) -> Model {
    Model::decode(&*fs::read(folder.path().join(name)).unwrap()).unwrap()
}

fn operators(model: &Model) -> Vec<&str> {
    model.graph.as_ref().unwrap().node.iter().map(|node| node.op_type.as_str()).collect()
}

fn extents(model: &Model) -> Vec<Size> {
    let input = &model.graph.as_ref().unwrap().input[0];
    let shape = input.of.clone().unwrap().tensor.unwrap().shape.unwrap();
    shape.dim.into_iter().map(|extent| extent.size.unwrap()).collect()
}

#[test]
fn a_dcgans_layers_stand_in_the_file() {
    let folder = dcgan();
    let said = done(&folder, "export onnx run --out g.onnx");
    assert!(said.contains("--statistics batch") && said.contains("step 1"), "{said}");
    done(&folder, "export onnx run --statistics running --out running.onnx");
    done(&folder, "export onnx run/checkpoints/000001.safetensors --checkpoint 1 --out again.onnx");

    let batch = model(&folder, "g.onnx");
    let norm = ["ReduceMean", "Sub", "Mul", "ReduceMean", "Add", "Sqrt", "Div", "Mul", "Add"];
    let expected = [&["ConvTranspose"][..], &norm, &["Relu", "Resize", "Conv", "Tanh"]].concat();
    assert_eq!(operators(&batch), expected);
    assert_eq!(extents(&batch), [Size::Free("batch".into()), Size::Fixed(4), Size::Fixed(1), Size::Fixed(1)]);
    let running = model(&folder, "running.onnx");
    assert_eq!(
        operators(&running),
        ["ConvTranspose", "BatchNormalization", "Relu", "Resize", "Conv", "Tanh"]
    );
    assert!(batch == model(&folder, "again.onnx"), "the same checkpoint makes the same file");
}

#[test]
fn a_translators_images_have_any_size() {
    let folder = cyclegan();
    let said = done(&folder, "export onnx run --to x --out g.onnx");
    let model = model(&folder, "g.onnx");
    for text in [&said, &model.doc_string] {
        assert!(text.contains("any size") && text.contains("multiples of 4"), "{text}");
    }
    assert_eq!(model.graph.as_ref().unwrap().name, "G_YtoX");
    let free = |name: &str| Size::Free(name.into());
    assert_eq!(extents(&model), [free("batch"), Size::Fixed(3), free("height"), free("width")]);
    let operators = operators(&model);
    assert!(operators.contains(&"InstanceNormalization"));
    assert_eq!((operators[0], operators.last()), ("Shape", Some(&"Slice")), "mirrored, then cropped back");
}

#[test]
fn what_cannot_be_exported_is_refused() {
    let (dcgan, cyclegan) = (dcgan(), cyclegan());
    let cases = [
        (&dcgan, "export onnx run --to y --out g.onnx", "leave out --to"),
        (&cyclegan, "export onnx run --out g.onnx", "--to y or --to x"),
        (&dcgan, "export onnx run --out g.pb", "ends in .onnx"),
        (&dcgan, "export onnx run --checkpoint 7 --out g.onnx", "no checkpoint of step 7"),
        (&dcgan, "export onnx nowhere --out g.onnx", "nowhere"),
    ];
    for (folder, arguments, says) in cases {
        let error = refused(folder, arguments);
        assert!(error.contains(says), "{arguments}: {error}");
        assert!(!Path::new(folder.path()).join("g.onnx").exists(), "{arguments}");
    }
}
