//! GAN training on any GPU, from scratch: DCGAN and CycleGAN with compute kernels written by hand in WGSL, put together
//! by a small autograd graph, run through wgpu on Vulkan, Metal or DX12.
//!
//! A graph says what to compute, a program says how, an executor does it:
//!
//! ```text
//!  pictures --> data --\                                     /--> reference   every operation in plain Rust, f32 or f64
//!                       train --> nn --> graph --(compile)--<
//!  settings --> cli ---/        (layers)  (ops, shapes,      \--> gpu         lower -> Program -> run
//!                         |                gradients)                         shaders/*.wgsl
//!                       report  sheets, curves, animations, pages
//! ```
//!
//! Arrows point one way: `graph` knows neither executors nor files, `nn` knows only `graph`, `gpu` and `reference` know `graph`
//! but not `nn`, `train` puts them together, `cli` is thin.
//!
//! # Where to start
//!
//! | to | look at | and run |
//! |---|---|---|
//! | train from Rust | [`train::dcgan`], [`train::cyclegan`]: a [`Plan`](train::run::Plan) says what a run will be, a [`Trainer`](train::run::Trainer) runs it; [`train::sampling`], [`train::translation`] use what was trained | [the example below](#train-and-draw) |
//! | train a model of one's own | [`nn`] for layers, [`graph`] for what is minimised, [`train::optimizer`] for Adam over it | `examples/own_gan.rs` |
//! | study kernels | `shaders/`, a file each, in the text of [`gpu::preprocess`]; [`gpu::lower`] chooses and fuses them into a [`gpu::program::Program`]; [`mod@reference`] says what each must compute | `mewgan kernels`, `mewgan explain RUN`, `mewgan bench` |
//! | write a kernel | [`graph::custom`]: an operation of one's own, with its meaning, gradient rule and WGSL | `examples/custom_op.rs` |
//! | check gradients | [`gradcheck`]: against differences in f64, and every kernel against the reference | `examples/check_op.rs`, `mewgan gradcheck` |
//!
//! Examples run by `cargo run --release --example own_gan -- --device cpu`.
//!
//! # Modules
//!
//! Bottom up: each builds on those above it in this list, and on no other.
//!
//! | module | what it knows |
//! |---|---|
//! | [`error`] | what can go wrong, and what to do about it |
//! | [`shape`], [`real`], [`random`] | sizes, valid by construction; f32 and f64 alike; counter-based random streams |
//! | [`graph`] | operations (of one's own by [`graph::custom`]), shapes, gradients as more graph; [`graph::Step`] is what an executor runs |
//! | [`ranks`] | processes that train together, over MPI: what they share out and exchange |
//! | [`executor`] | what every device offers |
//! | [`mod@reference`] | what every operation means, in plain Rust over f32 or f64: the oracle, and the CPU device |
//! | [`gpu`] | from a step to a program of WGSL dispatches, and its execution; kernels are under `shaders/` |
//! | [`device`] | choosing what to compute on |
//! | [`nn`], [`optim`] | networks as lists of layers, initial values, losses; Adam, schedules |
//! | [`data`] | folders of pictures, augmentation, batches |
//! | [`tensor_file`] | safetensors, read and written |
//! | [`quality`], [`evaluate`] | figures that judge pictures |
//! | [`report`] | sample sheets, metrics, curves, animations, pages |
//! | [`onnx`] | networks as ONNX files, for other programs to run |
//! | [`gradcheck`] | every operation and kernel against the reference in f64, and gradients against differences |
//! | [`op`] | one operation from file to file |
//! | [`measure`] | how long things take on a device, and what it can do at best |
//! | [`kernels`] | every kernel by itself |
//! | [`train`] | settings, the steps of both systems, training loops, checkpoints |
//! | [`mod@bench`] | how fast a device is, and each kernel's share of what it can do |
//! | [`explain`] | what an iteration of training is, dispatch by dispatch |
//! | [`web`] | a trained model as a static site that runs in browsers; the page is under `assets/web/` |
//! | [`cli`] | the command line |
//!
//! # A graph, its gradient, a device
//!
//! ```
//! use mewgan::device::Device;
//! use mewgan::graph::{Graph, Step, gradients};
//! use mewgan::shape::{ConvOptions, Shape};
//!
//! # fn main() -> mewgan::Result<()> {
//! let graph = Graph::new();
//! let x = graph.input("x", Shape([1, 4, 4, 1])); // batch, height, width, channels
//! let w = graph.full(Shape([3, 3, 1, 2]), 0.5); // kernel height, kernel width, in, out
//! let loss = x.conv2d(w, ConvOptions::new(1, 1))?.relu().mean();
//! let dx = gradients(loss, &[x])?[0];
//! let step = Step::new("example", &graph, &[("loss", loss), ("dx", dx)], vec![])?;
//!
//! let mut executor = Device::open("cpu")?.executor(&[], vec![step])?; // or "auto", or "gpu"
//! executor.write_input(0, "x", &[1.0; 16])?;
//! executor.run(&[0])?;
//! assert_eq!(executor.read_output(0, "loss")?, [3.125]);
//! # Ok(())
//! # }
//! ```
//!
//! # Train and draw
//!
//! What `mewgan train dcgan` and `mewgan sample` do:
//!
//! ```no_run
//! use mewgan::device::Device;
//! use mewgan::nn::Statistics;
//! use mewgan::train::checkpoint::Checkpoint;
//! use mewgan::train::config::{DcganConfig, DcganSettings};
//! use mewgan::train::dcgan::Plan;
//! use mewgan::train::sampling::{Sampler, save_grid};
//! use std::path::Path;
//! use std::sync::atomic::AtomicBool;
//!
//! # fn main() -> mewgan::Result<()> {
//! let settings = DcganSettings {
//!     data: Some("builtin:noto/faces".into()), // or a folder
//!     size: Some(32),
//!     steps: Some(1500),
//!     ..Default::default() // the preset's
//! };
//! let config = DcganConfig::new(DcganSettings::default(), settings)?;
//! let run = Path::new("runs/faces");
//! let plan = Plan::start(config, Some(run))?; // nothing is taken or written yet
//! plan.introduction().iter().for_each(|line| println!("{line}"));
//! let stop = AtomicBool::new(false); // set it from elsewhere, and the run ends with a checkpoint
//! plan.begin()?.run(&stop, &mut ())?; // in place of (), a `Watch` hears of steps, losses and trouble
//!
//! let checkpoint = Checkpoint::of_run(run, None)?; // the newest
//! let mut sampler = Sampler::new(&checkpoint, &Device::open("auto")?, Statistics::Batch)?;
//! let mut pictures = Vec::new();
//! sampler.pictures(7, 16, &mut |drawn| {
//!     pictures.extend_from_slice(drawn.picture);
//!     Ok(())
//! })?;
//! save_grid(&pictures, sampler.config(), 4, Path::new("faces.png"))?;
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
pub mod explain;
mod file;
pub mod gpu;
pub mod gradcheck;
pub mod graph;
pub mod kernels;
mod machine;
pub mod measure;
pub mod nn;
pub mod onnx;
pub mod op;
pub mod optim;
pub mod quality;
pub mod random;
pub mod ranks;
pub mod real;
pub mod reference;
pub mod report;
pub mod shape;
mod spelling;
pub mod tensor_file;
pub mod train;
pub mod web;

pub use error::{Error, Result};

/// Its Rust is compiled and run as the documentation's is.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
