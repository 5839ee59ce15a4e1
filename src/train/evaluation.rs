//! What a checkpoint is judged by.

use crate::data::{Images, to_unit};
use crate::evaluate::Set;

/// What a checkpoint is judged by.
#[derive(Clone, Copy, Debug, Default)]
pub struct Judging {
    /// Images a generator draws; as many as there are real ones, from 64 to 1,024, where it is not given.
    pub count: Option<usize>,
    /// Whether translations are compared with the other set's images of the same name.
    pub paired: bool,
}

/// Images as numbers.
pub fn set(images: &Images) -> Set {
    let bytes = (0..images.len()).flat_map(|index| images.image(index));
    Set {
        values: bytes.map(|&byte| to_unit(byte)).collect(),
        side: images.side(),
        channels: images.channels(),
    }
}
