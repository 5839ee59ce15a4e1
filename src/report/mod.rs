//! What a run leaves behind for people to look at: sample sheets, metrics, loss curves, an animation, events for TensorBoard,
//! and the page that shows them all; and what a terminal shows.
//!
//! Sample sheets, metrics and what a terminal shows are always there; the rest comes with the feature `report`.
//!
//! Everything but the metrics and the events, which grow by whole lines and records, is written to a temporary name and renamed, so that a file is
//! either whole or absent.

#[cfg(feature = "report")]
pub mod animation;
#[cfg(feature = "report")]
pub mod csv;
#[cfg(feature = "report")]
pub mod curves;
pub mod metrics;
#[cfg(feature = "report")]
pub mod page;
pub mod sheet;
pub mod tensorboard;
pub mod terminal;

#[cfg(feature = "report")]
pub use animation::progress_gif;
#[cfg(feature = "report")]
pub use curves::losses_svg;
pub use metrics::{Metrics, Row};
pub use sheet::{Images, Layout, Sheet};
pub use tensorboard::Events;
