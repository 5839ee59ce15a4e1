//! Sharing memory between values that are never alive together.

/// When a value is made and last used, and its size.
#[derive(Clone, Copy, Debug)]
pub struct Lifetime {
    /// Position of the operation that makes it.
    pub made: usize,
    /// Position of the last operation that reads it.
    pub last: usize,
    /// Size in whatever unit the caller counts.
    pub size: usize,
}

/// Which shared slot each value gets, and the size of every slot.
#[derive(Clone, Debug, Default)]
pub struct Slots {
    /// Slot of each value, in the order given.
    pub of: Vec<usize>,
    /// Size of each slot.
    pub sizes: Vec<usize>,
}

/// Gives every value a slot such that no two values alive at the same time share one. The largest choose first, and take the
/// smallest slot that is free for as long as they live (Pisarchyk and Lee 2020).
pub fn share(values: &[Lifetime]) -> Slots {
    let mut slots = Slots { of: vec![0; values.len()], sizes: vec![] };
    let mut taken: Vec<Vec<Lifetime>> = Vec::new();
    let mut order: Vec<usize> = (0..values.len()).collect();
    order.sort_by_key(|&at| std::cmp::Reverse(values[at].size));
    for at in order {
        let value = values[at];
        // What nobody reads is there while it is made.
        let end = |of: &Lifetime| of.last.max(of.made);
        let apart = |other: &Lifetime| end(other) < value.made || end(&value) < other.made;
        let free = (0..taken.len()).rev().find(|&slot| taken[slot].iter().all(apart));
        let slot = free.unwrap_or_else(|| {
            slots.sizes.push(value.size);
            taken.push(vec![]);
            taken.len() - 1
        });
        taken[slot].push(value);
        slots.of[at] = slot;
    }
    slots
}

#[cfg(test)]
mod tests {
    use super::{Lifetime, share};
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn values_alive_together_never_share(spans in prop::collection::vec((0usize..9, 1usize..99), 1..60)) {
            let values: Vec<Lifetime> = spans
                .iter()
                .enumerate()
                .map(|(made, &(length, size))| Lifetime { made, last: (made + length).saturating_sub(1), size })
                .collect();
            let slots = share(&values);
            for (i, a) in values.iter().enumerate() {
                prop_assert!(slots.sizes[slots.of[i]] >= a.size);
                for (j, b) in values.iter().enumerate().skip(i + 1) {
                    if slots.of[i] == slots.of[j] {
                        prop_assert!(a.last.max(a.made) < b.made, "{i} and {j} share a slot");
                    }
                }
            }
        }
    }
}
