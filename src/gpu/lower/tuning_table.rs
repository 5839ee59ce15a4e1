//! Which kernel computes which contraction.

use super::gemm::Contraction;
use super::variant::Variant;
use serde::{Deserialize, Serialize};

/// Which variant computes which contraction, where that is settled.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct TuningTable {
    list: Vec<Choice>,
}

/// A line of [`TuningTable`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Choice {
    contraction: Contraction,
    variant: Variant,
}

impl TuningTable {
    /// Nothing is settled.
    pub const NONE: Self = Self { list: Vec::new() };

    /// The variant settled for a contraction.
    pub fn get(&self, contraction: &Contraction) -> Option<Variant> {
        self.list.iter().find(|choice| choice.contraction == *contraction).map(|choice| choice.variant)
    }

    /// The contractions that are settled.
    pub fn contractions(&self) -> impl Iterator<Item = Contraction> + '_ {
        self.list.iter().map(|choice| choice.contraction)
    }

    /// Settles a contraction's variant.
    pub fn set(&mut self, contraction: Contraction, variant: Variant) {
        self.list.retain(|choice| choice.contraction != contraction);
        self.list.push(Choice { contraction, variant });
    }
}
