//! GAN training on any GPU, from scratch: DCGAN and CycleGAN with compute kernels written by hand in WGSL, put together
//! by a small autograd graph, run through wgpu on Vulkan, Metal or DX12.
//!
//! A graph says what to compute, a program says how, an executor does it:
//!
//! | room | what it knows |
//! |---|---|
//! | [`graph`] | operations, shapes, gradients as more graph; [`graph::Step`] is what an executor runs |
//! | [`reference`] | what every operation means, in plain Rust over f32 or f64: the oracle, and the CPU device |
//! | [`gpu`] | from a step to a program of WGSL dispatches, and its execution; kernels are under `shaders/` |
//! | [`nn`], [`optim`] | networks as lists of layers, initial values, losses, Adam |
//! | [`data`], [`random`] | folders of pictures, augmentation, batches; counter-based random streams |
//! | [`train`] | settings, the steps of both systems, training loops, checkpoints |
//! | [`ranks`] | processes that train together, over MPI: what they share out and exchange |
//! | [`quality`], [`evaluate`] | figures that judge pictures |
//! | [`report`] | sample sheets, metrics, curves, animations, pages |
//! | [`bench`] | how fast a device is, and each kernel's share of what it can do |
//! | [`gradcheck`] | every operation and kernel against the reference in f64, and gradients against differences |
//! | [`op`], [`device`], [`cli`] | one operation from file to file; choosing a device; the command line |
//!
//! Arrows point one way: `graph` knows neither wgpu nor files, `nn` knows only `graph`, `gpu` and `reference` know `graph`
//! but not `nn`, `train` puts them together, `cli` is thin.
//!
//! ```
//! use mewgpu::executor::Executor;
//! use mewgpu::graph::{Graph, Step, gradients};
//! use mewgpu::reference::Reference;
//! use mewgpu::shape::{ConvOptions, Shape};
//!
//! # fn main() -> mewgpu::Result<()> {
//! let graph = Graph::new();
//! let x = graph.input("x", Shape([1, 4, 4, 1])); // batch, height, width, channels
//! let w = graph.full(Shape([3, 3, 1, 2]), 0.5); // kernel height, kernel width, in, out
//! let loss = x.conv2d(w, ConvOptions::new(1, 1))?.relu().mean();
//! let dx = gradients(loss, &[x])?[0];
//! let step = Step::new("example", &graph, &[("loss", loss), ("dx", dx)], vec![]);
//!
//! let mut device = Reference::<f32>::new(&[], vec![step]);
//! device.write_input(0, "x", &[1.0; 16])?;
//! device.run(&[0])?;
//! assert_eq!(device.read_output(0, "loss")?, [3.125]);
//! # Ok(())
//! # }
//! ```
#![warn(missing_docs)]

pub mod bench;
pub mod cli;
pub mod data;
pub mod device;
pub mod error;
pub mod evaluate;
pub mod executor;
mod file;
pub mod gpu;
pub mod gradcheck;
pub mod graph;
mod machine;
pub mod nn;
pub mod op;
pub mod optim;
pub mod quality;
pub mod random;
pub mod ranks;
pub mod reference;
pub mod report;
pub mod shape;
mod tensor_file;
pub mod train;

pub use error::{Error, Result};
