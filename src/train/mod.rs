//! Training: settings, steps, loops, and what a run keeps on disk.

pub mod dcgan_steps;
