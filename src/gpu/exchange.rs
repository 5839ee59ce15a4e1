//! Numbers that cross over to other ranks between two dispatches: they come to the host, are exchanged there, and go back.

use super::program::Crossing;
use super::run::GpuExecutor;
use crate::Result;
use crate::executor::Executor;
use crate::ranks::Phase;
use crate::reference::{Real, exchange};
use std::time::Instant;

impl<T: Real> GpuExecutor<T> {
    /// Carries out an exchange of a step, of whose dispatches those before it are submitted.
    ///
    /// # Errors
    /// If the device fails.
    pub(super) fn exchange(&mut self, step: usize, crossing: &Crossing) -> Result<()> {
        let Crossing { exchange, from, to, .. } = *crossing;
        // What the device still computes is none of the readback's time.
        self.wait()?;
        let start = Instant::now();
        let buffer = self.buffer(step, from.0.buffer).clone();
        let own: Vec<T> = self.read(&buffer, from.0.offset, from.1)?;
        self.ranks.spend(Phase::Readback, start);
        let mut all = vec![T::of(0.0); to.1];
        exchange::exchange(exchange, &self.ranks, &own, &mut all);
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
        let due = self.program(step).exchanges.iter().filter(|crossing| crossing.after == index).copied();
        due.collect::<Vec<_>>().iter().try_for_each(|crossing| self.exchange(step, crossing))
    }
}
