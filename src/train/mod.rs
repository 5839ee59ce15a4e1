//! Training: settings, steps, loops, and what a run keeps on disk.

pub mod checkpoint;
pub mod config;
pub mod cyclegan;
pub mod cyclegan_steps;
pub mod dcgan;
pub mod dcgan_steps;
mod draws;
pub mod evaluation;
mod gallery;
pub mod initial;
pub mod log;
pub mod model;
pub mod optimizer;
pub mod reporting;
pub mod run;
pub mod run_folder;
pub mod sampling;
mod settings;
pub mod source;
pub mod starts;
mod statistics;
pub mod symptoms;
pub mod translation;
