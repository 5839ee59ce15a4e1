//! Channels of tensors put together and taken apart.

use super::mismatch;
use crate::Result;
use crate::graph::{Op, Var};
use crate::shape::Shape;
use std::ops::Range;

/// Channels.
impl<'g> Var<'g> {
    /// The channels of all `tensors` one behind the other, as a U-Net joins what it halves with what it doubles. Two tensors
    /// are one operation, four are three.
    ///
    /// # Errors
    /// If there are no tensors, or two differ in anything but their channels.
    pub fn concat_channels(tensors: &[Self]) -> Result<Self> {
        match *tensors {
            [] => mismatch("concat_channels", "there are no tensors; give at least one".into()),
            [only] => Ok(only),
            [a, b] => a.concat_two(b),
            _ => {
                let (a, b) = tensors.split_at(tensors.len().div_ceil(2));
                Self::concat_channels(a)?.concat_two(Self::concat_channels(b)?)
            }
        }
    }

    fn concat_two(self, other: Self) -> Result<Self> {
        let ([n, h, w, a], [on, oh, ow, b]) = (self.shape().0, other.shape().0);
        if [n, h, w] != [on, oh, ow] {
            return mismatch(
                "concat_channels",
                format!("{} and {} may differ only in channels", self.shape(), other.shape()),
            );
        }
        self.graph.push(Op::ConcatChannels, &[self, other], Shape([n, h, w, a.saturating_add(b)]))
    }

    /// The channels `range`, from the first that is meant up to the one behind the last.
    ///
    /// # Errors
    /// If the range is empty or ends beyond the last channel.
    pub fn slice_channels(self, range: Range<usize>) -> Result<Self> {
        let [n, h, w, c] = self.shape().0;
        if range.is_empty() || range.end > c {
            return mismatch(
                "slice_channels",
                format!("{range:?} must be a range of channels of {}, with one at least", self.shape()),
            );
        }
        if range == (0..c) {
            return Ok(self);
        }
        let from = range.start;
        self.graph.push(Op::SliceChannels { from }, &[self], Shape([n, h, w, range.len()]))
    }

    /// The transpose of [`Var::slice_channels`]: this tensor from channel `from` on, among `channels` of which the others are 0.
    pub(in crate::graph) fn slice_channels_grad(self, from: usize, channels: usize) -> Self {
        let [n, h, w, _] = self.shape().0;
        self.graph.append(Op::SliceChannelsGrad { from }, &[self], Shape([n, h, w, channels]))
    }
}
