//! `+ - * /` between tensors, and between tensors and numbers.
//!
//! They broadcast as [`Var::add`] and its kin do. An operator cannot return an error: where the operands do not fit, the graph
//! remembers why, [`gradients`](crate::graph::gradients) and [`Step::new`](crate::graph::Step::new) report it, and until then
//! the left operand stands in for the result.

use crate::Result;
use crate::graph::{Binary, Var};
use crate::shape::Shape;
use std::ops::{Add, Div, Mul, Neg, Sub};

impl<'g> Var<'g> {
    /// What `result` holds; else this tensor, and the graph remembers the problem.
    fn or_remember(self, result: Result<Self>) -> Self {
        result.unwrap_or_else(|error| {
            self.graph.remember(error);
            self
        })
    }
}

/// `tensor op tensor`, `tensor op number` and `number op tensor`.
macro_rules! operators {
    ($($trait:ident $method:ident $binary:ident, $with:expr, $from:expr;)+) => {$(
        impl<'g> $trait for Var<'g> {
            type Output = Self;
            fn $method(self, other: Self) -> Self {
                self.or_remember(self.binary(Binary::$binary, other))
            }
        }

        impl<'g> $trait<f64> for Var<'g> {
            type Output = Self;
            fn $method(self, number: f64) -> Self {
                $with(self, number)
            }
        }

        impl<'g> $trait<Var<'g>> for f64 {
            type Output = Var<'g>;
            fn $method(self, x: Var<'g>) -> Var<'g> {
                $from(self, x)
            }
        }
    )+};
}

operators! {
    Add add Add, |x: Var<'g>, number| x.affine(1.0, number), |number, x: Var<'g>| x.affine(1.0, number);
    Sub sub Sub, |x: Var<'g>, number: f64| x.affine(1.0, -number), |number, x: Var<'g>| x.affine(-1.0, number);
    Mul mul Mul, |x: Var<'g>, number| x.scale(number), |number, x: Var<'g>| x.scale(number);
    Div div Div, |x: Var<'g>, number: f64| x.scale(1.0 / number), |number, x: Var<'g>| constant(number, x) / x;
}

fn constant(number: f64, beside: Var<'_>) -> Var<'_> {
    beside.graph.full(Shape::SCALAR, number)
}

impl Neg for Var<'_> {
    type Output = Self;
    fn neg(self) -> Self {
        self.scale(-1.0)
    }
}
