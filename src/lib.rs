//! mewgpu
#![warn(missing_docs)]
pub mod cli;
pub mod data;
pub mod device;
pub mod error;
pub mod evaluate;
pub mod executor;
pub mod gpu;
pub mod graph;
pub mod nn;
pub mod op;
pub mod optim;
pub mod quality;
pub mod random;
pub mod reference;
pub mod report;
pub mod shape;
pub mod train;
pub use error::{Error, Result};
