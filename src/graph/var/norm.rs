//! Normalisation.

use super::mismatch;
use crate::Result;
use crate::graph::{Collective, Op, Per, Var};
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
    /// [`Per::Batch`] and one an image for [`Per::Instance`].
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
    pub fn sync_batch_norm(self, share: f64, affine: Option<Self>, eps: f64) -> Result<(Self, Self)> {
        let moments = self.moments(Per::Batch).exchange(Collective::AllReduceMoments { share });
        Ok((self.normalize(moments, Per::Batch, affine, eps, false)?, moments))
    }

    /// Batch norm by the statistics of this batch.
    ///
    /// # Errors
    /// If `affine` is not `[1, 1, 2, channels]`.
    pub fn batch_norm(self, affine: Option<Self>, eps: f64) -> Result<Self> {
        Ok(self.norm(Per::Batch, affine, eps)?.0)
    }

    /// Instance norm: each image's channels by their own statistics.
    ///
    /// # Errors
    /// If `affine` is not `[1, 1, 2, channels]`.
    pub fn instance_norm(self, affine: Option<Self>, eps: f64) -> Result<Self> {
        Ok(self.norm(Per::Instance, affine, eps)?.0)
    }

    /// Group norm (Wu and He 2018): each image's channels in `groups` groups of neighbours, each group normalised by its own
    /// mean and variance over all its pixels and channels. Made of other operations, so it can be differentiated again.
    ///
    /// # Errors
    /// If the groups do not divide the channels, or `affine` is not `[1, 1, 2, channels]`.
    pub fn group_norm(self, groups: usize, affine: Option<Self>, eps: f64) -> Result<Self> {
        let channels = self.shape().channels();
        if !channels.is_multiple_of(groups) {
            return mismatch(
                "group_norm",
                format!("{groups} groups do not divide the channels of {}", self.shape()),
            );
        }
        let centred = self.sub(self.group_mean(groups)?)?;
        let variance = centred.square().group_mean(groups)?;
        let y = centred.mul(variance.affine(1.0, eps).rsqrt())?;
        let Some(affine) = affine else { return Ok(y) };
        let expected = Shape([1, 1, 2, channels]);
        if affine.shape() != expected {
            return mismatch(
                "group_norm",
                format!("x {} needs weight and bias as {expected}, not {}", self.shape(), affine.shape()),
            );
        }
        let rows = affine.reshape(Shape::vector(2 * channels))?;
        y.mul(rows.slice_channels(0..channels)?)?.add(rows.slice_channels(channels..2 * channels)?)
    }

    /// Of each image and channel the mean over the group the channel is in: `[n, 1, 1, channels]`.
    fn group_mean(self, groups: usize) -> Result<Self> {
        let [n, _, _, c] = self.shape().0;
        let grouped = self.spatial_mean().reshape(Shape([n, 1, groups, c / groups]))?;
        grouped.channel_mean().broadcast_to(grouped.shape())?.reshape(Shape([n, 1, 1, c]))
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
