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

/// Most bytes that calls which can wait may keep in memory while they do.
const KEPT: u64 = 8 << 20;

/// Puts `calls` in order and returns their levels in the new order: calls of one level do not wait for each other.
///
/// What others go on from comes in order of how late it may come, and with it whatever of the same work is ready: of two equal paths to
/// one loss the shorter waits for the longer, and both directions of a CycleGAN stand side by side. A weight's gradient
/// comes as soon as it can, so that its operands may go. What merely adds up or moves, and nothing but updates waits for, is
/// gathered until it keeps more than [`KEPT`] bytes of values (`kept` for each call) in memory.
///
/// The calls from number `updates` on are changes of state.
pub fn in_levels(
    calls: &mut Vec<Call>,
    updates: usize,
    kept: impl Fn(&Call) -> u64,
    touched: impl Fn(&Call) -> (Vec<Touched>, Vec<Touched>),
) -> Vec<usize> {
    let memory: Vec<ReadsAndWrites> = calls.iter().map(touched).collect();
    let waits: Vec<Vec<usize>> = (0..calls.len())
        .map(|at| (0..at).filter(|&earlier| must_wait(&memory[earlier], &memory[at])).collect())
        .collect();
    let rounds = Agenda::new(calls, updates, &waits, kept).rounds();
    let mut levels = vec![0; calls.len()];
    let mut order: Vec<usize> = Vec::with_capacity(calls.len());
    let mut level = 0;
    for round in rounds {
        if round.iter().flat_map(|&at| &waits[at]).any(|&on| levels[on] == level) {
            level += 1;
        }
        round.iter().for_each(|&at| levels[at] = level);
        order.extend(round);
    }
    // Within a level exchanges come last, and so one after another: the device stops once for all of them.
    order.sort_by_key(|&at| (levels[at], calls[at].exchange.is_some()));
    *calls = order.iter().map(|&at| calls[at].clone()).collect();
    order.into_iter().map(|at| levels[at]).collect()
}

/// What is left to be put in order.
struct Agenda<'a> {
    waits: &'a [Vec<usize>],
    followers: Vec<Vec<usize>>,
    /// The calls that do the same work, as one number.
    work: Vec<usize>,
    /// How many calls must come one after another before each.
    depth: Vec<usize>,
    /// The depth at which each must come at the latest, for those that others go on from.
    latest: Vec<usize>,
    urgency: Vec<Urgency>,
    kept: Vec<u64>,
    /// For how many calls each still waits; none where it is done.
    waiting: Vec<Option<usize>>,
}

#[derive(Clone, Copy, PartialEq)]
enum Urgency {
    /// Others go on from it.
    Path,
    /// It lets memory go.
    Soon,
    /// It can wait.
    Late,
}

impl<'a> Agenda<'a> {
    fn new(calls: &[Call], updates: usize, waits: &'a [Vec<usize>], kept: impl Fn(&Call) -> u64) -> Self {
        let mut followers: Vec<Vec<usize>> = vec![vec![]; calls.len()];
        let mut depth: Vec<usize> = Vec::with_capacity(calls.len());
        let mut work: Vec<usize> = Vec::with_capacity(calls.len());
        for (at, waits) in waits.iter().enumerate() {
            waits.iter().for_each(|&on| followers[on].push(at));
            depth.push(waits.iter().map(|&on| depth[on] + 1).max().unwrap_or(0));
            let known = (0..at).find(|&other| calls[other].alike(&calls[at]));
            work.push(known.map_or(at, |other| work[other]));
        }
        let light = |at: usize| at >= updates || calls[at].is_light();
        let mut path = vec![false; calls.len()];
        for at in (0..calls.len()).rev() {
            path[at] = followers[at].iter().any(|&next| path[next] || !light(next));
        }
        let mut latest = vec![depth.iter().copied().max().unwrap_or(0); calls.len()];
        for at in (0..calls.len()).rev().filter(|&at| path[at]) {
            let next = followers[at].iter().filter(|&&next| path[next]).map(|&next| latest[next]).min();
            latest[at] = next.map_or(latest[at], |next| next - 1);
        }
        let kept: Vec<u64> = calls.iter().map(kept).collect();
        let urgency = |at: usize| match () {
            () if path[at] => Urgency::Path,
            () if light(at) && kept[at] <= KEPT / 4 => Urgency::Late,
            () => Urgency::Soon,
        };
        Self {
            waits,
            work,
            depth,
            latest,
            urgency: (0..calls.len()).map(urgency).collect(),
            kept,
            waiting: waits.iter().map(|waits| Some(waits.len())).collect(),
            followers,
        }
    }

    /// Lists of calls that can be done at once.
    fn rounds(mut self) -> Vec<Vec<usize>> {
        let mut rounds = Vec::new();
        // Calls that others go on from, since something waits that comes soon: its like may be ready after the next one.
        let mut meanwhile = 0;
        loop {
            let ready: Vec<usize> = (0..self.waits.len()).filter(|&at| self.waiting[at] == Some(0)).collect();
            let of = |urgency: Urgency| -> Vec<usize> {
                ready.iter().copied().filter(|&at| self.urgency[at] == urgency).collect()
            };
            let [path, soon, late] = [Urgency::Path, Urgency::Soon, Urgency::Late].map(of);
            let kept = |work: usize| -> u64 {
                late.iter().filter(|&&at| self.work[at] == work).map(|&at| self.kept[at]).sum()
            };
            let is_full = late.iter().map(|&at| self.kept[at]).sum::<u64>() > KEPT;
            let round = if !soon.is_empty() && (meanwhile > 1 || path.is_empty()) {
                meanwhile = 0;
                soon
            } else if is_full {
                self.first(&late, |at| u64::MAX - kept(self.work[at]))
            } else if path.is_empty() {
                self.first(&late, |at| self.last(at))
            } else {
                meanwhile += usize::from(!soon.is_empty());
                self.first(&path, |at| self.latest[at])
            };
            if round.is_empty() {
                return rounds;
            }
            round.iter().for_each(|&at| self.done(at));
            rounds.push(round);
        }
    }

    /// Those of `ready` that do the work of the first by `rank`.
    fn first<R: Ord>(&self, ready: &[usize], rank: impl Fn(usize) -> R) -> Vec<usize> {
        let first = ready.iter().copied().min_by_key(|&at| (rank(at), at)).map(|at| self.work[at]);
        ready.iter().copied().filter(|&at| Some(self.work[at]) == first).collect()
    }

    /// The depth of the last call left that does the work of call `at`.
    fn last(&self, at: usize) -> usize {
        let left =
            (0..self.work.len()).filter(|&of| self.work[of] == self.work[at] && self.waiting[of].is_some());
        left.map(|of| self.depth[of]).max().unwrap_or(0)
    }

    fn done(&mut self, at: usize) {
        self.waiting[at] = None;
        for &next in &self.followers[at] {
            self.waiting[next] = self.waiting[next].map(|count| count - 1);
        }
    }
}

type ReadsAndWrites = (Vec<Touched>, Vec<Touched>);

fn must_wait((earlier_reads, earlier_writes): &ReadsAndWrites, (reads, writes): &ReadsAndWrites) -> bool {
    let meet = |a: &[Touched], b: &[Touched]| a.iter().any(|a| b.iter().any(|b| a.meets(*b)));
    meet(earlier_writes, reads) || meet(earlier_writes, writes) || meet(earlier_reads, writes)
}

#[cfg(test)]
mod tests {
    use super::{KEPT, Touched, in_levels};
    use crate::gpu::lower::call::{Call, Memory};
    use crate::gpu::program::{Buffer, Region};

    fn touched(memory: &Memory) -> Touched {
        let region = |offset| Touched::Region(Region { buffer: Buffer::State(0), offset, size: 256 });
        match *memory {
            Memory::Node(id) => Touched::Value(id),
            Memory::Scratch(offset) => region(offset as u64),
            Memory::State(..) => unreachable!("not in these tests"),
        }
    }

    fn call(name: &'static str, reads: &[usize], write: Memory) -> Call {
        reads.iter().fold(Call::new(name), |call, &id| call.read(Memory::Node(id))).write(write)
    }

    /// The kernels of each level.
    fn levels(mut calls: Vec<Call>, kept: u64) -> Vec<Vec<&'static str>> {
        let count = calls.len();
        let levels = in_levels(
            &mut calls,
            count,
            |_| kept,
            |call| (call.reads.iter().map(touched).collect(), call.writes.iter().map(touched).collect()),
        );
        let of = |level: usize| {
            let within = calls.iter().zip(&levels).filter(|(_, of)| **of == level);
            within.map(|(call, _)| call.kernel).collect()
        };
        (0..=*levels.last().unwrap()).map(of).collect()
    }

    #[test]
    fn independent_calls_meet_and_dependent_ones_wait() {
        let (node, state_buffer) = (Memory::Node, Memory::Scratch);
        let calls = vec![
            call("a1", &[], node(0)),
            call("a2", &[0], node(1)),
            call("b1", &[], node(2)),
            call("store", &[2], state_buffer(0)),
            call("other", &[], state_buffer(256)),
            call("overwrite", &[], state_buffer(0)),
        ];
        assert_eq!(levels(calls, 0), [vec!["b1", "a1"], vec!["a2", "other", "store"], vec!["overwrite"]]);
    }

    #[test]
    fn the_shorter_of_two_equal_paths_waits() {
        let node = Memory::Node;
        let calls = vec![
            call("conv/conv", &[9], node(0)),
            call("g1", &[], node(1)),
            call("g2", &[1], node(2)),
            call("conv/conv", &[2], node(3)),
            call("loss", &[0, 3], node(4)),
            call("gradient", &[4], node(5)),
        ];
        let expected =
            [vec!["g1"], vec!["g2"], vec!["conv/conv", "conv/conv"], vec!["loss"], vec!["gradient"]];
        assert_eq!(levels(calls, 0), expected);
    }

    #[test]
    fn sums_that_can_wait_are_gathered() {
        let node = Memory::Node;
        let calls = || {
            vec![
                call("a", &[], node(0)),
                call("reduce/parts", &[0], node(1)),
                call("b", &[0], node(2)),
                call("c", &[2], node(3)),
                call("d", &[3], node(4)),
                call("reduce/parts", &[4], node(5)),
                call("e", &[4], node(6)),
                call("f", &[6], node(7)),
            ]
        };
        let gathered = [
            vec!["a"],
            vec!["b"],
            vec!["c"],
            vec!["d"],
            vec!["e"],
            vec!["f", "reduce/parts", "reduce/parts"],
        ];
        assert_eq!(levels(calls(), 0), gathered);
        // Not where they would keep much memory.
        let soon = |level: &Vec<&str>| level.iter().filter(|name| **name == "reduce/parts").count() < 2;
        assert!(levels(calls(), KEPT).iter().all(soon));
    }
}
