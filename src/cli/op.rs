//! `mewgan op`: one operation and its gradients, from file to file.

use super::{Done, say};
use crate::device::{AUTO, CPU, Device};
use crate::executor::Executor;
use crate::graph::{StateBuffer, Step};
use crate::op::{OpRequest, names, run};
use crate::reference::Reference;
use crate::tensor_file::{Tensor, Tensors, read, write};
use crate::{Error, Result};
use clap::builder::PossibleValuesParser;
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::ExitCode;

/// Run one operation, and its gradients if the inputs contain `gy`, in PyTorch's layouts.
#[derive(clap::Args)]
pub struct Op {
    /// Operation, by PyTorch's name
    #[arg(value_parser = PossibleValuesParser::new(names()))]
    name: String,
    /// Safetensors file with x and, depending on the operation, z, w, b, rm, rv; include gy to get gradients
    #[arg(long, value_name = "FILE")]
    inputs: PathBuf,
    /// Safetensors file to write: y and, if requested, dx, dz, dw, db, rm, rv
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
    /// Of max_pool2d: one number, or height,width
    #[arg(long, value_delimiter = ',', default_value = "2")]
    kernel: Vec<usize>,
    /// Of a convolution or max_pool2d: one number, or height,width; 1, or the kernel of max_pool2d, where none is given
    #[arg(long, value_delimiter = ',')]
    stride: Option<Vec<usize>>,
    /// Of a convolution or max_pool2d: one number, or height,width; of reflection_pad2d: one number, or left,right,top,bottom
    #[arg(long, value_delimiter = ',', default_value = "0")]
    padding: Vec<usize>,
    /// Of conv_transpose2d: one number, or height,width
    #[arg(long, value_delimiter = ',', default_value = "0")]
    output_padding: Vec<usize>,
    /// Of a norm: added to the variance
    #[arg(long, default_value_t = 1e-5)]
    eps: f64,
    /// Of batch_norm: share of the batch in the running statistics
    #[arg(long, default_value_t = 0.1)]
    momentum: f64,
    /// Of group_norm
    #[arg(long, default_value_t = 1)]
    groups: usize,
    /// Of leaky_relu
    #[arg(long, default_value_t = 0.01)]
    slope: f64,
    /// Of slice_channels: the first channel, and the one behind the last
    #[arg(long, value_delimiter = ',', value_name = "FROM,TO", default_value = "0,1")]
    channels: Vec<usize>,
    /// Of upsample_nearest2d: one number, or height,width
    #[arg(long, value_delimiter = ',', default_value = "2")]
    scale: Vec<usize>,
    /// Where to run: auto, gpu, cpu or the name of a device
    #[arg(long, default_value = "auto")]
    device: String,
}

impl Op {
    pub fn run(self) -> Done {
        let device = self.device.as_str();
        let kernel = pair("kernel", &self.kernel)?;
        let stride = match self.stride {
            Some(stride) => pair("stride", &stride)?,
            None if self.name == "max_pool2d" => kernel,
            None => [1; 2],
        };
        let request = OpRequest {
            name: self.name,
            kernel,
            stride,
            padding: self.padding,
            output_padding: pair("output-padding", &self.output_padding)?,
            eps: self.eps,
            momentum: self.momentum,
            groups: self.groups,
            slope: self.slope,
            channels: match *self.channels {
                [from, to] => [from, to],
                _ => return Err(Error::Input(format!("--channels takes from,to, not {:?}", self.channels))),
            },
            scale: pair("scale", &self.scale)?,
        };
        let (results, listing) = match read(&self.inputs)? {
            Tensors::F32(tensors) => {
                let device = Device::open(device)?;
                say(device.describe());
                let results = run(&request, tensors, |buffers, steps| device.executor(buffers, steps))?;
                let listing = listing(&results);
                (Tensors::F32(results), listing)
            }
            Tensors::F64(tensors) => {
                let results = run(&request, tensors, |buffers, steps| double(device, buffers, steps))?;
                let listing = listing(&results);
                (Tensors::F64(results), listing)
            }
        };
        write(&self.out, &results)?;
        say(format_args!("{}: {listing} -> {}", request.name, self.out.display()));
        Ok(ExitCode::SUCCESS)
    }
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

/// The executor for float64: the reference on the CPU, the only one that computes in it.
fn double(device: &str, buffers: &[StateBuffer], steps: Vec<Step>) -> Result<Box<dyn Executor<f64>>> {
    match device {
        AUTO | CPU => Ok(Box::new(Reference::new(buffers, steps)?)),
        _ => Err(Error::Device(format!(
            "device {device:?} computes in float32, but the inputs are float64; give float32 (.float()), or pass --device cpu"
        ))),
    }
}
