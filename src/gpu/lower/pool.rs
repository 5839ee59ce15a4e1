//! Buffers for the values that live only within a run.

use super::call::{Call, Memory};
use super::merge::{Bundles, Spot};
use crate::gpu::program::{Buffer, Region};
use crate::graph::lifetimes::{Lifetime, share};
use std::collections::HashMap;

/// The place of every pooled value, and the sizes of the pool's buffers.
#[derive(Default)]
pub struct Pool {
    regions: HashMap<Memory, Region>,
    pub sizes: Vec<u64>,
}

impl Pool {
    pub fn region(&self, value: Memory) -> Region {
        self.regions[&value]
    }
}

/// Shares buffers between values that are never alive together. Time is counted in levels: what stands together never
/// shares. A bundle lives as long as any of its values.
pub fn pool(calls: &[Call], levels: &[usize], bundles: &Bundles, spot: impl Fn(Memory) -> Spot) -> Pool {
    let mut units: Vec<(Vec<(Memory, u64)>, Lifetime)> = Vec::new();
    let mut unit_of: HashMap<Memory, usize> = HashMap::new();
    for (call, &at) in calls.iter().zip(levels) {
        for &memory in call.reads.iter().chain(&call.writes) {
            let Spot::Pooled(value, len) = spot(memory) else { continue };
            if let Some(&unit) = unit_of.get(&value) {
                units[unit].1.last = at;
                continue;
            }
            let values = bundles.with(value, Region::bytes(len));
            values.iter().for_each(|&(value, _)| {
                unit_of.insert(value, units.len());
            });
            let size = values.iter().map(|(_, bytes)| *bytes as usize).sum();
            units.push((values, Lifetime { made: at, last: at, size }));
        }
    }
    let slots = share(&units.iter().map(|(_, lifetime)| *lifetime).collect::<Vec<_>>());
    let mut pool = Pool { sizes: slots.sizes.iter().map(|&size| size as u64).collect(), ..Pool::default() };
    for ((values, _), slot) in units.into_iter().zip(slots.of) {
        let mut offset = 0;
        for (value, size) in values {
            pool.regions.insert(value, Region { buffer: Buffer::Pool(slot), offset, size });
            offset += size;
        }
    }
    pool
}
