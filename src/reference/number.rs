//! What the CPU device needs of a number.

use super::{compute, update};
use crate::graph::custom::{Custom, Operand};
use crate::graph::{Node, NodeId, Update};
use crate::ranks::Ranks;
use crate::real::Real;
use pulp::Simd;

/// Reads a node's value, over the state buffers as they are now.
pub type Read<'a, T> = dyn Fn(&[Vec<T>], NodeId) -> Vec<T> + 'a;

/// A number the reference computes with. All that is generic over it is compiled in this crate, once for each type, and not
/// again by those who use it.
pub trait Number: Real {
    /// Computes one node: its operands' numbers in, its own out.
    #[doc(hidden)]
    fn compute(
        node: &Node,
        nodes: &[Node],
        operands: &[&[Self]],
        out: &mut [Self],
        scratch: &mut Vec<Self>,
        ranks: &Ranks,
    );

    /// Applies one update to the state buffers; `value` reads a node.
    #[doc(hidden)]
    fn update(update: &Update, buffers: &mut [Vec<Self>], ranks: &Ranks, value: &Read<'_, Self>);
}

/// What differs between the types within the reference.
pub trait Element: Real {
    /// As many of them as a register of the instruction set `S` holds.
    type Vector<S: Simd>: bytemuck::Pod;
    /// A vector of equal numbers.
    fn splat<S: Simd>(simd: S, value: Self) -> Self::Vector<S>;
    /// `a * b + c`, rounded once or twice, as the instruction set has it.
    fn fused<S: Simd>(simd: S, a: Self::Vector<S>, b: Self::Vector<S>, c: Self::Vector<S>)
    -> Self::Vector<S>;
    /// The value of an operation from outside this crate.
    fn custom(op: &Custom, operands: &[Operand<'_, Self>], y: &mut [Self]);
}

macro_rules! number {
    ($of:ident) => {
        impl Number for $of {
            fn compute(
                node: &Node,
                nodes: &[Node],
                operands: &[&[Self]],
                out: &mut [Self],
                scratch: &mut Vec<Self>,
                ranks: &Ranks,
            ) {
                compute(node, nodes, operands, out, scratch, ranks);
            }
            fn update(update: &Update, buffers: &mut [Vec<Self>], ranks: &Ranks, value: &Read<'_, Self>) {
                update::apply(update, buffers, ranks, value);
            }
        }
    };
}
number!(f32);
number!(f64);

impl Element for f32 {
    type Vector<S: Simd> = S::f32s;
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

impl Element for f64 {
    type Vector<S: Simd> = S::f64s;
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
