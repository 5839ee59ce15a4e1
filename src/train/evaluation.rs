//! What a checkpoint is judged by.

use crate::data::{Images, to_unit};
use crate::evaluate::Set;
use crate::random::stream;
use crate::train::preparation::Preparation;
use rand::seq::SliceRandom;

/// Of larger sets so many real images are drawn to be held against: all of 100,000 would take hours, and change little.
pub const REAL: usize = 1024;
/// So many images that were trained on are looked through for copies of them.
pub const SEARCHED: usize = 2048;

/// What a checkpoint is judged by.
#[derive(Clone, Copy, Debug, Default)]
pub struct Judging {
    /// Images a generator draws; as many as there are real ones, from 64 to 1,024, where it is not given.
    pub count: Option<usize>,
    /// Whether translations are compared with the other set's images of the same name.
    pub paired: bool,
}

/// At most so many of the images `names`, in their order; where that is not all, `watch` is told.
pub fn some(names: &[String], what: &str, most: usize, seed: u64, watch: &dyn Preparation) -> Vec<String> {
    if names.len() <= most {
        return names.to_vec();
    }
    watch.told(&format!("{most} of {} {what} images, drawn by the seed {seed}", names.len()));
    let mut chosen: Vec<usize> = (0..names.len()).collect();
    chosen.shuffle(&mut stream(seed, "judged", 0));
    chosen.truncate(most);
    chosen.sort_unstable();
    chosen.into_iter().map(|index| names[index].clone()).collect()
}

/// Images as numbers.
pub fn set(images: &Images) -> Set {
    let bytes = (0..images.len()).flat_map(|index| images.image(index));
    Set {
        values: bytes.map(|&byte| to_unit(byte)).collect(),
        size: images.size(),
        channels: images.channels(),
    }
}
