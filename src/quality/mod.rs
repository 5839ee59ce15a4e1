//! How good generated images are.
//!
//! | question | figure |
//! |---|---|
//! | Do they look like the real ones, at every scale? | [`sliced_wasserstein()`] |
//! | Do they differ among themselves? | [`diversity`] |
//! | Are they copies of training images? | [`nearest`] |
//! | How far is a translation from the right answer? | [`mean_absolute_error`], [`structural_similarity`] |
//!
//! Those by the features of a network that you bring (cargo feature `fid`) are FID, KID, precision and recall.
//!
//! The others read a [`ImageSet`], and are pure: the same sets give the same figures, on any number of threads.

#[cfg(feature = "fid")]
mod features;
mod image_set;
mod neighbours;
mod paired;
mod pyramid;
mod sliced_wasserstein;
mod ssim;
mod thumbnail;

#[cfg(feature = "fid")]
pub use features::{Coverage, Features, KernelDistance, coverage, frechet_distance, kernel_distance};
pub use image_set::ImageSet;
pub use neighbours::{diversity, median, nearest};
pub use paired::mean_absolute_error;
pub use sliced_wasserstein::{SlicedWassersteinOptions, average_over_levels, sliced_wasserstein};
pub use ssim::{WINDOW, structural_similarity};
pub use thumbnail::{thumbnail, thumbnail_size};
