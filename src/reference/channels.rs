//! Channels of tensors put together and taken apart.

use super::Real;
use crate::shape::Shape;

/// See [`crate::graph::Op::ConcatChannels`].
pub fn concat<T: Real>(x: (&[T], Shape), z: (&[T], Shape), y: &mut [T]) {
    let (a, b) = (x.1.channels(), z.1.channels());
    for ((y, x), z) in y.chunks_exact_mut(a + b).zip(x.0.chunks_exact(a)).zip(z.0.chunks_exact(b)) {
        y[..a].copy_from_slice(x);
        y[a..].copy_from_slice(z);
    }
}

/// See [`crate::graph::Op::SliceChannels`].
pub fn slice<T: Real>(from: usize, x: &[T], xs: Shape, y: &mut [T], ys: Shape) {
    let (whole, some) = (xs.channels(), ys.channels());
    for (y, x) in y.chunks_exact_mut(some).zip(x.chunks_exact(whole)) {
        y.copy_from_slice(&x[from..from + some]);
    }
}

/// See [`crate::graph::Op::SliceChannelsGrad`].
pub fn slice_grad<T: Real>(from: usize, gy: &[T], gs: Shape, dx: &mut [T], xs: Shape) {
    let (some, whole) = (gs.channels(), xs.channels());
    dx.fill(T::from_f64(0.0));
    for (dx, gy) in dx.chunks_exact_mut(whole).zip(gy.chunks_exact(some)) {
        dx[from..from + some].copy_from_slice(gy);
    }
}
