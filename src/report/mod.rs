//! What a run leaves behind for people to look at: sample sheets, metrics, loss curves, an animation, events for TensorBoard,
//! and the page that shows them all; and what a terminal shows.
//!
//! Everything but the metrics and the events, which grow by whole lines and records, is written to a temporary name and renamed, so that a file is
//! either whole or absent.

pub mod animation;
pub mod csv;
pub mod curves;
pub mod metrics;
pub mod page;
pub mod sheet;
pub mod tensorboard;
pub mod terminal;

pub use animation::progress_gif;
pub use curves::losses_svg;
pub use metrics::{Metrics, Row};
pub use sheet::{Layout, Pictures, Sheet};
pub use tensorboard::Events;
