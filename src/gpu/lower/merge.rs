//! Equal calls side by side as one dispatch: both directions of a CycleGAN, or a discriminator on real images and on fakes.
//!
//! Such calls differ only in which memory they touch. Where that lies, at every binding, in one and the same buffer, one
//! dispatch can do them all: the grid's z counts the members, and each adds its own offset. To that end values that no
//! buffer holds yet are bundled: laid one after another.

use super::call::{Call, Memory};
use crate::gpu::program::{Buffer, Region};
use std::collections::HashMap;

/// Where a binding's memory is, before the pool is laid out.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Spot {
    /// At its place for good.
    Fixed(Region),
    /// A pooled value of so many numbers.
    Pooled(Memory, usize),
}

/// Pooled values that lie one after another, each in the same number of bytes.
#[derive(Clone, Debug, Default)]
pub struct Bundles {
    pub list: Vec<Vec<Memory>>,
    of: HashMap<Memory, (usize, usize)>,
}

impl Bundles {
    /// The bundle a value belongs to and its number there.
    pub fn find(&self, value: Memory) -> Option<(usize, usize)> {
        self.of.get(&value).copied()
    }

    fn add(&mut self, values: Vec<Memory>) {
        for (index, value) in values.iter().enumerate() {
            self.of.insert(*value, (self.list.len(), index));
        }
        self.list.push(values);
    }
}

/// The buffer a binding must share with its like.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Home {
    Fixed(Buffer),
    Bundle(usize),
    /// None yet, and so many numbers to find one for.
    Free(usize),
}

struct Merging<'a, F> {
    calls: &'a [Call],
    spot: F,
    max_binding: u64,
    bundles: Bundles,
}

/// Joins what can be joined of `calls`, which stand in order of their `levels`. Every list in the result is one dispatch.
pub fn merge(
    calls: &[Call],
    levels: &[usize],
    max_binding: u64,
    spot: impl Fn(Memory) -> Spot,
) -> (Vec<Vec<usize>>, Bundles) {
    let mut merging = Merging { calls, spot, max_binding, bundles: Bundles::default() };
    let mut dispatches = Vec::new();
    let all: Vec<usize> = (0..calls.len()).collect();
    for level in all.chunk_by(|&a, &b| levels[a] == levels[b]) {
        let mut left = level.to_vec();
        while let Some(&first) = left.first() {
            if calls[first].exchange.is_some() {
                dispatches.push(vec![first]);
                left.remove(0);
                continue;
            }
            let homes = merging.homes(first);
            let alike = |&at: &usize| calls[at].same_work(&calls[first]) && merging.homes(at) == homes;
            let (group, rest): (Vec<usize>, Vec<usize>) = left.iter().partition(|at| alike(at));
            if group.len() > 1 && merging.join(&group) {
                dispatches.push(group);
                left = rest;
            } else {
                dispatches.push(vec![first]);
                left.remove(0);
            }
        }
    }
    (dispatches, merging.bundles)
}

impl<F: Fn(Memory) -> Spot> Merging<'_, F> {
    fn homes(&self, at: usize) -> Vec<Home> {
        let call = &self.calls[at];
        let home = |&memory: &Memory| match (self.spot)(memory) {
            Spot::Fixed(region) => Home::Fixed(region.buffer),
            Spot::Pooled(value, len) => {
                self.bundles.find(value).map_or(Home::Free(len), |(bundle, _)| Home::Bundle(bundle))
            }
        };
        call.reads.iter().chain(&call.writes).map(home).collect()
    }

    /// Bundles what the calls of `group`, alike in work and homes, touch and has no place. Changes nothing and says no where
    /// that cannot be.
    fn join(&mut self, group: &[usize]) -> bool {
        let mut trial = self.bundles.clone();
        let bindings = self.calls[group[0]].reads.len() + self.calls[group[0]].writes.len();
        for binding in 0..bindings {
            let spots = group.iter().map(|&at| (self.spot)(self.calls[at].binding(binding)));
            let mut values: Vec<Memory> = Vec::new();
            let mut span = (u64::MAX, 0);
            for spot in spots {
                match spot {
                    Spot::Fixed(region) => {
                        span = (span.0.min(region.offset), span.1.max(region.offset + region.size));
                    }
                    Spot::Pooled(value, len) => {
                        if !values.contains(&value) {
                            values.push(value);
                        }
                        let bundle = trial.find(value).map_or(0, |(bundle, _)| trial.list[bundle].len());
                        span = (0, values.len().max(bundle) as u64 * Region::bytes(len));
                    }
                }
            }
            if span.1 - span.0 > self.max_binding {
                return false;
            }
            let bundled = values.iter().filter(|value| trial.find(**value).is_some()).count();
            if bundled == 0 && values.len() > 1 {
                if self.entangled(&values) {
                    return false;
                }
                trial.add(values);
            } else if bundled > 0
                && values.iter().any(|value| {
                    trial.find(*value).map(|(bundle, _)| bundle)
                        != trial.find(values[0]).map(|(bundle, _)| bundle)
                })
            {
                return false;
            }
        }
        self.bundles = trial;
        true
    }

    /// Whether a call reads one of `values` and writes another, which no dispatch may do within one buffer.
    fn entangled(&self, values: &[Memory]) -> bool {
        let among = |list: &[Memory]| {
            list.iter().any(|&memory| match (self.spot)(memory) {
                Spot::Pooled(value, _) => values.contains(&value),
                Spot::Fixed(_) => false,
            })
        };
        self.calls.iter().any(|call| among(&call.reads) && among(&call.writes))
    }
}
