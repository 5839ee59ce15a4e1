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
            (Self::Region(a), Self::Region(b)) => a.meets(b),
            _ => self == other,
        }
    }
}

/// Sorts `calls` by level, keeping their order within one, and returns the levels in the new order. A call's level is
/// beyond those of all it must wait for, because one of the two writes what the other touches.
///
/// What others go on from comes as late as it can: equal paths to one loss then stand side by side, however long their
/// ways there are. What only the updates wait for, a weight's gradient say, comes as soon as it can, so that its operands
/// may go. The calls from number `updates` on are changes of state.
pub fn by_level(
    calls: &mut Vec<Call>,
    updates: usize,
    touched: impl Fn(&Call) -> (Vec<Touched>, Vec<Touched>),
) -> Vec<usize> {
    let memory: Vec<ReadsAndWrites> = calls.iter().map(touched).collect();
    let waits: Vec<Vec<usize>> = (0..calls.len())
        .map(|at| (0..at).filter(|&earlier| must_wait(&memory[earlier], &memory[at])).collect())
        .collect();
    let soonest = |levels: &[usize], at: usize| waits[at].iter().map(|&on| levels[on] + 1).max().unwrap_or(0);
    let mut levels: Vec<usize> = Vec::with_capacity(calls.len());
    for at in 0..calls.len() {
        levels.push(soonest(&levels, at));
    }

    let mut followers: Vec<Vec<usize>> = vec![vec![]; calls.len()];
    for (at, waits) in waits.iter().enumerate() {
        waits.iter().for_each(|&on| followers[on].push(at));
    }
    // An end is a call that only updates wait for, or only they and such calls.
    let ends = |before: &[bool]| -> Vec<bool> {
        followers.iter().map(|all| all.iter().all(|&next| next >= updates || before[next])).collect()
    };
    let ends = ends(&ends(&vec![false; calls.len()]));
    let main = |at: &usize| *at < updates && !ends[*at];
    let last = (0..calls.len()).filter(main).map(|at| levels[at]).max().unwrap_or(0);
    for at in (0..calls.len()).rev().filter(main) {
        let next = followers[at].iter().copied().filter(main).map(|next| levels[next]).min();
        levels[at] = next.map_or(last, |next| next - 1);
    }
    for at in 0..calls.len() {
        let soonest = soonest(&levels, at);
        levels[at] = if main(&at) { levels[at].max(soonest) } else { soonest };
    }
    let mut order: Vec<usize> = (0..calls.len()).collect();
    // Within a level exchanges come last, and so one after another: the device stops once for all of them.
    order.sort_by_key(|&at| (levels[at], calls[at].exchange.is_some()));
    *calls = order.iter().map(|&at| calls[at].clone()).collect();
    order.into_iter().map(|at| levels[at]).collect()
}

type ReadsAndWrites = (Vec<Touched>, Vec<Touched>);

fn must_wait((earlier_reads, earlier_writes): &ReadsAndWrites, (reads, writes): &ReadsAndWrites) -> bool {
    let meet = |a: &[Touched], b: &[Touched]| a.iter().any(|a| b.iter().any(|b| a.meets(*b)));
    meet(earlier_writes, reads) || meet(earlier_writes, writes) || meet(earlier_reads, writes)
}

#[cfg(test)]
mod tests {
    use super::{Touched, by_level};
    use crate::gpu::lower::call::{Call, Memory};
    use crate::gpu::program::{Buffer, Region};

    #[test]
    fn independent_calls_meet_and_dependent_ones_wait() {
        let region = |offset| Touched::Region(Region { buffer: Buffer::State(0), offset, size: 256 });
        let touched = |memory: &Memory| match *memory {
            Memory::Node(id) => Touched::Value(id),
            Memory::Scratch(offset) => region(offset as u64),
            Memory::State(..) => unreachable!("not in this test"),
        };
        let call = |name, reads: &[Memory], write| {
            reads.iter().fold(Call::new(name), |call, memory| call.read(*memory)).write(write)
        };
        let (node, state_buffer) = (Memory::Node, Memory::Scratch);
        let mut calls = vec![
            call("a1", &[], node(0)),
            call("a2", &[node(0)], node(1)),
            call("b1", &[], node(2)),
            call("store", &[node(2)], state_buffer(0)),
            call("other", &[], state_buffer(256)),
            call("overwrite", &[], state_buffer(0)),
        ];
        let levels = by_level(&mut calls, 6, |call| {
            (call.reads.iter().map(touched).collect(), call.writes.iter().map(touched).collect())
        });
        let names: Vec<&str> = calls.iter().map(|call| call.kernel).collect();
        assert_eq!(names, ["a1", "b1", "other", "a2", "store", "overwrite"]);
        assert_eq!(levels, [0, 0, 0, 1, 1, 2]);
    }
}
