//! `mewgpu op`: one operation and its gradients, from file to file.

use crate::executor::Executor;
use crate::graph::{Bank, Step};
use crate::op::{OpRequest, Tensor, Tensors, names, read, run as run_op, write};
use crate::reference::{Real, Reference};
use crate::{Error, Result};
use clap::builder::PossibleValuesParser;
use std::collections::BTreeMap;
use std::path::PathBuf;

/// Run one operation, and its gradients where the inputs hold `gy`, in PyTorch's layouts.
#[derive(clap::Args, Clone, Debug)]
pub struct OpArgs {
    /// Operation, by PyTorch's name
    #[arg(value_parser = PossibleValuesParser::new(names()))]
    pub name: String,
    /// Safetensors file with x and, as the operation has them, w, b, rm, rv; gy asks for gradients
    #[arg(long, value_name = "FILE")]
    pub inputs: PathBuf,
    /// Safetensors file for y and, as asked for, dx, dw, db, rm, rv
    #[arg(long, value_name = "FILE")]
    pub out: PathBuf,
    /// Of a convolution: one number, or height,width
    #[arg(long, value_delimiter = ',', default_value = "1")]
    pub stride: Vec<usize>,
    /// Of a convolution: one number, or height,width; of reflection_pad2d: one number, or left,right,top,bottom
    #[arg(long, value_delimiter = ',', default_value = "0")]
    pub padding: Vec<usize>,
    /// Of conv_transpose2d: one number, or height,width
    #[arg(long, value_delimiter = ',', default_value = "0")]
    pub output_padding: Vec<usize>,
    /// Of a norm: added to the variance
    #[arg(long, default_value_t = 1e-5)]
    pub eps: f64,
    /// Of batch_norm: share of the batch in the running statistics
    #[arg(long, default_value_t = 0.1)]
    pub momentum: f64,
    /// Of leaky_relu
    #[arg(long, default_value_t = 0.01)]
    pub slope: f64,
    /// Of upsample_nearest2d: one number, or height,width
    #[arg(long, value_delimiter = ',', default_value = "2")]
    pub scale: Vec<usize>,
    /// Where to run: auto, gpu, cpu or the name of a device
    #[arg(long, default_value = "auto")]
    pub device: String,
}

/// Runs the operation and writes its results; prints what they are.
///
/// # Errors
/// If a flag, file or tensor does not fit the operation, or the device is missing or fails.
pub fn run(args: OpArgs) -> Result<()> {
    let request = OpRequest {
        name: args.name,
        stride: pair("stride", &args.stride)?,
        padding: args.padding,
        output_padding: pair("output-padding", &args.output_padding)?,
        eps: args.eps,
        momentum: args.momentum,
        slope: args.slope,
        scale: pair("scale", &args.scale)?,
    };
    let (results, listing) = match read(&args.inputs)? {
        Tensors::F32(tensors) => {
            let results = run_op(&request, tensors, |banks, steps| executor(&args.device, banks, steps))?;
            let listing = listing(&results);
            (Tensors::F32(results), listing)
        }
        Tensors::F64(tensors) => {
            let results = run_op(&request, tensors, |banks, steps| executor_f64(&args.device, banks, steps))?;
            let listing = listing(&results);
            (Tensors::F64(results), listing)
        }
    };
    write(&args.out, &results)?;
    println!("{}: {listing} -> {}", request.name, args.out.display());
    Ok(())
}

fn pair(flag: &str, numbers: &[usize]) -> Result<[usize; 2]> {
    match *numbers {
        [both] => Ok([both; 2]),
        [height, width] => Ok([height, width]),
        _ => Err(Error::Input(format!("--{flag} takes one number, or height,width, not {numbers:?}"))),
    }
}

fn listing<T>(results: &BTreeMap<String, Tensor<T>>) -> String {
    let entries: Vec<String> =
        results.iter().map(|(name, tensor)| format!("{name} {:?}", tensor.shape)).collect();
    entries.join(", ")
}

/// The device for float32.
fn executor(device: &str, banks: &[Bank], steps: Vec<Step>) -> Result<Box<dyn Executor<f32>>> {
    match device {
        "auto" | "cpu" => Ok(reference(banks, steps)),
        _ => Err(Error::Device(format!("no device named {device:?}; there is cpu"))),
    }
}

/// The device for float64: the reference on the CPU, the only one that computes in it.
fn executor_f64(device: &str, banks: &[Bank], steps: Vec<Step>) -> Result<Box<dyn Executor<f64>>> {
    match device {
        "auto" | "cpu" => Ok(reference(banks, steps)),
        _ => Err(Error::Device(format!(
            "device {device:?} computes in float32, but the inputs are float64; give float32 (.float()), or pass --device cpu"
        ))),
    }
}

fn reference<T: Real + 'static>(banks: &[Bank], steps: Vec<Step>) -> Box<dyn Executor<T>> {
    Box::new(Reference::new(banks, steps))
}
