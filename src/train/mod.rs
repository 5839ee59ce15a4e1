//! Training: settings, steps, loops, and what a run keeps on disk.

pub mod checkpoint;
pub mod config;
pub mod cyclegan_steps;
pub mod dcgan;
pub mod dcgan_steps;
pub mod log;
pub mod optimizer;
pub mod run_folder;
pub mod sampling;
mod settings;
