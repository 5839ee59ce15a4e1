//! Dynamic loss scaling (Micikevicius 2018): gradients of a loss times a scale do not vanish where half precision rounds them.
//!
//! The scale is state of its own. [`Update::Unscale`](super::Update::Unscale) takes it off the gradients again. Where one of
//! them is infinite or NaN the scale was too large: it is halved, and the optimizer's update is left out. After [`INTERVAL`] updates
//! without such a one it is doubled. At a scale of 1 nothing is left out: what is infinite then is not for the scale's sake.

use super::StateBuffer;
use crate::shape::Shape;

/// The scale that training begins with, as PyTorch's.
pub const INITIAL: f32 = 65_536.0;
/// The largest scale; all are powers of 2, so that nothing is rounded by them.
pub const LARGEST: f64 = 16_777_216.0;
/// Updates at one scale before it is doubled, as PyTorch's.
pub const INTERVAL: f64 = 2000.0;

/// Tensors of the state buffer of a scale, by index, a number each: the scale; how many updates were made since it changed; what the
/// gradients of this update are multiplied by, 0 where it is left out; and whether one of them is not finite, while that is looked for.
pub const SCALE: usize = 0;
/// See [`SCALE`].
pub const UPDATES: usize = 1;
/// See [`SCALE`].
pub const FACTOR: usize = 2;

impl StateBuffer {
    /// The state of a loss scale, which is to begin as [`INITIAL`] and otherwise 0.
    pub fn loss_scale() -> Self {
        let mut buffer = Self::default();
        for name in ["loss_scale", "updates", "factor", "found"] {
            buffer.push(name, Shape::SCALAR);
        }
        buffer
    }
}
