//! `mewgan export`

mod csv;
#[cfg(feature = "onnx")]
mod onnx;
#[cfg(feature = "web")]
mod web;

use super::Done;
use clap::Subcommand;

#[derive(Subcommand)]
pub enum Export {
    /// What a run measured, as CSV: a row a step, a column a figure.
    Csv(csv::Csv),
    /// Write a generator as an ONNX file, for onnxruntime and others.
    ///
    /// Of a DCGAN the generator, from noise [batch, numbers, 1, 1] to images [batch, channels, size, size]; of a CycleGAN the
    /// one --to a set, from image to translation, both [batch, channels, height, width] of any size.
    /// Images are from -1 to 1. Weights are averages where the run keeps them. Opset 17.
    #[cfg(feature = "onnx")]
    Onnx(onnx::Onnx),
    /// A static site that runs the generator in browsers, by WebGPU; a DCGAN's page can go on training too.
    #[cfg(feature = "web")]
    Web(web::Web),
}

impl Export {
    pub fn run(self) -> Done {
        match self {
            Self::Csv(csv) => csv.run(),
            #[cfg(feature = "onnx")]
            Self::Onnx(onnx) => onnx.run(),
            #[cfg(feature = "web")]
            Self::Web(web) => web.run(),
        }
    }
}
