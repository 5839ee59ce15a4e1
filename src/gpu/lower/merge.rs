//! Equal calls side by side as one dispatch: both directions of a CycleGAN, or a discriminator on real images and on fakes.
//!
//! Such calls differ only in which memory they touch, and simple ones in how much. Where that lies, at every binding, in one and
//! the same buffer, one dispatch can do them all: the grid's z counts the members, and each adds its own offset. To that end
//! values that no buffer holds yet are bundled: laid one after another.

use super::call::{Call, Memory};
use crate::gpu::program::Region;
use std::collections::{BTreeSet, HashMap};
use std::ops::RangeInclusive;

/// How many bytes of bundles may be alive longer than their values need.
const IDLE: u64 = 1 << 20;

/// Where a binding's memory is, before the pool is laid out.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Spot {
    /// At its place for good.
    Fixed(Region),
    /// A pooled value of so many numbers.
    Pooled(Memory, usize),
}

/// Pooled values that lie one after another.
#[derive(Debug, Default)]
pub struct Bundles {
    /// The values of each, and the bytes of each value. One that has gone into another stays in the list, and no value is in it any more.
    list: Vec<Vec<(Memory, u64)>>,
    /// The bundle that a value is in.
    of: HashMap<Memory, usize>,
    /// The bundle that a value was in before, for each change of `of`.
    before: Vec<(Memory, Option<usize>)>,
}

impl Bundles {
    /// The values that lie together with one of so many bytes, that one among them.
    pub fn with(&self, value: Memory, bytes: u64) -> Vec<(Memory, u64)> {
        self.of.get(&value).map_or_else(|| vec![(value, bytes)], |&bundle| self.list[bundle].clone())
    }

    /// Lays `values` and all that lie together with them one after another.
    fn join(&mut self, values: Vec<(Memory, u64)>) {
        for (value, _) in &values {
            self.before.push((*value, self.of.insert(*value, self.list.len())));
        }
        self.list.push(values);
    }

    /// How far it has come, for [`Bundles::undo`].
    fn progress(&self) -> (usize, usize) {
        (self.list.len(), self.before.len())
    }

    /// Undoes all that was joined since.
    fn undo(&mut self, (bundles, changes): (usize, usize)) {
        self.list.truncate(bundles);
        for (value, before) in self.before.drain(changes..).rev() {
            match before {
                Some(bundle) => self.of.insert(value, bundle),
                None => self.of.remove(&value),
            };
        }
    }
}

struct Merging<'a, F> {
    calls: &'a [Call],
    spot: F,
    max_binding: u64,
    bundles: Bundles,
    /// The levels at which each pooled value is alive.
    alive: HashMap<Memory, RangeInclusive<usize>>,
    /// The calls that touch each pooled value.
    users: HashMap<Memory, Vec<usize>>,
}

/// Joins what can be joined of `calls`, which stand in order of their `levels`. Every list in the result is one dispatch.
pub fn merge(
    calls: &[Call],
    levels: &[usize],
    max_binding: u64,
    spot: impl Fn(Memory) -> Spot,
) -> (Vec<Vec<usize>>, Bundles) {
    let mut merging = Merging::new(calls, levels, max_binding, spot);
    let mut dispatches = Vec::new();
    let all: Vec<usize> = (0..calls.len()).collect();
    for level in all.chunk_by(|&a, &b| levels[a] == levels[b]) {
        let mut left = level.to_vec();
        while let Some(&first) = left.first() {
            let mut group = vec![first];
            for &at in &left[1..] {
                let alike = calls[first].exchange.is_none() && calls[at].alike(&calls[first]);
                if alike && merging.takes(&group, at) {
                    group.push(at);
                }
            }
            left.retain(|at| !group.contains(at));
            dispatches.push(group);
        }
    }
    (dispatches, merging.bundles)
}

impl<'a, F: Fn(Memory) -> Spot> Merging<'a, F> {
    fn new(calls: &'a [Call], levels: &[usize], max_binding: u64, spot: F) -> Self {
        let mut alive: HashMap<Memory, RangeInclusive<usize>> = HashMap::new();
        let mut users: HashMap<Memory, Vec<usize>> = HashMap::new();
        for (at, call) in calls.iter().enumerate() {
            for &memory in call.reads.iter().chain(&call.writes) {
                let Spot::Pooled(value, _) = spot(memory) else { continue };
                let level = levels[at];
                alive.entry(value).and_modify(|span| *span = *span.start()..=level).or_insert(level..=level);
                users.entry(value).or_default().push(at);
            }
        }
        Self { calls, spot, max_binding, bundles: Bundles::default(), alive, users }
    }

    /// Bundles what the calls of `group` and one more touch and has no place yet. Changes nothing and says no where that cannot
    /// be, or keeps memory for too long.
    fn takes(&mut self, group: &[usize], more: usize) -> bool {
        let before = self.bundles.progress();
        let members: Vec<&Call> = group.iter().chain([&more]).map(|&at| &self.calls[at]).collect();
        let bindings = members[0].reads.len() + members[0].writes.len();
        let fits = Call::fill(&members)
            && (0..bindings)
                .all(|binding| self.together(members.iter().map(|call| call.binding(binding)).collect()));
        if !fits {
            self.bundles.undo(before);
        }
        fits
    }

    /// Sees to it that all of `memory` lies in one stretch that can be bound, if it can.
    fn together(&mut self, memory: Vec<Memory>) -> bool {
        let spots: Vec<Spot> = memory.into_iter().map(&self.spot).collect();
        let fixed: Vec<Region> = spots
            .iter()
            .filter_map(|spot| if let Spot::Fixed(region) = spot { Some(*region) } else { None })
            .collect();
        if !fixed.is_empty() {
            let start = fixed.iter().map(|region| region.offset).min().unwrap_or(0);
            let end = fixed.iter().map(|region| region.offset + region.size).max().unwrap_or(0);
            return fixed.len() == spots.len()
                && fixed.iter().all(|region| region.buffer == fixed[0].buffer)
                && end - start <= self.max_binding;
        }
        let mut parts: Vec<Vec<(Memory, u64)>> = Vec::new();
        for spot in spots {
            let Spot::Pooled(value, len) = spot else { continue };
            if !parts.iter().flatten().any(|&(known, _)| known == value) {
                parts.push(self.bundles.with(value, Region::bytes(len)));
            }
        }
        if parts.len() == 1 {
            return true;
        }
        let all = parts.concat();
        let bytes: u64 = all.iter().map(|(_, bytes)| bytes).sum();
        let fits = bytes <= self.max_binding && self.lives_together(&parts) && !self.entangled(&all);
        if fits {
            self.bundles.join(all);
        }
        fits
    }

    /// Whether the bundle of all `parts`, alive as long as any of them, takes little more memory over time than they do.
    fn lives_together(&self, parts: &[Vec<(Memory, u64)>]) -> bool {
        let bytes = |part: &[(Memory, u64)]| part.iter().map(|(_, bytes)| bytes).sum::<u64>();
        let levels = |part: &[(Memory, u64)]| {
            let spans = || part.iter().map(|(value, _)| &self.alive[value]);
            let first = spans().map(|span| *span.start()).min().unwrap_or(0);
            let last = spans().map(|span| *span.end()).max().unwrap_or(0);
            (last + 1 - first) as u64
        };
        let all = parts.concat();
        let apart: u64 = parts.iter().map(|part| bytes(part) * levels(part)).sum();
        bytes(&all) <= IDLE || bytes(&all) * levels(&all) <= apart + apart / 2
    }

    /// Whether a call reads one of `values` and writes another, which no dispatch may do within one buffer.
    fn entangled(&self, values: &[(Memory, u64)]) -> bool {
        let among = |list: &[Memory]| {
            list.iter().any(|&memory| match (self.spot)(memory) {
                Spot::Pooled(value, _) => values.iter().any(|&(of, _)| of == value),
                Spot::Fixed(_) => false,
            })
        };
        let users: BTreeSet<usize> =
            values.iter().flat_map(|(value, _)| &self.users[value]).copied().collect();
        users.into_iter().map(|at| &self.calls[at]).any(|call| among(&call.reads) && among(&call.writes))
    }
}
