//! How good generated images are, in figures that need no pretrained network.
//!
//! | question | figure |
//! |---|---|
//! | Do they look like the real ones, at every scale? | [`sliced_wasserstein()`] |
//! | Do they differ among themselves? | [`diversity`] |
//! | Are they copies of training images? | [`nearest`] |
//! | How far is a translation from the right answer? | [`mean_absolute_error`] |
//!
//! All of them read a [`ImageSet`], and are pure: the same sets give the same figures, on any number of threads.

mod image_set;
mod neighbours;
mod paired;
mod pyramid;
mod sliced_wasserstein;
mod thumbnail;

pub use image_set::ImageSet;
pub use neighbours::{diversity, median, nearest};
pub use paired::mean_absolute_error;
pub use sliced_wasserstein::{SlicedWassersteinOptions, average_over_levels, sliced_wasserstein};
pub use thumbnail::{thumbnail, thumbnail_size};
