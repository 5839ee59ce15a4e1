//! GAN training on any GPU, from scratch: DCGAN, CycleGAN and pix2pix with compute kernels written by hand in WGSL, put together
//! by a small autograd graph, run through wgpu on Vulkan, Metal or DX12.
//!
//! A graph says what to compute, a program says how, an executor does it:
//!
//! ```text
//!  images --> data --\                                     /--> reference   every operation in plain Rust, f32 or f64
//!            models --> train --> nn --> graph --(compile)--<
//!  settings --> cli ---/        (layers)  (ops, shapes,      \--> gpu         lower -> Program -> run
//!                         |                gradients)                         shaders/*.wgsl
//!                       report  sheets, curves, animations, pages
//! ```
//!
//! Arrows point one way: `graph` knows neither executors nor files, `nn` knows only `graph`, `gpu` and `reference` know `graph`
//! but not `nn`, `train` runs whatever `models` describe as data, `cli` is thin.
//!
//! # Where to start
//!
//! | to | look at | and run |
//! |---|---|---|
//! | train from Rust | [`models::dcgan`], [`models::cyclegan`], [`models::pix2pix`]: a [`Plan`](train::run::Plan) says what a run will be, a [`Trainer`](train::run::Trainer) runs it; [`models::dcgan::sampling`], [`models::translation`] use what was trained | [the example below](#train-and-draw) |
//! | add a model | [`models`]: a folder and a row; [`train::model::Model`] is all that a run needs to know of it, [`train::phase`] what an iteration is | |
//! | train a model of one's own | [`nn`] for layers, [`graph`] for what is minimised, [`optim`] for Adam, AdamW, RMSProp or SGD over it, [`session`] to run it on a device | `examples/own_gan.rs` |
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
//! | [`shape`], [`mod@size`], [`real`], [`random`] | sizes, valid by construction; f32 and f64 alike; counter-based random streams |
//! | [`graph`] | operations (of one's own by [`graph::custom`]), shapes, gradients as more graph; [`graph::Step`] is what an executor runs |
//! | [`ranks`] | processes that train together, over MPI: what they share out and exchange |
//! | [`tensor_file`] | safetensors, read and written |
//! | [`executor`] | what every device offers |
//! | [`mod@reference`] | what every operation means, in plain Rust over f32 or f64: the oracle, and the CPU device |
//! | [`gpu`] | from a step to a program of WGSL dispatches, and its execution; kernels are under `shaders/` |
//! | [`device`] | choosing what to compute on |
//! | [`nn`] | networks as lists of layers, initial values, losses |
//! | [`data`] | folders of images, augmentation, batches |
//! | [`quality`], [`evaluate`] | figures that judge images |
//! | [`optim`] | optimizers and the parameters they train, schedules |
//! | [`report`] | sample sheets, metrics, curves, animations, pages |
//! | [`onnx`] | networks as ONNX files, for other programs to run |
//! | [`session`] | steps on a device, by name: what to write, run and read when a model of one's own is trained |
//! | [`gradcheck`] | every operation and kernel against the reference in f64, and gradients against differences |
//! | [`op`] | one operation from file to file |
//! | [`measure`] | how long things take on a device, and what it can do at best |
//! | [`features`](#features) | a network from an ONNX file, by whose features sets of images are compared (cargo feature `fid`) |
//! | [`kernels`] | every kernel by itself |
//! | [`train`] | settings, phases, the training loop, checkpoints, for any model |
//! | [`models`] | DCGAN, CycleGAN and pix2pix, a folder each |
//! | [`mod@bench`] | how fast a device is, and each kernel's share of what it can do |
//! | [`explain`] | what an iteration of training is, dispatch by dispatch |
//! | [`web`] | a trained model as a static site that runs in browsers; the page is under `assets/web/` |
//! | [`cli`] | the command line |
//!
//! # Features
//!
//! All but `fid` and `mpi` are on by default; `default-features = false` leaves the library alone.
//!
//! | feature | what it adds |
//! |---|---|
//! | `cli` | the program `mewgan`, [`cli`], settings as flags; asks the system how much memory there is, so that what needs more is refused (without it only `memory_limit` is looked at); needs `report` |
//! | `report` | curves, animations, pages, CSV, events for TensorBoard; without it a run keeps its sample sheets, metrics and checkpoints |
//! | `onnx` | [`onnx`] |
//! | `web` | [`web`] |
//! | `listing` | SPIR-V in [`kernels::translate`] |
//! | `fid` | `features`: FID, KID, precision and recall by a network of your own; needs Rust 1.91 |
//! | `mpi` | several processes in [`ranks`], over the MPI library that is installed |
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
//! use mewgan::models::dcgan::sampling::{Sampler, save_grid};
//! use mewgan::models::dcgan::{DcganConfig, DcganSettings, Plan};
//! use mewgan::nn::NormMode;
//! use mewgan::train::checkpoint::Checkpoint;
//! use mewgan::train::config::{CommonSettings, RunConfig};
//! use std::path::Path;
//! use std::sync::atomic::AtomicBool;
//!
//! # fn main() -> mewgan::Result<()> {
//! let settings = DcganSettings {
//!     data: Some("builtin:noto/faces".into()), // or a folder
//!     common: CommonSettings { size: Some(32.into()), steps: Some(1500), ..Default::default() },
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
//! let mut sampler = Sampler::new(&checkpoint, &Device::open("auto")?, NormMode::Batch)?;
//! let mut images = Vec::new();
//! sampler.images(7, 16, &mut |drawn| {
//!     images.extend_from_slice(drawn.image);
//!     Ok(())
//! })?;
//! save_grid(&images, sampler.config(), 4, Path::new("faces.png"))?;
//! # Ok(())
//! # }
//! ```
#![warn(missing_docs)]

pub mod bench;
#[cfg(feature = "cli")]
pub mod cli;
pub mod data;
pub mod device;
mod embedded;
pub mod error;
pub mod evaluate;
pub mod executor;
pub mod explain;
#[cfg(feature = "fid")]
pub mod features;
mod file;
pub mod gpu;
pub mod gradcheck;
pub mod graph;
pub mod kernels;
mod machine;
pub mod measure;
pub mod models;
pub mod nn;
#[cfg(feature = "onnx")]
pub mod onnx;
pub mod op;
pub mod optim;
pub mod quality;
pub mod random;
pub mod ranks;
pub mod real;
pub mod reference;
pub mod report;
pub mod session;
pub mod shape;
pub mod size;
mod spelling;
pub mod tensor_file;
pub mod train;
#[cfg(feature = "web")]
pub mod web;

pub use error::{Error, Result};

/// Its Rust is compiled and run as the documentation's is.
#[cfg(doctest)]
#[doc = include_str!("../docs/library.md")]
struct LibraryPage;
