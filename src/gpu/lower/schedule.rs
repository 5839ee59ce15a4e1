//! The order of calls: whatever can start together stands together, so that a device may overlap it.

use super::call::Call;
use crate::gpu::program::Region;

/// The memory of one binding, as far as order is concerned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Touched {
    /// A stretch of a buffer that may be written many times.
    Region(Region),
    /// A value made once, by number.
    Value(usize),
}

impl Touched {
    fn meets(self, other: Self) -> bool {
        match (self, other) {
            (Self::Region(a), Self::Region(b)) => {
                a.buffer == b.buffer && a.offset < b.offset + b.size && b.offset < a.offset + a.size
            }
            _ => self == other,
        }
    }
}

/// Sorts `calls` by level, keeping their order within one: a call's level is one more than that of the last call it must
/// wait for, because one of the two writes what the other touches. Returns the levels, in the new order.
pub fn by_level(
    calls: &mut Vec<Call>,
    touched: impl Fn(&Call) -> (Vec<Touched>, Vec<Touched>),
) -> Vec<usize> {
    let memory: Vec<(Vec<Touched>, Vec<Touched>)> = calls.iter().map(touched).collect();
    let meet = |a: &[Touched], b: &[Touched]| a.iter().any(|a| b.iter().any(|b| a.meets(*b)));
    let mut levels: Vec<usize> = Vec::with_capacity(calls.len());
    for (at, (reads, writes)) in memory.iter().enumerate() {
        let waits = (0..at).filter(|&earlier| {
            let (earlier_reads, earlier_writes) = &memory[earlier];
            meet(earlier_writes, reads) || meet(earlier_writes, writes) || meet(earlier_reads, writes)
        });
        levels.push(waits.map(|earlier| levels[earlier] + 1).max().unwrap_or(0));
    }
    let mut order: Vec<usize> = (0..calls.len()).collect();
    order.sort_by_key(|&at| levels[at]);
    *calls = order.iter().map(|&at| calls[at].clone()).collect();
    order.into_iter().map(|at| levels[at]).collect()
}

#[cfg(test)]
mod tests {
    use super::{Touched, by_level};
    use crate::gpu::lower::call::{Call, Memory};
    use crate::gpu::program::{Buffer, Region};

    #[test]
    fn independent_calls_meet_and_dependent_ones_wait() {
        let region = |offset| Touched::Region(Region { buffer: Buffer::Bank(0), offset, size: 256 });
        let touched = |memory: &Memory| match *memory {
            Memory::Node(id) => Touched::Value(id),
            Memory::Scratch(offset) => region(offset as u64),
            Memory::State(..) => unreachable!("not in this test"),
        };
        let call = |name, reads: &[Memory], write| {
            reads.iter().fold(Call::new(name), |call, memory| call.read(*memory)).write(write)
        };
        let (node, bank) = (Memory::Node, Memory::Scratch);
        let mut calls = vec![
            call("a1", &[], node(0)),
            call("a2", &[node(0)], node(1)),
            call("b1", &[], node(2)),
            call("store", &[node(2)], bank(0)),
            call("other", &[], bank(256)),
            call("overwrite", &[], bank(0)),
        ];
        let levels = by_level(&mut calls, |call| {
            (call.reads.iter().map(touched).collect(), call.writes.iter().map(touched).collect())
        });
        let names: Vec<&str> = calls.iter().map(|call| call.kernel).collect();
        assert_eq!(names, ["a1", "b1", "other", "a2", "store", "overwrite"]);
        assert_eq!(levels, [0, 0, 0, 1, 1, 2]);
    }
}
