//! How much of a step is given to the device at once.

use std::ops::Range;

/// The most [work](super::program::Program::work) of a submission: half a second of a GPU that does 100 GFLOP/s, because some systems
/// (Windows, after 2 seconds) reset a GPU that does not come back from one.
pub const MAX_WORK: u64 = 50_000_000_000;

/// How programs that run one after another, given by the work of their dispatches, are submitted: each entry is one submission,
/// of dispatches by the number of their program. All in one, except that none has more than [`MAX_WORK`], unless a single
/// dispatch has.
pub fn submissions(programs: &[&[u64]]) -> Vec<Vec<(usize, Range<usize>)>> {
    let mut all = Vec::new();
    let (mut current, mut work) = (Vec::new(), 0);
    for (at, program) in programs.iter().enumerate() {
        let mut first = 0;
        for (index, &own) in program.iter().enumerate() {
            if work > 0 && own.saturating_add(work) > MAX_WORK {
                current.push((at, first..index));
                all.push(std::mem::take(&mut current));
                (first, work) = (index, 0);
            }
            work = own.saturating_add(work);
        }
        current.push((at, first..program.len()));
    }
    all.push(current);
    all
}
