//! Training: settings, phases, the loop, and what a run keeps on disk, for any [`Model`](model::Model).

pub mod checkpoint;
pub mod config;
pub mod dataset;
pub mod diagnostics;
mod due;
pub mod evaluation;
mod gallery;
pub mod initial;
pub mod log;
pub mod model;
pub(crate) mod norm_mode;
pub(crate) mod pairs;
pub mod phase;
pub mod preparation;
#[cfg(feature = "report")]
pub mod reporting;
pub mod run;
pub mod run_folder;
pub mod split;
pub mod starts;
