//! Networks that one optimizer trains.

pub use crate::optim::TrainedBanks;
