//! Functions of every element, and of element pairs.

use super::{Real, vectorized};
use crate::graph::{Binary, Unary};
use crate::shape::Shape;
use rayon::prelude::*;

/// Elements worth a thread of their own.
pub const CHUNK: usize = 16 * 1024;

/// See [`Unary`].
pub fn unary<T: Real>(unary: Unary, x: &[T], y: &mut [T]) {
    let one = T::from_f64(1.0);
    match unary {
        Unary::Affine { scale, offset } => {
            let (scale, offset) = (T::from_f64(scale), T::from_f64(offset));
            map(x, y, |x| scale * x + offset);
        }
        Unary::LeakyRelu { slope } => {
            let slope = T::from_f64(slope);
            // Not x > 0, so that NaN stays; and no 0 * infinity.
            if slope == T::from_f64(0.0) {
                map(x, y, |x| if x <= slope { slope } else { x });
            } else {
                map(x, y, |x| if x <= T::from_f64(0.0) { slope * x } else { x });
            }
        }
        Unary::Tanh => map(x, y, T::hyperbolic_tangent),
        Unary::Sigmoid => map(x, y, |x| one / (one + (-x).exp())),
        Unary::Softplus => map(x, y, |x| x.max(T::from_f64(0.0)) + (-x.abs()).exp().ln_1p()),
        Unary::Square => map(x, y, |x| x * x),
        Unary::Abs => map(x, y, T::abs),
        Unary::Rsqrt => map(x, y, |x| one / x.sqrt()),
        Unary::Exp => map(x, y, T::exp),
        Unary::Log => map(x, y, T::ln),
    }
}

/// See [`Binary`].
pub fn binary<T: Real>(binary: Binary, a: (&[T], Shape), b: (&[T], Shape), y: &mut [T], shape: Shape) {
    let (zero, one) = (T::from_f64(0.0), T::from_f64(1.0));
    match binary {
        Binary::Add => zip(a, b, y, shape, |a, b| a + b),
        Binary::Sub => zip(a, b, y, shape, |a, b| a - b),
        Binary::Mul => zip(a, b, y, shape, |a, b| a * b),
        Binary::Div => zip(a, b, y, shape, |a, b| a / b),
        Binary::LeakyReluGrad { slope } => {
            let slope = T::from_f64(slope);
            zip(a, b, y, shape, |y, g| {
                let below = slope * g;
                if y <= zero { below } else { g }
            });
        }
        Binary::TanhGrad => zip(a, b, y, shape, |y, g| g * (one - y * y)),
        Binary::SigmoidGrad => zip(a, b, y, shape, |y, g| g * y * (one - y)),
        Binary::AbsGrad => zip(a, b, y, shape, |x, g| {
            if x > zero {
                g
            } else if x < zero {
                -g
            } else {
                zero
            }
        }),
    }
}

fn map<T: Real>(x: &[T], y: &mut [T], f: impl Fn(T) -> T + Sync) {
    y.par_chunks_mut(CHUNK).zip(x.par_chunks(CHUNK)).for_each(|(y, x)| {
        vectorized(|| y.iter_mut().zip(x).for_each(|(y, &x)| *y = f(x)));
    });
}

fn zip<T: Real>(a: (&[T], Shape), b: (&[T], Shape), y: &mut [T], shape: Shape, f: impl Fn(T, T) -> T + Sync) {
    if a.1 == b.1 {
        y.par_chunks_mut(CHUNK).zip(a.0.par_chunks(CHUNK)).zip(b.0.par_chunks(CHUNK)).for_each(
            |((y, a), b)| {
                vectorized(|| y.iter_mut().zip(a).zip(b).for_each(|((y, &a), &b)| *y = f(a, b)));
            },
        );
        return;
    }
    let [_, height, width, channels] = shape.0;
    let (sa, sb) = (a.1.broadcast_strides(), b.1.broadcast_strides());
    y.par_chunks_mut(width * channels).enumerate().for_each(|(row, y)| {
        let (n, h) = (row / height, row % height);
        let (ra, rb) = (n * sa[0] + h * sa[1], n * sb[0] + h * sb[1]);
        for (w, y) in y.chunks_exact_mut(channels).enumerate() {
            let (pa, pb) = (ra + w * sa[2], rb + w * sb[2]);
            for (c, y) in y.iter_mut().enumerate() {
                *y = f(a.0[pa + c * sa[3]], b.0[pb + c * sb[3]]);
            }
        }
    });
}
