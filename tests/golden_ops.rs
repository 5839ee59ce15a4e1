//! Promise: operations and their gradients give what PyTorch gives, on every device. The fixtures, all in f64 and drawn
//! from numbers that f32 holds exactly, are written by tests/golden/make.py, make_recipe.py and
//! make_ops.py.

use crate::support;
use crate::support::fixtures::{Named, distance, golden, tensors};
use mewgan::executor::Executor;
use mewgan::graph::{StateBuffer, Step};
use mewgan::op::{self, OpRequest};
use mewgan::reference::{Number, Reference};
use mewgan::tensor_file::Tensor;
use std::collections::BTreeSet;
use std::path::Path;

/// Somewhere an operation runs, and how exactly.
struct Device {
    name: &'static str,
    /// What rounding may change, see [`distance`]. Every result is a short chain of sums of at most a few hundred
    /// products, each of which may be off by a few units in the last place (2^-53 or 2^-24).
    tolerance: f64,
    run: fn(&OpRequest, &Named<f64>) -> mewgan::Result<Named<f64>>,
}

// Which kernel the GPU takes is not at stake here: tests/kernels.rs holds them all to the reference.
const DEVICES: [Device; 3] = [
    Device { name: "reference f64", tolerance: 1e-13, run: on_reference::<f64> },
    Device { name: "reference f32", tolerance: 2e-6, run: on_reference::<f32> },
    Device { name: "GPU", tolerance: 4e-6, run: on_gpu },
];

fn on_reference<T: Number + Default + 'static>(
    request: &OpRequest,
    inputs: &Named<f64>,
) -> mewgan::Result<Named<f64>> {
    let results =
        op::run(request, convert(inputs, T::from_f64), |buffers: &[StateBuffer], steps: Vec<Step>| {
            Ok(Box::new(Reference::new(buffers, steps).unwrap()) as Box<dyn Executor<T>>)
        })?;
    Ok(convert(&results, T::as_f64))
}

fn on_gpu(request: &OpRequest, inputs: &Named<f64>) -> mewgan::Result<Named<f64>> {
    let gpu = support::gpu();
    let results =
        op::run(request, convert(inputs, |x| x as f32), |buffers: &[StateBuffer], steps: Vec<Step>| {
            Ok(Box::new(gpu.executor(buffers, &steps)?) as Box<dyn Executor>)
        })?;
    Ok(convert(&results, f64::from))
}

fn convert<A: Copy, B>(tensors: &Named<A>, number: impl Fn(A) -> B) -> Named<B> {
    let tensor = |tensor: &Tensor<A>| Tensor {
        shape: tensor.shape.clone(),
        values: tensor.values.iter().map(|&x| number(x)).collect(),
    };
    tensors.iter().map(|(name, t)| (name.clone(), tensor(t))).collect()
}

/// The operation a fixture's metadata tells.
fn request(path: &Path) -> OpRequest {
    let bytes = std::fs::read(path).unwrap();
    let (_, header) = safetensors::SafeTensors::read_metadata(&bytes).unwrap();
    let metadata = header.metadata().as_ref().unwrap();
    let mut request = OpRequest::new(&metadata["op"]);
    let flags: serde_json::Map<String, serde_json::Value> = serde_json::from_str(&metadata["flags"]).unwrap();
    for (flag, value) in flags {
        let number = || value.as_f64().unwrap();
        let list = || -> Vec<usize> { serde_json::from_value(value.clone()).unwrap() };
        match flag.as_str() {
            "stride" => request.stride = list().try_into().unwrap(),
            "padding" | "pad" => request.padding = list(),
            "output_padding" => request.output_padding = list().try_into().unwrap(),
            "eps" => request.eps = number(),
            "momentum" => request.momentum = number(),
            "slope" => request.slope = number(),
            "groups" => request.groups = value.as_u64().unwrap() as usize,
            "kernel" => request.kernel = list().try_into().unwrap(),
            "channels" => request.channels = list().try_into().unwrap(),
            "scale" => request.scale = list().try_into().unwrap(),
            _ => panic!("{}: unknown flag {flag}", path.display()),
        }
    }
    request
}

/// By how much a norm enlarges rounding errors of its input: the largest number over the smallest spread about a
/// channel's mean, since only the spread survives.
fn conditioning(request: &OpRequest, x: &Tensor<f64>) -> f64 {
    if !request.name.contains("norm") || request.name == "batch_norm_eval" {
        return 1.0;
    }
    let largest = x.values.iter().fold(0.0_f64, |largest, x| largest.max(x.abs()));
    let (images, channels) = (x.shape[0], x.shape[1]);
    let pixels = x.shape[2] * x.shape[3];
    let plane = |n: usize, c: usize| &x.values[(n * channels + c) * pixels..][..pixels];
    let groups: Vec<Vec<f64>> = if request.name == "group_norm" {
        x.values.chunks(channels / request.groups * pixels).map(<[f64]>::to_vec).collect()
    } else if request.name == "instance_norm" {
        (0..images * channels).map(|i| plane(i / channels, i % channels).to_vec()).collect()
    } else {
        (0..channels).map(|c| (0..images).flat_map(|n| plane(n, c).to_vec()).collect()).collect()
    };
    let deviation = |group: &Vec<f64>| {
        let mean = group.iter().sum::<f64>() / group.len() as f64;
        (group.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / group.len() as f64).sqrt()
    };
    largest / groups.iter().map(deviation).fold(f64::INFINITY, f64::min)
}

#[test]
fn operations_and_their_gradients_give_what_pytorch_gives() {
    let mut seen = BTreeSet::new();
    let mut failures = Vec::new();
    for entry in std::fs::read_dir(golden("ops")).unwrap() {
        let path = entry.unwrap().path();
        let request = request(&path);
        let mut inputs = tensors(&path);
        let given = ["x", "z", "w", "b", "rm", "rv", "gy"];
        let mut expected: Named<f64> = Named::new();
        for name in inputs.keys().cloned().collect::<Vec<_>>() {
            if !given.contains(&name.as_str()) {
                let tensor = inputs.remove(&name).unwrap();
                expected.insert(name.trim_end_matches("_after").to_owned(), tensor);
            }
        }
        let slack = conditioning(&request, &inputs["x"]);
        for device in &DEVICES {
            let label = format!("{} on {}", path.file_stem().unwrap().display(), device.name);
            let found = (device.run)(&request, &inputs).unwrap_or_else(|error| panic!("{label}: {error}"));
            assert!(found.keys().eq(expected.keys()), "{label}: {:?}", found.keys());
            for (name, expected) in &expected {
                assert_eq!(found[name].shape, expected.shape, "{label}: {name}");
                let distance = distance(&found[name].values, &expected.values);
                if distance.is_nan() || distance > device.tolerance * slack.max(1.0) {
                    failures.push(format!("{label}: {name} differs by {distance:.1e} (slack {slack:.0})"));
                }
            }
        }
        seen.insert(request.name);
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
    assert!(op::names().eq(op::names().filter(|name| seen.contains(*name))), "an operation has no fixture");
}
