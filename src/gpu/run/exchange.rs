//! Numbers that cross over to other ranks between two dispatches: they come to the host, are exchanged there, and go back.

use super::GpuExecutor;
use crate::executor::{Executor, exchange};
use crate::gpu::program::{Buffer, Crossing, Region};
use crate::graph::Collective;
use crate::ranks::Phase;
use crate::real::Real;
use crate::{Error, Result};
use std::ops::Range;
use std::time::Instant;

impl<T: Real> GpuExecutor<T> {
    /// Carries out an exchange of a step, of whose dispatches those before it are submitted. The device goes on with `parts` of other
    /// steps meanwhile.
    ///
    /// # Errors
    /// If the device fails.
    pub(super) fn exchange(
        &mut self,
        step: usize,
        crossing: &Crossing,
        parts: &[(usize, Range<usize>)],
    ) -> Result<()> {
        let Crossing { exchange, from, to, .. } = *crossing;
        if let Collective::AllGather { whole } = exchange {
            let needed = self.ranks.shard(whole).counted() * (to.1 / whole);
            if needed > from.1 {
                return Err(Error::Ranks(format!(
                    "{}: rank {} of {} needs {needed} numbers of its own, and has {}; lower the step for these ranks",
                    self.steps[step].program.name,
                    self.ranks.rank(),
                    self.ranks.size(),
                    from.1
                )));
            }
        }
        // What the device still computes is none of the readback's time.
        self.wait()?;
        let start = Instant::now();
        let buffer = self.buffer(step, from.0.buffer).clone();
        let mut own: Vec<T> = self.read_while(&buffer, from.0.offset, from.1, parts)?;
        self.ranks.spend(Phase::Readback, start);
        let all = match exchange {
            Collective::AllReduceMean { share } => {
                exchange::mean(share, &self.ranks, &mut own);
                own
            }
            _ => {
                let mut all = vec![T::from_f64(0.0); to.1];
                exchange::exchange(exchange, &self.ranks, &own, &mut all);
                all
            }
        };
        let start = Instant::now();
        self.write(step, to.0, &all);
        self.ranks.spend(Phase::Upload, start);
        Ok(())
    }

    /// Carries out the exchanges of a step that come right before dispatch `index`.
    ///
    /// # Errors
    /// If the device fails.
    pub(super) fn exchange_before(&mut self, step: usize, index: usize) -> Result<()> {
        let due =
            self.steps[step].program.exchanges.iter().filter(|crossing| crossing.after == index).copied();
        due.collect::<Vec<_>>().iter().try_for_each(|crossing| self.exchange(step, crossing, &[]))
    }

    /// How many of the first dispatches of step `next` touch nothing that what is left of `step` from `crossing` on does. They end
    /// before the first exchange of their own.
    pub(super) fn independent(&self, step: usize, crossing: &Crossing, next: usize) -> usize {
        if step == next {
            return 0;
        }
        let left = self.steps[step].program.dispatches[crossing.after..]
            .iter()
            .flat_map(|dispatch| &dispatch.bindings);
        let left: Vec<Region> =
            left.chain([&crossing.to.0]).filter_map(|&region| self.shared(step, region)).collect();
        let Some(first) = self.steps[next].program.exchanges.first() else { return 0 };
        let meets = |region: &Region| {
            let shared = self.shared(next, *region);
            shared.is_some_and(|region| left.iter().any(|other| region.meets(*other)))
        };
        let head = self.steps[next].program.dispatches[..first.after].iter();
        head.take_while(|dispatch| !dispatch.bindings.iter().any(meets)).count()
    }

    /// A step's stretch of memory as one of the executor's, if other steps have it too.
    fn shared(&self, step: usize, region: Region) -> Option<Region> {
        match region.buffer {
            Buffer::Pool(slot) => {
                Some(Region { buffer: Buffer::Pool(self.steps[step].slots[slot]), ..region })
            }
            Buffer::State(_) => Some(region),
            Buffer::Result(_) | Buffer::Inputs | Buffer::Constants => None,
        }
    }
}
