//! Normalisation.

use super::mismatch;
use crate::Result;
use crate::graph::{Exchange, Op, Per, Var};
use crate::shape::Shape;

/// Normalisation.
impl<'g> Var<'g> {
    fn groups(self, per: Per) -> usize {
        match per {
            Per::Batch => 1,
            Per::Instance => self.shape().0[0],
        }
    }

    /// Mean (row 0) and biased variance (row 1) of each channel: `[groups, 1, 2, channels]`, with one group for
    /// [`Per::Batch`] and one a picture for [`Per::Instance`].
    pub fn moments(self, per: Per) -> Self {
        let shape = Shape([self.groups(per), 1, 2, self.shape().channels()]);
        self.graph.append(Op::Moments(per), &[self], shape)
    }

    /// Normalisation by the statistics of `self`, and those statistics (for [`Update::RunningMoments`](crate::graph::Update::RunningMoments)).
    /// `affine` is `[1, 1, 2, channels]`: weight, then bias.
    ///
    /// # Errors
    /// If `affine` has another shape.
    pub fn norm(self, per: Per, affine: Option<Self>, eps: f64) -> Result<(Self, Self)> {
        let moments = self.moments(per);
        Ok((self.normalize(moments, per, affine, eps, false)?, moments))
    }

    /// As [`Var::norm`] over the batch, by the statistics of the batches of all ranks, processes that train together, of which this
    /// one's is `share`.
    ///
    /// # Errors
    /// If `affine` is not `[1, 1, 2, channels]`.
    pub fn norm_of_ranks(self, share: f64, affine: Option<Self>, eps: f64) -> Result<(Self, Self)> {
        let moments = self.moments(Per::Batch).exchange(Exchange::Moments { share });
        Ok((self.normalize(moments, Per::Batch, affine, eps, false)?, moments))
    }

    /// Batch norm by the statistics of this batch.
    ///
    /// # Errors
    /// If `affine` is not `[1, 1, 2, channels]`.
    pub fn batch_norm(self, affine: Option<Self>, eps: f64) -> Result<Self> {
        Ok(self.norm(Per::Batch, affine, eps)?.0)
    }

    /// Instance norm: each picture's channels by their own statistics.
    ///
    /// # Errors
    /// If `affine` is not `[1, 1, 2, channels]`.
    pub fn instance_norm(self, affine: Option<Self>, eps: f64) -> Result<Self> {
        Ok(self.norm(Per::Instance, affine, eps)?.0)
    }

    /// Batch norm by given statistics `[1, 1, 2, channels]` (running mean, running variance), constants to
    /// differentiation.
    ///
    /// # Errors
    /// If `running` or `affine` has another shape.
    pub fn batch_norm_eval(self, running: Self, affine: Option<Self>, eps: f64) -> Result<Self> {
        self.normalize(running, Per::Batch, affine, eps, true)
    }

    fn normalize(self, moments: Self, per: Per, affine: Option<Self>, eps: f64, fixed: bool) -> Result<Self> {
        let channels = self.shape().channels();
        let rows = Shape([self.groups(per), 1, 2, channels]);
        if moments.shape() != rows {
            return mismatch(
                "normalize",
                format!("x {} needs moments {rows}, not {}", self.shape(), moments.shape()),
            );
        }
        let mut operands = vec![self, moments];
        if let Some(affine) = affine {
            let expected = Shape([1, 1, 2, channels]);
            if affine.shape() != expected {
                return mismatch(
                    "normalize",
                    format!("x {} needs weight and bias as {expected}, not {}", self.shape(), affine.shape()),
                );
            }
            operands.push(affine);
        }
        self.graph.push(Op::Normalize { per, eps, fixed }, &operands, self.shape())
    }
}
