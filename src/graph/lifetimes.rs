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

/// Gives every value a slot such that no two values alive at the same time share one. Values must come in the
/// order they are made. A free slot of the nearest size is taken, and grows if it has to.
pub fn share(values: &[Lifetime]) -> Slots {
    let mut slots = Slots::default();
    let mut busy_until: Vec<usize> = Vec::new();
    for value in values {
        let free = (0..slots.sizes.len()).filter(|&slot| busy_until[slot] < value.made);
        let best = free.min_by_key(|&slot| slots.sizes[slot].abs_diff(value.size));
        let slot = best.unwrap_or_else(|| {
            slots.sizes.push(0);
            busy_until.push(0);
            slots.sizes.len() - 1
        });
        slots.sizes[slot] = slots.sizes[slot].max(value.size);
        busy_until[slot] = value.last;
        slots.of.push(slot);
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
                .map(|(made, &(length, size))| Lifetime { made, last: made + length, size })
                .collect();
            let slots = share(&values);
            for (i, a) in values.iter().enumerate() {
                prop_assert!(slots.sizes[slots.of[i]] >= a.size);
                for (j, b) in values.iter().enumerate().skip(i + 1) {
                    if slots.of[i] == slots.of[j] {
                        prop_assert!(a.last < b.made, "{i} and {j} share a slot");
                    }
                }
            }
        }
    }
}
