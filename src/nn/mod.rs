//! Networks as data: a list of layers, from which parameters, initial values and graph nodes follow.

pub mod cyclegan;
pub mod dcgan;
pub mod diffaugment;
mod init;
mod layer;
pub mod loss;
mod network;
mod spectral;
pub mod torch;
mod upsample;

pub use init::Init;
pub use layer::{Layer, NORM_EPS};
pub use network::{Network, Parameter, ParameterKind, Statistics, Tensors};
pub use upsample::Upsample;
