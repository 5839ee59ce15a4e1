//! What a checkpoint is judged by.

use crate::data::{Pictures, to_unit};
use crate::evaluate::Set;

/// What a checkpoint is judged by.
#[derive(Clone, Copy, Debug, Default)]
pub struct Judging {
    /// Pictures a generator draws; as many as there are real ones, from 64 to 1,024, where it is not given.
    pub count: Option<usize>,
    /// Whether translations are compared with the other set's pictures of the same name.
    pub paired: bool,
}

/// Pictures as numbers.
pub fn set(pictures: &Pictures) -> Set {
    let bytes = (0..pictures.len()).flat_map(|index| pictures.picture(index));
    Set {
        values: bytes.map(|&byte| to_unit(byte)).collect(),
        side: pictures.side(),
        channels: pictures.channels(),
    }
}
