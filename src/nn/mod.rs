//! Networks as data: a list of layers, from which parameters, initial values and graph nodes follow.

pub mod diffaugment;
mod dropout;
mod init;
mod layer;
pub mod loss;
mod network;
mod norm;
mod reach;
mod spectral;
pub mod torch;
mod upsample;

pub use init::Init;
pub use layer::{Layer, NORM_EPS};
pub use network::{Network, NormMode, Normalizing, Parameter, ParameterKind, Tensors};
pub use norm::Norm;
pub use upsample::Upsample;
