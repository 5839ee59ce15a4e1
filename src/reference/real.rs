//! The numbers that are computed with.

use super::pointwise;
use crate::custom::{Custom, Operand};
use crate::ranks::Ranks;
use pulp::Simd;

/// A number the reference computes with: f32 or f64, and no other.
pub trait Real:
    sealed::Sealed + num_traits::Float + num_traits::NumAssign + bytemuck::Pod + Send + Sync
{
    /// As many of them as a register of the instruction set `S` holds.
    type Vector<S: Simd>: bytemuck::Pod;
    /// The nearest number of this type.
    fn of(value: f64) -> Self;
    /// The number in double precision.
    fn wide(self) -> f64;
    /// `tanh`, to a few units in the last place.
    fn hyperbolic_tangent(self) -> Self;
    /// As [`Ranks::sum`].
    fn sum(ranks: &Ranks, values: &mut [Self]);
    /// A vector of equal numbers.
    fn splat<S: Simd>(simd: S, value: Self) -> Self::Vector<S>;
    /// `a * b + c`, rounded once or twice, as the instruction set has it.
    fn fused<S: Simd>(simd: S, a: Self::Vector<S>, b: Self::Vector<S>, c: Self::Vector<S>)
    -> Self::Vector<S>;
    /// The value of an operation from outside this crate.
    fn custom(op: &Custom, operands: &[Operand<'_, Self>], y: &mut [Self]);
}

mod sealed {
    pub trait Sealed {}
    impl Sealed for f32 {}
    impl Sealed for f64 {}
}

impl Real for f32 {
    type Vector<S: Simd> = S::f32s;
    fn of(value: f64) -> Self {
        value as Self
    }
    fn wide(self) -> f64 {
        f64::from(self)
    }
    #[inline(always)]
    fn hyperbolic_tangent(self) -> Self {
        pointwise::tanh(self)
    }
    fn sum(ranks: &Ranks, values: &mut [Self]) {
        ranks.sum(values);
    }
    #[inline(always)]
    fn splat<S: Simd>(simd: S, value: Self) -> S::f32s {
        simd.splat_f32s(value)
    }
    #[inline(always)]
    fn fused<S: Simd>(simd: S, a: S::f32s, b: S::f32s, c: S::f32s) -> S::f32s {
        simd.mul_add_e_f32s(a, b, c)
    }
    fn custom(op: &Custom, operands: &[Operand<'_, Self>], y: &mut [Self]) {
        op.in_single(operands, y);
    }
}

impl Real for f64 {
    type Vector<S: Simd> = S::f64s;
    fn of(value: f64) -> Self {
        value
    }
    fn wide(self) -> f64 {
        self
    }
    fn hyperbolic_tangent(self) -> Self {
        self.tanh()
    }
    fn sum(ranks: &Ranks, values: &mut [Self]) {
        ranks.sum_wide(values);
    }
    #[inline(always)]
    fn splat<S: Simd>(simd: S, value: Self) -> S::f64s {
        simd.splat_f64s(value)
    }
    #[inline(always)]
    fn fused<S: Simd>(simd: S, a: S::f64s, b: S::f64s, c: S::f64s) -> S::f64s {
        simd.mul_add_e_f64s(a, b, c)
    }
    fn custom(op: &Custom, operands: &[Operand<'_, Self>], y: &mut [Self]) {
        op.in_double(operands, y);
    }
}
