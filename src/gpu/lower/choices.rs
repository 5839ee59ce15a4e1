//! Which kernel computes which contraction.

use super::call::Target;
use super::product::Contraction;
use super::variant::{Variant, candidates, default};
use serde::{Deserialize, Serialize};

/// Which variant computes which contraction, where that is settled.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Choices {
    list: Vec<Choice>,
}

/// A line of [`Choices`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Choice {
    contraction: Contraction,
    variant: Variant,
}

impl Choices {
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

/// The kernel that computes a contraction on `target`: that of its table, if it is one of the candidates, else the default.
pub(super) fn choose(of: &Contraction, target: &Target) -> Variant {
    let chosen = target.choices.get(of).filter(|variant| candidates(of, target).contains(variant));
    chosen.unwrap_or_else(|| default(of, target))
}

impl Target {
    /// The kernels that compute `contractions` on it, all of them settled.
    pub fn settled(&self, contractions: &[Contraction]) -> Choices {
        let mut choices = Choices::NONE;
        contractions.iter().for_each(|of| choices.set(*of, choose(of, self)));
        choices
    }
}
