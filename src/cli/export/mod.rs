//! `mewgpu export`

mod onnx;

use super::Done;
use clap::Subcommand;

#[derive(Subcommand)]
pub enum Export {
    /// Write a generator as an ONNX file, for onnxruntime and others.
    Onnx(onnx::Onnx),
}

impl Export {
    pub fn run(self) -> Done {
        match self {
            Self::Onnx(onnx) => onnx.run(),
        }
    }
}
