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
    /// Export metrics as CSV: one row per step, one column per metric.
    Csv(csv::Csv),
    /// Write a generator as an ONNX file, for onnxruntime and others.
    ///
    /// DCGAN: the generator, from noise [batch, numbers, 1, 1] to images [batch, channels, height, width]. CycleGAN: the
    /// generator --to a dataset, from image to translation, both [batch, channels, height, width] of any size. Images are
    /// from -1 to 1. Averaged weights are used if the run keeps them. Opset 17.
    #[cfg(feature = "onnx")]
    Onnx(onnx::Onnx),
    /// Export a static site that runs the generator in the browser with WebGPU; a DCGAN's page can also continue training.
    ///
    /// The site works on any web server and refers to no other site. Browsers do not run it from file://; to look at it locally:
    /// python3 -m http.server --directory DIR
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
