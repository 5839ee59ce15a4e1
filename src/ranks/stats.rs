//! What it costs to train together.

use std::time::Duration;

/// A part of a step that only ranks have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// From the device to the host.
    Readback,
    /// From rank to rank, waiting for the slowest of them included.
    Reduce,
    /// From the host to the device.
    Upload,
}

/// What exchanges took.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct CommStats {
    /// Time of each phase.
    pub readback: Duration,
    /// As [`Phase::Reduce`].
    pub reduce: Duration,
    /// As [`Phase::Upload`].
    pub upload: Duration,
    /// Bytes of what was exchanged, as each rank has them afterwards.
    pub bytes: u64,
    /// How many exchanges there were.
    pub messages: u64,
}

impl CommStats {
    pub(super) fn add(&mut self, phase: Phase, time: Duration) {
        *match phase {
            Phase::Readback => &mut self.readback,
            Phase::Reduce => &mut self.reduce,
            Phase::Upload => &mut self.upload,
        } += time;
    }
}
