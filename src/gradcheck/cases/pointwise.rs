//! Functions of numbers and of pairs, sums, and what only changes a shape.

use super::Case;
use crate::Result;
use crate::gradcheck::trial::Draw;
use crate::graph::{Unary, Var};
use crate::shape::Shape;

/// One number, a ragged vector, channels that do and do not divide by four.
const SHAPES: [[usize; 4]; 4] = [[1, 1, 1, 1], [1, 1, 1, 301], [2, 3, 2, 4], [3, 5, 7, 3]];

/// A function of one number, from numbers where it and its derivative can be told.
fn unary(op: &'static str, function: Unary) -> Vec<Case> {
    match function {
        Unary::Affine { .. } | Unary::Square | Unary::Exp => {
            everywhere(op, move |x| x.unary(function)).collect()
        }
        // A kink or a pole at 0.
        Unary::LeakyRelu { .. } | Unary::Abs => {
            everywhere(op, move |x| x.unary(function)).map(|case| case.undifferenced(Draw::Small)).collect()
        }
        Unary::Rsqrt | Unary::Log => everywhere(op, move |x| x.square().unary(function))
            .map(|case| case.undifferenced(Draw::Small))
            .collect(),
        Unary::Tanh | Unary::Sigmoid | Unary::Softplus => saturating(op, function).collect(),
    }
}

fn everywhere(
    op: &'static str,
    f: impl for<'g> Fn(Var<'g>) -> Var<'g> + Copy + 'static,
) -> impl Iterator<Item = Case> {
    let case = move |shape| Case::new(op, &[shape], move |v| Ok(f(v[0])));
    SHAPES.into_iter().map(move |shape| case(shape).elementwise().draws(&Draw::ALL))
}

/// A function that saturates: from numbers up to 6, and from small and large ones.
fn saturating(op: &'static str, function: Unary) -> impl Iterator<Item = Case> {
    let scaled = move |shape| Case::new(op, &[shape], move |v| Ok(v[0].scale(6.0).unary(function)));
    let alone = Case::new(op, &[SHAPES[1]], move |v| Ok(v[0].unary(function)));
    SHAPES.into_iter().map(scaled).chain([alone.elementwise().draws(&Draw::ALL)])
}

fn pairs(op: &'static str, f: for<'g> fn(Var<'g>, Var<'g>) -> Result<Var<'g>>) -> impl Iterator<Item = Case> {
    let others = [[2, 3, 2, 4], [1, 1, 1, 4], [2, 1, 1, 1], [2, 3, 2, 1], [1, 1, 1, 1]];
    let broadcast = others.into_iter().map(|other| [[2, 3, 2, 4], other]);
    let all = broadcast.chain([[[2, 1, 3, 1], [1, 2, 1, 4]], [[3, 5, 4, 3], [3, 1, 1, 3]]]);
    all.map(move |shapes| Case::new(op, &shapes, move |v| f(v[0], v[1])).elementwise().draws(&Draw::ALL))
}

/// Both ways round: zeros, infinities and NaN are drawn for the first operand only.
fn quotients() -> impl Iterator<Item = Case> {
    pairs("div", |a, b| a.div(b))
        .chain(pairs("div", |a, b| b.div(a)))
        .map(|case| case.undifferenced(Draw::Small))
}

fn sums() -> impl Iterator<Item = Case> {
    let sum = |shape: [usize; 4], to: [usize; 4]| {
        Case::new("sum", &[shape], move |v| v[0].square().sum_to(Shape(to)))
    };
    [
        sum([2, 3, 2, 4], [1, 1, 1, 1]),
        sum([3, 4, 5, 20], [1, 1, 1, 20]),
        sum([3, 4, 5, 7], [3, 1, 1, 7]),
        sum([3, 4, 5, 7], [3, 4, 5, 1]),
        sum([2, 64, 9, 3], [2, 1, 9, 1]),
        sum([4, 33, 32, 3], [1, 1, 1, 1]),
    ]
    .into_iter()
}

pub fn all() -> Vec<Case> {
    let shape = [2, 3, 2, 4];
    let functions = Unary::ALL.iter().flat_map(|function| unary(function.name(), *function));
    unary("relu", Unary::LeakyRelu { slope: 0.0 })
        .into_iter()
        .chain(functions)
        .chain(pairs("add", |a, b| a.add(b)))
        .chain(pairs("sub", |a, b| b.sub(a)))
        .chain(pairs("mul", |a, b| a.mul(b)))
        .chain(quotients())
        .chain(sums())
        .chain([
            Case::new("mean", &[shape], |v| Ok(v[0].mean())),
            Case::new("channel_mean", &[shape], |v| Ok(v[0].channel_mean())),
            Case::new("spatial_mean", &[[2, 8, 9, 3]], |v| Ok(v[0].spatial_mean())),
            Case::new("broadcast", &[[2, 1, 2, 1]], move |v| v[0].broadcast_to(Shape(shape))),
            Case::new("reshape", &[shape], |v| v[0].reshape(Shape([1, 4, 2, 6]))),
            Case::new("detach", &[shape], |v| v[0].mul(v[0].detach())).constant(),
        ])
        .collect()
}
