//! An operation of one's own: pixel norm (Karras 2018), which scales the channels of every pixel to a mean square of 1:
//! `y = x / sqrt(mean over channels of x^2 + eps)`. Its shape, meaning, gradient and kernel stand here; the checks at the
//! end compare each with another.
//!
//! ```sh
//! cargo run --release --example custom_op -- --device cpu
//! ```

use clap::Parser;
use mewgan::device::Device;
use mewgan::gradcheck::{Case, Report, check};
use mewgan::graph::Var;
use mewgan::graph::custom::{CustomOp, Kernel, Operand};
use mewgan::real::Real;
use mewgan::shape::{ConvOptions, Shape};
use mewgan::{Error, Result};
use std::process::ExitCode;

/// `[n, h, w, c]` to `[n, h, w, c]`.
#[derive(Debug, PartialEq)]
struct PixelNorm {
    /// Added to the mean square.
    eps: f64,
}

impl CustomOp for PixelNorm {
    fn name(&self) -> &'static str {
        "pixel_norm"
    }

    fn shape(&self, operands: &[Shape]) -> Result<Shape> {
        match operands {
            &[x] => Ok(x),
            _ => {
                Err(Error::Graph { op: self.name(), problem: format!("takes one tensor, not {operands:?}") })
            }
        }
    }

    // In f32 this is the CPU device, in f64 the oracle of the kernel and of the rule.
    fn evaluate<T: Real>(&self, operands: &[Operand<'_, T>], y: &mut [T]) {
        let [x] = operands else { unreachable!("`shape` takes one") };
        let channels = x.shape.channels();
        for (x, y) in x.values.chunks_exact(channels).zip(y.chunks_exact_mut(channels)) {
            let squares = x.iter().fold(T::from_f64(0.0), |sum, &x| sum + x * x);
            let scale = (squares / T::from_f64(channels as f64) + T::from_f64(self.eps)).sqrt().recip();
            x.iter().zip(y).for_each(|(&x, y)| *y = x * scale);
        }
    }

    // One invocation: one pixel.
    fn kernel(&self, _operands: &[Shape], y: Shape) -> Kernel {
        let pixels = y.len() / y.channels();
        Kernel::new(include_str!("pixel_norm.wgsl"))
            .constant("PIXELS", pixels)
            .constant("CHANNELS", y.channels())
            .number("EPS", self.eps)
            .threads(pixels)
    }

    // With r = 1 / sqrt(mean(x^2) + eps): dx = r * (gy - y * mean(gy * y)), as more graph. So it has a gradient in turn.
    fn gradient<'g>(&self, operands: &[Var<'g>], y: Var<'g>, gy: Var<'g>) -> Result<Vec<Option<Var<'g>>>> {
        let r = operands[0].square().channel_mean().affine(1.0, self.eps).rsqrt();
        let along = y.mul(gy.mul(y)?.channel_mean())?;
        Ok(vec![Some(gy.sub(along)?.mul(r)?)])
    }
}

/// From here on it reads like every other operation.
fn pixel_norm(x: Var<'_>) -> Result<Var<'_>> {
    x.graph().custom(PixelNorm { eps: 1e-8 }, &[x])
}

/// Values and gradients on `device`: by itself, and between a convolution and an activation.
pub fn run(device: &Device) -> Result<Report> {
    let cases = [
        Case::new("pixel_norm", &[[2, 3, 5, 6]], |v| pixel_norm(v[0])),
        Case::new("conv2d, pixel_norm, leaky_relu", &[[2, 8, 8, 4], [3, 3, 4, 8]], |v| {
            pixel_norm(v[0].conv2d(v[1], ConvOptions::new(1, 1))?)?.leaky_relu(0.2)
        }),
    ];
    check(device, &cases, &|_, _, _| ())
}

#[derive(Parser)]
struct Args {
    /// auto, gpu, cpu or a part of a GPU's name
    #[arg(long, default_value = "auto")]
    device: String,
}

fn main() -> Result<ExitCode> {
    let report = run(&Device::open(&Args::parse().device)?)?;
    println!("{report}");
    Ok(if report.passed() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
