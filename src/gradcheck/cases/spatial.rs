//! What moves pixels, or whole images.

use super::Case;
use crate::shape::ConvOptions;

/// Channels that do and do not divide by four.
const SHAPES: [[usize; 4]; 3] = [[2, 4, 3, 2], [1, 6, 4, 5], [2, 8, 10, 20]];

pub fn all() -> Vec<Case> {
    let mut all = Vec::new();
    for (shape, padding) in [(SHAPES[0], [3, 1, 2, 0]), (SHAPES[1], [1, 2, 2, 1]), (SHAPES[2], [3, 3, 3, 3])]
    {
        all.push(Case::new("reflection_pad2d", &[shape], move |v| v[0].reflection_pad2d(padding)));
    }
    for (shape, factor) in [(SHAPES[0], [3, 2]), (SHAPES[1], [1, 3]), (SHAPES[2], [2, 2])] {
        all.push(Case::new("upsample_nearest2d", &[shape], move |v| v[0].upsample_nearest2d(factor)));
    }
    all.extend(
        SHAPES.map(|shape| Case::new("upsample_bilinear2d", &[shape], |v| Ok(v[0].upsample_bilinear2d()))),
    );
    for (shape, block) in [(SHAPES[0], [2, 3]), (SHAPES[1], [2, 2]), (SHAPES[2], [4, 5])] {
        all.push(Case::new("avg_pool2d", &[shape], move |v| v[0].avg_pool2d(block)));
    }
    let pools = [
        ([2, 2], [2, 2], [0, 0]),
        ([3, 3], [2, 2], [1, 1]),
        ([3, 2], [1, 2], [1, 0]),
        ([2, 2], [3, 3], [1, 1]),
    ];
    for (shape, (kernel, stride, padding)) in SHAPES.into_iter().cycle().zip(pools) {
        let options = ConvOptions { stride, padding, output_padding: [0; 2] };
        all.push(Case::new("max_pool2d", &[shape], move |v| Ok(v[0].max_pool2d(kernel, options)?.square())));
        // Rectified, many are equal; the gradient is none of what rectifies.
        let equal = Case::new("max_pool2d", &[shape], move |v| {
            v[0].relu().sub(v[0])?.detach().add(v[0])?.max_pool2d(kernel, options)
        });
        all.push(equal.constant());
    }
    // By one rank of one.
    all.extend(SHAPES.map(|shape| {
        Case::new("all_reduce_mean", &[shape], |v| Ok(v[0].square().all_reduce_mean(1.0).tanh()))
    }));
    all.push(Case::new("blur", &[[2, 1, 3, 2]], |v| Ok(v[0].blur())));
    all.extend(SHAPES.map(|shape| Case::new("blur", &[shape], |v| Ok(v[0].blur()))));
    for shape in SHAPES {
        // What leaves the image, or is NaN, leaves zeros. At halves there is no derivative.
        let offsets = match shape {
            [1, ..] => vec![-1.6, 0.4],
            [.., 20] => vec![2.0f64.powi(40), f64::NAN, f64::NEG_INFINITY, 1.0],
            _ => vec![1.0, -2.0, 0.4, 1.4],
        };
        let shift = Case::new("translate", &[shape, [shape[0], 1, 1, 2]], |v| v[0].translate(v[1]));
        all.push(shift.with(1, offsets));
    }
    for [n, h, w, c] in SHAPES {
        let shapes = [[n, h, w, c], [3, h, w, c], [4, 1, 1, 1]];
        let select = Case::new("gather_rows", &shapes, |v| v[0].gather_rows(v[1], v[2]));
        all.push(Case::new("all_gather", &shapes[..1], move |v| v[0].all_gather(n).mul(v[0])).constant());
        all.push(select.with(2, vec![n as f64, 0.0, n as f64 + 2.0, n as f64 - 1.0]).constant());
    }
    all
}
