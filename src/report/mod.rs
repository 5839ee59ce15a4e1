//! What a run leaves behind for people to look at: sample sheets, metrics, loss curves, an animation, and
//! the page that shows them all.
//!
//! Everything but the metrics, which grow line by line, is written to a temporary name and renamed, so that a file is
//! either whole or absent.

pub mod animation;
pub mod csv;
pub mod curves;
pub mod metrics;
pub mod page;
pub mod sheet;

pub use animation::progress_gif;
pub use curves::losses_svg;
pub use metrics::{Metrics, Row};
pub use sheet::{Layout, Pictures, Sheet};
