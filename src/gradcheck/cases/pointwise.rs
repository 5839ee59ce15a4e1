//! Functions of numbers and of pairs, sums, and what only changes a shape.

use super::Case;
use crate::Result;
use crate::gradcheck::trial::Draw;
use crate::graph::Var;
use crate::shape::Shape;

/// One number, a ragged vector, channels that do and do not divide by four.
const SHAPES: [[usize; 4]; 4] = [[1, 1, 1, 1], [1, 1, 1, 301], [2, 3, 2, 4], [3, 5, 7, 3]];

fn unary(op: &'static str, f: for<'g> fn(Var<'g>) -> Result<Var<'g>>) -> impl Iterator<Item = Case> {
    let kinked = ["relu", "leaky_relu", "abs", "rsqrt"].contains(&op);
    SHAPES.into_iter().map(move |shape| {
        let case = Case::new(op, &[shape], move |v| f(v[0])).elementwise().draws(&Draw::ALL);
        if kinked { case.undifferenced(Draw::Small) } else { case }
    })
}

/// A function that saturates: from numbers up to 6, and from small and large ones.
fn saturating(op: &'static str, f: for<'g> fn(Var<'g>) -> Var<'g>) -> impl Iterator<Item = Case> {
    let scaled =
        SHAPES.into_iter().map(move |shape| Case::new(op, &[shape], move |v| Ok(f(v[0].scale(6.0)))));
    let alone = Case::new(op, &[SHAPES[1]], move |v| Ok(f(v[0]))).elementwise().draws(&Draw::ALL);
    scaled.chain([alone])
}

fn pairs(op: &'static str, f: for<'g> fn(Var<'g>, Var<'g>) -> Result<Var<'g>>) -> impl Iterator<Item = Case> {
    let others = [[2, 3, 2, 4], [1, 1, 1, 4], [2, 1, 1, 1], [2, 3, 2, 1], [1, 1, 1, 1]];
    let broadcast = others.into_iter().map(|other| [[2, 3, 2, 4], other]);
    let all = broadcast.chain([[[2, 1, 3, 1], [1, 2, 1, 4]], [[3, 5, 4, 3], [3, 1, 1, 3]]]);
    all.map(move |shapes| Case::new(op, &shapes, move |v| f(v[0], v[1])).elementwise().draws(&Draw::ALL))
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
    unary("affine", |x| Ok(x.affine(-1.5, 0.3)))
        .chain(unary("relu", |x| Ok(x.relu())))
        .chain(unary("leaky_relu", |x| x.leaky_relu(0.2)))
        .chain(saturating("tanh", |x| x.tanh()))
        .chain(saturating("sigmoid", |x| x.sigmoid()))
        .chain(saturating("softplus", |x| x.softplus()))
        .chain(unary("square", |x| Ok(x.square())))
        .chain(unary("abs", |x| Ok(x.abs())))
        .chain(unary("rsqrt", |x| Ok(x.square().rsqrt())))
        .chain(pairs("add", |a, b| a.add(b)))
        .chain(pairs("sub", |a, b| b.sub(a)))
        .chain(pairs("mul", |a, b| a.mul(b)))
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
