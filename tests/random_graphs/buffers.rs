//! State buffers that the steps of a case share, and the numbers they start from.

use super::numbers::{Rng, number};
use mewgan::graph::{Slot, StateBuffer};
use mewgan::shape::Shape;
use rand::RngExt;

/// What may be in a state buffer.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    /// Any numbers.
    Any,
    /// Numbers above 0: optimizers take their root, and some graphs 1 / root.
    Positive,
    /// Running statistics, whose variances are above 0.
    Running,
}

/// Enough of any kind for an optimizer beside another state buffer.
const KINDS: [Kind; 7] =
    [Kind::Any, Kind::Any, Kind::Any, Kind::Any, Kind::Positive, Kind::Running, Kind::Running];

/// The state buffers, growing while steps are drawn.
pub struct Buffers {
    list: Vec<StateBuffer>,
}

impl Buffers {
    pub fn new() -> Self {
        Self { list: vec![StateBuffer::default(); KINDS.len()] }
    }

    /// Two or three different state buffers of a kind, or one.
    pub fn of<const N: usize>(kind: Kind, rng: &mut Rng) -> [usize; N] {
        let mut all: Vec<usize> = (0..KINDS.len()).filter(|&buffer| KINDS[buffer] == kind).collect();
        std::array::from_fn(|_| all.swap_remove(rng.random_range(0..all.len())))
    }

    /// A tensor of as many numbers as `shape`: one that other nodes and updates know too, or a new one.
    pub fn slot(&mut self, kind: Kind, shape: Shape, rng: &mut Rng) -> Slot {
        let mut known = Vec::new();
        for (buffer, _) in KINDS.iter().enumerate().filter(|(_, of)| **of == kind) {
            let tensors = self.list[buffer].tensors.iter().filter(|(_, of, _)| of.len() == shape.len());
            known.extend(tensors.map(|&(_, _, offset)| Slot { buffer, offset }));
        }
        if !known.is_empty() && rng.random_bool(0.6) {
            return known[rng.random_range(0..known.len())];
        }
        let [buffer] = Self::of(kind, rng);
        let offset = self.list[buffer].len;
        self.list[buffer].push("tensor", shape);
        Slot { buffer, offset }
    }

    /// The state buffers, filled up to one length, for optimizers and averages go over whole state buffers; and numbers for them.
    pub fn finish(mut self, rng: &mut Rng) -> (Vec<StateBuffer>, Vec<Vec<f64>>) {
        let len = self.list.iter().map(|buffer| buffer.len).max().unwrap_or(0).max(64);
        for buffer in self.list.iter_mut().filter(|buffer| buffer.len < len) {
            buffer.push("rest", Shape::vector(len - buffer.len));
        }
        let of = |kind: &Kind, rng: &mut Rng| match kind {
            Kind::Any => number(rng),
            Kind::Positive | Kind::Running => rng.random_range(0.2..1.0),
        };
        let numbers = KINDS.iter().map(|kind| (0..len).map(|_| of(kind, rng)).collect()).collect();
        (self.list, numbers)
    }
}
