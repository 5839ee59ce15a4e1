//! What a checkpoint is judged by.

use crate::data::{Images, to_unit};
use crate::evaluate::Set;
use crate::random::stream;
use crate::train::preparation::Preparation;
use rand::seq::SliceRandom;

/// Of larger sets so many images are drawn: all of a set of 100,000 would take hours, and change little.
const MOST: usize = 4096;

/// What a checkpoint is judged by.
#[derive(Clone, Copy, Debug, Default)]
pub struct Judging {
    /// Images a generator draws; as many as there are real ones, from 64 to 1,024, where it is not given.
    pub count: Option<usize>,
    /// Whether translations are compared with the other set's images of the same name.
    pub paired: bool,
}

/// Some of the images `names`, in their order, which `watch` is told of; all where they are not many.
pub fn some(names: &[String], what: &str, seed: u64, watch: &dyn Preparation) -> Vec<String> {
    if names.len() <= MOST {
        return names.to_vec();
    }
    watch.told(&format!("of {} {what} images {MOST}, drawn by the seed {seed}", names.len()));
    let mut chosen: Vec<usize> = (0..names.len()).collect();
    chosen.shuffle(&mut stream(seed, "judged", 0));
    chosen.truncate(MOST);
    chosen.sort_unstable();
    chosen.into_iter().map(|index| names[index].clone()).collect()
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
