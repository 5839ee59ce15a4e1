//! An operation checked numerically, number by number: are its gradients its derivatives, and does a device compute them?
//! Then one whose gradient is wrong, which is noticed. `mewgan gradcheck` checks all operations so.
//!
//! ```sh
//! cargo run --release --example check_op -- --device cpu
//! ```

use clap::Parser;
use mewgan::Result;
use mewgan::device::Device;
use mewgan::gradcheck::{Difference, Trial, draw, numeric};
use mewgan::graph::Var;
use mewgan::shape::{ConvOptions, Shape};
use std::process::ExitCode;

/// Largest error of the device: f32 keeps 6e-8, and sums of some dozens of products lose a few times that.
const SINGLE: f64 = 1e-5;

/// Of each gradient so many numbers, evenly spread, are compared with slopes.
const PLACES: usize = 60;

/// `f` of random numbers in these shapes, and its gradient to each operand.
fn trial(shapes: &[[usize; 4]], f: impl for<'g> Fn(&[Var<'g>]) -> Result<Var<'g>>) -> Result<Trial> {
    let values: Vec<Vec<f64>> = (0..).zip(shapes).map(|(i, &shape)| draw(Shape(shape).len(), i)).collect();
    Trial::function(shapes, &values, f)
}

/// Prints the worst number of each result, and says whether all are within `tolerance`.
fn judge(what: &str, differences: &[Difference], tolerance: f64) -> bool {
    println!("{what}, at most {tolerance:.0e}:");
    for difference in differences {
        println!("  {} {difference}", if difference.is_within(tolerance) { "ok   " } else { "WRONG" });
    }
    differences.iter().all(|difference| difference.is_within(tolerance))
}

/// Whether what is right passes and what is wrong does not.
pub fn run(device: &Device) -> Result<bool> {
    let conv =
        trial(&[[2, 7, 6, 4], [3, 3, 4, 5]], |v| v[0].conv2d(v[1], ConvOptions::new(2, 1))?.leaky_relu(0.2))?;
    // In f64, by the reference: each gradient against central differences of the value.
    let slopes = numeric::of_reference(&conv, PLACES)?;
    // In f32, by the device's kernels: value and gradients against the reference in f64.
    let mut executor = device.executor(&conv.buffers, vec![conv.step.clone()])?;
    let kernels = Difference::all(&conv.results(&mut *executor)?, &conv.reference::<f64>()?);

    // To differentiation half of x * x is a constant here: the gradient is x, not 2 x.
    let wrong = trial(&[[1, 1, 1, 8]], |v| v[0].mul(v[0].detach()))?;
    let wrong = numeric::of_reference(&wrong, PLACES)?;

    let right =
        judge("strided convolution and leaky ReLU, gradients against slopes", &slopes, numeric::TOLERANCE)
            & judge(&format!("the same on {}", device.describe()), &kernels, SINGLE);
    Ok(right & !judge("x * x with a wrong gradient", &wrong, numeric::TOLERANCE))
}

#[derive(Parser)]
struct Args {
    /// auto, gpu, cpu or a part of a GPU's name
    #[arg(long, default_value = "auto")]
    device: String,
}

fn main() -> Result<ExitCode> {
    let sound = run(&Device::open(&Args::parse().device)?)?;
    Ok(if sound { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
