//! Images in, batches out: loading, augmentation, the order of an epoch, noise.
//!
//! [`Images`] are decoded and resized once and kept as bytes, those of large sets on disk too. A [`Batch`] is made from them by [`Batching`] as a pure
//! function of the seed and the step, and ahead of time by a [`Loader`]; so are [`noise()`] and [`DiffAugmentParams`]. A
//! run resumed at step t therefore needs no state from here but t.
//!
//! Values are [`to_unit`] of bytes, from -1 to 1; layouts are HWC and NHWC.

mod archive;
mod augment;
mod batches;
mod builtin;
mod cache;
mod decode;
mod diffaugment;
mod folder;
mod found;
mod images;
mod loader;
mod noise;
mod pixels;
mod pool;

pub use archive::is_archive;
pub use augment::{Augment, AugmentKind};
pub use batches::{Batch, Batching};
pub use decode::{Decoded, Fit, Fitted, Half, Image, ImageFile, LoadOptions, decoding, over_white};
pub use diffaugment::DiffAugmentParams;
pub use found::{EXTENSIONS, Found};
pub use images::{Images, Loaded, OnImage, find, is_bundled, search};
pub use loader::Loader;
pub use noise::{NoiseKind, dropout, noise};
pub use pixels::{CHANNELS, Depth, Levels, Pixels, centre, to_byte, to_unit, with_channels};
pub use pool::PoolDraws;
