//! Normalisation, with and without weight and bias, and with an activation in the same kernel.

use super::Case;
use crate::gradcheck::trial::{Draw, draw};
use crate::shape::{ConvOptions, Shape};

const EPS: f64 = 1e-5;

/// Channels that do and do not divide by four, few rows and many.
const SHAPES: [[usize; 4]; 5] = [[3, 3, 2, 4], [2, 9, 9, 20], [4, 5, 7, 3], [2, 24, 24, 8], [8, 32, 32, 3]];

fn rows(shape: [usize; 4]) -> [usize; 4] {
    [1, 1, 2, shape[3]]
}

pub fn all() -> Vec<Case> {
    let mut all = Vec::new();
    for shape in SHAPES {
        all.push(Case::new("batch_norm", &[shape], |v| v[0].batch_norm(None, EPS)));
        all.push(Case::new("batch_norm", &[shape, rows(shape)], |v| {
            v[0].batch_norm(Some(v[1]), EPS)?.leaky_relu(0.2)
        }));
    }
    all.push(shifted([2, 16, 16, 4], "batch_norm"));
    // By one rank of one.
    for shape in SHAPES {
        let case = Case::new("sync_batch_norm", &[shape, rows(shape)], |v| {
            v[0].sync_batch_norm(1.0, Some(v[1]), EPS)?.0.leaky_relu(0.2)
        });
        // Moments that leave the device are one running sum. Over thousands of rows its rounding, the same for all values, is
        // 1e-14 of them in f64: nothing beside the values, too much for differences of them.
        // From large values so are a thousand rows.
        all.push(match shape[0] * shape[1] * shape[2] {
            2_001.. => case.constant(),
            1_001.. => case.undifferenced(Draw::Large),
            _ => case,
        });
    }
    for shape in SHAPES {
        all.push(Case::new("instance_norm", &[shape], |v| v[0].instance_norm(None, EPS)));
        all.push(Case::new("instance_norm", &[shape, rows(shape)], |v| {
            Ok(v[0].instance_norm(Some(v[1]), EPS)?.tanh())
        }));
    }
    all.push(shifted([2, 16, 16, 4], "instance_norm"));
    // All channels in one group, in one each, and some in each.
    for (shape, groups) in [(SHAPES[0], 1), (SHAPES[0], 4), (SHAPES[1], 5), (SHAPES[2], 3), (SHAPES[3], 2)] {
        let plain = Case::new("group_norm", &[shape], move |v| v[0].group_norm(groups, None, EPS));
        let affine = Case::new("group_norm", &[shape, rows(shape)], move |v| {
            Ok(v[0].group_norm(groups, Some(v[1]), EPS)?.tanh())
        });
        // A long running sum, as above.
        let long = shape == SHAPES[3];
        all.extend([plain, affine].map(|case| if long { case.undifferenced(Draw::Large) } else { case }));
    }
    all.push(shifted([2, 16, 16, 4], "group_norm"));
    all.extend(SHAPES.map(|shape| {
        Case::new("batch_norm_eval", &[shape, rows(shape)], move |v| {
            let running = v[0].graph().full(Shape(rows(shape)), 0.7);
            v[0].batch_norm_eval(running, Some(v[1]), EPS)
        })
    }));
    // Of convolutions that are made in parts, which the norm adds up: few rows, and many.
    for shape in [[4, 4, 4, 64], [2, 16, 16, 64]] {
        let [.., c] = shape;
        let shapes = [shape, [3, 3, c, 16], [1, 1, 1, 16], [1, 1, 2, 16]];
        for per_image in [false, true] {
            let op = if per_image { "instance_norm" } else { "batch_norm" };
            let case = Case::new(op, &shapes, move |v| {
                let y = v[0].conv2d(v[1], ConvOptions::new(1, 1))?.add(v[2])?;
                let affine = Some(v[3]);
                Ok(if per_image { y.instance_norm(affine, EPS)? } else { y.batch_norm(affine, EPS)? }.tanh())
            });
            // What a bias adds, the norm takes away: beside numbers of other sizes its gradient is rounding.
            all.push(case.by_every_kernel().draws(&[Draw::Unit]));
        }
    }
    all.into_iter().map(everywhere).collect()
}

/// Variances far below eps and far above it. Where the spread is 1e-3, a step of 1e-5 is too long for differences.
fn everywhere(case: Case) -> Case {
    if case.draws.len() == 1 { case } else { case.draws(&Draw::ALL).undifferenced(Draw::Small) }
}

/// A large mean with a small spread. The mean itself is kept in single precision: half a unit in the last place of 100 is
/// 7e-5 of the spread, and the gradient to the weight adds that up with one sign.
fn shifted(shape: [usize; 4], op: &'static str) -> Case {
    let x = draw(Shape(shape).len(), 0).iter().map(|x| f64::from(100.0 + 0.1 * *x as f32)).collect();
    let case = Case::new(op, &[shape, rows(shape)], move |v| match op {
        "batch_norm" => v[0].batch_norm(Some(v[1]), EPS),
        "group_norm" => v[0].group_norm(2, Some(v[1]), EPS),
        _ => v[0].instance_norm(Some(v[1]), EPS),
    });
    // Central differences of numbers near 100 keep fewer digits as well.
    case.with(0, x).tolerance(5e-4).constant().draws(&[Draw::Unit])
}
