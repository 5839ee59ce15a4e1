//! What batch norms normalise by while a part of a batch is trained on.

use crate::nn::NormMode;
use crate::ranks::Shard;

/// The batches of all ranks together where norms are synced, else the batch at hand.
pub fn of(shard: Shard) -> NormMode {
    match shard.share {
        Some(share) if shard.synced => NormMode::Synced { share, whole: shard.whole },
        _ => NormMode::Batch,
    }
}
