//! Promise: `mewgan op` goes from file to file in either precision, and says clearly what is wrong with its inputs.

use mewgan::op;
use mewgan::tensor_file::{self, Tensor, Tensors};
use safetensors::Dtype;
use safetensors::tensor::TensorView;
use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;
use tempfile::{TempDir, tempdir};

/// Runs `mewgan op FLAGS` in a folder that holds `in.safetensors`; results go to `out.safetensors`.
fn run_in(folder: &Path, flags: &str) -> Result<(), String> {
    let done = Command::new(env!("CARGO_BIN_EXE_mewgan"))
        .arg("op")
        .args(flags.split_whitespace())
        .args(["--inputs", "in.safetensors", "--out", "out.safetensors"])
        .current_dir(folder)
        .output()
        .unwrap();
    if done.status.success() { Ok(()) } else { Err(String::from_utf8_lossy(&done.stderr).into_owned()) }
}

fn numbers<T>(shape: &[usize], number: impl Fn(f64) -> T) -> Tensor<T> {
    let len = shape.iter().product();
    Tensor { shape: shape.to_vec(), values: (0..len).map(|i| number((i as f64 * 0.7).sin())).collect() }
}

fn named<T>(tensors: &[(&str, &[usize])], number: impl Fn(f64) -> T + Copy) -> BTreeMap<String, Tensor<T>> {
    tensors.iter().map(|&(name, shape)| (name.to_owned(), numbers(shape, number))).collect()
}

fn folder_with(tensors: &Tensors) -> TempDir {
    let folder = tempdir().unwrap();
    tensor_file::write(&folder.path().join("in.safetensors"), tensors).unwrap();
    folder
}

fn single(tensors: &[(&str, &[usize])]) -> Tensors {
    Tensors::F32(named(tensors, |x| x as f32))
}

/// The message of the error that `flags` on `tensors` must give, which must leave no result behind.
fn refusal(flags: &str, tensors: &[(&str, &[usize])]) -> String {
    let folder = folder_with(&single(tensors));
    let error = run_in(folder.path(), flags).expect_err(flags).to_string();
    assert!(!folder.path().join("out.safetensors").exists(), "{flags}: wrote a result");
    error
}

/// Asserts that the error names all of `words`.
fn refuses(flags: &str, tensors: &[(&str, &[usize])], words: &[&str]) {
    let error = refusal(flags, tensors);
    assert!(words.iter().all(|word| error.contains(word)), "{flags}: {error}, expected {words:?}");
}

const X: (&str, &[usize]) = ("x", &[2, 3, 5, 4]);
const W: (&str, &[usize]) = ("w", &[6, 3, 3, 3]);

#[test]
fn files_come_back_as_they_were_written_in_either_precision() {
    let folder = tempdir().unwrap();
    let path = folder.path().join("tensors.safetensors");
    let shapes: [(&str, &[usize]); 4] = [X, ("scalar", &[]), ("empty", &[0, 3]), ("b", &[7])];
    for tensors in [single(&shapes), Tensors::F64(named(&shapes, |x| x / 3.0))] {
        tensor_file::write(&path, &tensors).unwrap();
        assert_eq!(tensor_file::read(&path).unwrap(), tensors);
    }
}

#[test]
fn results_keep_the_precision_of_the_inputs() {
    let shapes = [X, W, ("gy", &[2usize, 6, 3, 2][..])];
    let flags = "conv2d --stride 2 --padding 1 --device cpu";

    let folder = folder_with(&Tensors::F64(named(&shapes, |x| x)));
    run_in(folder.path(), flags).unwrap();
    let Tensors::F64(double) = tensor_file::read(&folder.path().join("out.safetensors")).unwrap() else {
        panic!("float64 in, float64 out")
    };

    let folder = folder_with(&Tensors::F32(named(&shapes, |x| x as f32)));
    run_in(folder.path(), flags).unwrap();
    let Tensors::F32(float) = tensor_file::read(&folder.path().join("out.safetensors")).unwrap() else {
        panic!("float32 in, float32 out")
    };

    assert_eq!(double.keys().collect::<Vec<_>>(), ["dw", "dx", "y"]);
    for name in ["dw", "dx", "y"] {
        assert_eq!(double[name].shape, float[name].shape, "{name}");
        for (a, b) in double[name].values.iter().zip(&float[name].values) {
            // Sums of at most 54 products of numbers up to 1.
            assert!((a - f64::from(*b)).abs() < 1e-5, "{name}: {a} {b}");
        }
    }
}

#[test]
fn without_gy_there_are_no_gradients() {
    let folder = folder_with(&single(&[X]));
    run_in(folder.path(), "reflection_pad2d --padding 1,0,2,3").unwrap();
    let Tensors::F32(results) = tensor_file::read(&folder.path().join("out.safetensors")).unwrap() else {
        panic!("float32 in, float32 out")
    };
    assert_eq!(results.keys().collect::<Vec<_>>(), ["y"]);
    assert_eq!(results["y"].shape, [2, 3, 5 + 2 + 3, 4 + 1]);
}

#[test]
fn norms_work_without_weight_and_bias_and_without_running_statistics() {
    for op in ["batch_norm", "instance_norm"] {
        let folder = folder_with(&single(&[X, ("gy", X.1)]));
        run_in(folder.path(), op).unwrap();
        let Tensors::F32(results) = tensor_file::read(&folder.path().join("out.safetensors")).unwrap() else {
            panic!("float32 in, float32 out")
        };
        assert_eq!(results.keys().collect::<Vec<_>>(), ["dx", "y"], "{op}");
    }
}

#[test]
fn unknown_operations_are_answered_with_the_known_ones() {
    refuses("convolve", &[X], &["convolve", "conv2d", "upsample_nearest2d"]);
    let request = op::OpRequest::new("convolve");
    let error = op::run(&request, named(&[X], |x| x as f32), |_, _| unreachable!()).unwrap_err().to_string();
    assert!(error.contains("convolve") && op::names().all(|name| error.contains(name)), "{error}");
}

#[test]
fn tensors_that_are_missing_or_unknown_are_named() {
    refuses("conv2d", &[X], &["conv2d", "tensor w"]);
    refuses("relu", &[W], &["relu", "tensor x"]);
    refuses("batch_norm_eval", &[X, ("rm", &[3])], &["batch_norm_eval", "tensor rv"]);
    refuses("relu", &[X, W, ("weight", &[1])], &["relu", "w, weight", "x, gy"]);
    refuses("batch_norm", &[X, ("w", &[3])], &["w and b", "both"]);
    refuses("batch_norm", &[X, ("rv", &[3])], &["rm and rv", "both"]);
}

#[test]
fn tensors_that_do_not_fit_are_named_with_their_shapes() {
    refuses("conv2d", &[X, ("w", &[6, 4, 3, 3])], &["conv2d", "channels", "3", "4"]);
    refuses("conv2d", &[X, ("w", &[6, 3, 7, 7])], &["conv2d", "kernel [7, 7]"]);
    refuses("conv_transpose2d", &[X, W], &["conv_transpose2d", "channels"]);
    refuses("conv2d", &[X, ("w", &[6, 3])], &["tensor w", "[6, 3]", "4 axes"]);
    refuses("tanh", &[("x", &[3, 5, 4])], &["tensor x", "[3, 5, 4]", "4 axes"]);
    refuses("tanh", &[("x", &[0, 3, 5, 4])], &["tensor x", "at least 1"]);
    refuses("conv2d", &[X, W, ("b", &[1])], &["b has 1", "6 channels"]);
    refuses("conv2d", &[X, W, ("b", &[6, 1])], &["tensor b", "1 axis"]);
    refuses("conv2d", &[X, W, ("gy", X.1)], &["gy", "[2, 6, 3, 2]", "[2, 3, 5, 4]"]);
    refuses("instance_norm", &[X, ("w", &[4]), ("b", &[4])], &["normalize", "weight and bias"]);
    refuses("instance_norm", &[X, ("w", &[3]), ("b", &[4])], &["w is [3]", "b is [4]"]);
    refuses("batch_norm", &[X, ("rm", &[4]), ("rv", &[4])], &["rm and rv", "3 channels"]);
    refuses("batch_norm_eval", &[X, ("rm", &[4]), ("rv", &[4])], &["moments"]);
}

#[test]
fn settings_that_do_not_fit_are_refused() {
    refuses("relu --stride 2", &[X], &["relu", "stride"]);
    refuses("conv2d --output-padding 1", &[X, W], &["conv2d", "output-padding"]);
    refuses("conv2d --stride 0", &[X, W], &["stride", "at least 1"]);
    refuses("conv2d --stride 1,2,3", &[X, W], &["--stride", "[1, 2, 3]"]);
    refuses("conv2d --padding 1,2,3,4", &[X, W], &["padding", "1 or 2"]);
    refuses("conv2d --padding 18446744073709551615", &[X, W], &["18446744073709551615", "65535"]);
    refuses("conv2d --padding 65535", &[X, W], &["would hold", "smaller"]);
    refuses("conv_transpose2d --output-padding 1", &[X, ("w", &[3, 6, 3, 3])], &["output_padding", "stride"]);
    refuses("upsample_nearest2d --scale 0", &[X], &["factor", "at least 1"]);
    refuses("upsample_nearest2d --scale 65535", &[X], &["would hold", "smaller"]);
    refuses("reflection_pad2d --padding 5", &[X], &["reflection_pad2d", "less than the image"]);
    refuses("reflection_pad2d --padding 1,2", &[X], &["padding", "1 or 4"]);
    refuses("leaky_relu --slope=-1", &[X], &["slope -1", "at least 0"]);
    refuses("slice_channels --channels 1,4", &[X], &["slice_channels", "1..4", "[2, 5, 4, 3]"]);
    refuses("slice_channels --channels 2,2", &[X], &["2..2"]);
    refuses("max_pool2d --kernel 3 --padding 2", &[X], &["padding [2, 2]", "half of kernel [3, 3]"]);
    refuses("max_pool2d --kernel 9", &[X], &["max_pool2d", "larger than the padded"]);
    refuses("group_norm --groups 2", &[X], &["2 groups do not divide", "[2, 5, 4, 3]"]);
    refuses("group_norm --groups 0", &[X], &["0 groups"]);
    refuses("concat_channels", &[X, ("z", &[2, 3, 5, 5])], &["concat_channels", "only in channels"]);
    refuses("div", &[X, ("z", &[2, 3, 5, 5])], &["div", "differ on an axis"]);
    refuses("div", &[X], &["tensor z is missing"]);
    refuses("batch_norm --eps=-1", &[X], &["eps -1"]);
    refuses("batch_norm --momentum nan", &[X], &["momentum NaN"]);
}

#[test]
fn a_device_without_float64_says_so() {
    let folder = folder_with(&Tensors::F64(named(&[X], |x| x)));
    let error = run_in(folder.path(), "relu --device gpu").unwrap_err();
    assert!(error.contains("float64") && error.contains("--device cpu"), "{error}");
}

#[test]
fn files_that_are_damaged_or_of_other_types_are_refused() {
    let folder = folder_with(&single(&[X]));
    let path = folder.path().join("in.safetensors");
    let whole = std::fs::read(&path).unwrap();
    let refuse = |bytes: &[u8], word: &str| {
        std::fs::write(&path, bytes).unwrap();
        let error = run_in(folder.path(), "relu").unwrap_err().to_string();
        assert!(error.contains("in.safetensors") && error.contains(word), "{error}");
    };
    for length in (0..whole.len()).step_by(5) {
        refuse(&whole[..length], "damaged or cut short");
    }
    refuse(&[255; 64], "no safetensors file, or damaged");
    refuse(b"\x02\0\0\0\0\0\0\0{}", "no tensors");
    let huge = br#"{"x":{"dtype":"F32","shape":[4294967296,4294967296,4,4],"data_offsets":[0,0]}}"#;
    refuse(&[&(huge.len() as u64).to_le_bytes()[..], huge].concat(), "damaged (its header");

    let view = |dtype, bytes| TensorView::new(dtype, vec![1, 1, 1, 1], bytes).unwrap();
    let integers = [("x", view(Dtype::I64, &[0; 8]))];
    refuse(&safetensors::serialize(integers, None).unwrap(), "tensor x is I64");
    let mixed = [("x", view(Dtype::F64, &[0; 8])), ("gy", view(Dtype::F32, &[0; 4]))];
    refuse(&safetensors::serialize(mixed, None).unwrap(), "float32 and float64");

    std::fs::remove_file(&path).unwrap();
    assert!(run_in(folder.path(), "relu").unwrap_err().contains("in.safetensors"));
}
