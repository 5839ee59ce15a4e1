//! The three contractions: borders, strides and phases without taps by the default kernels, then as networks have them by every
//! kernel there is: whole tiles, ragged tiles, split sums, RGB ends.

use super::Case;
use crate::gradcheck::trial::Draw;
use crate::shape::{ConvGeometry, ConvOptions};

const UNEVEN: ConvOptions = ConvOptions { stride: [2, 1], padding: [1, 0], output_padding: [0, 0] };

pub fn all() -> Vec<Case> {
    exact().into_iter().chain([through_tanh()]).collect()
}

/// Those whose operands, and those of their gradients, are drawn: not computed, but for products with powers of 2.
pub fn exact() -> Vec<Case> {
    [conv2d(), weight_grad(), conv_transpose2d()].into_iter().flatten().collect()
}

fn conv2d() -> Vec<Case> {
    let shapes = [
        ([2, 6, 6, 3], [4, 4, 3, 2], ConvOptions::new(2, 1)),
        ([2, 4, 4, 2], [4, 4, 2, 3], ConvOptions::new(1, 0)),
        ([2, 5, 4, 3], [3, 3, 3, 4], ConvOptions::new(1, 1)),
        ([1, 7, 5, 1], [3, 3, 1, 2], ConvOptions::new(2, 1)),
        ([1, 7, 7, 2], [1, 1, 2, 2], ConvOptions::new(3, 0)),
        ([1, 1, 1, 3], [3, 3, 3, 2], ConvOptions::new(1, 1)),
        ([1, 6, 3, 2], [3, 2, 2, 2], UNEVEN),
        ([4, 16, 16, 3], [4, 4, 3, 32], ConvOptions::new(2, 1)),
        ([1, 16, 16, 64], [3, 3, 64, 64], ConvOptions::new(1, 1)),
    ];
    let networks = [
        ([2, 16, 16, 128], [4, 4, 128, 128], ConvOptions::new(2, 1)),
        ([8, 4, 4, 128], [4, 4, 128, 1], ConvOptions::new(1, 0)),
        ([1, 24, 24, 32], [7, 7, 32, 3], ConvOptions::new(1, 3)),
        ([2, 9, 13, 20], [3, 4, 20, 4], UNEVEN),
        ([1, 6, 5, 8], [3, 3, 8, 8], ConvOptions::new(2, 1)),
    ];
    let case = |(x, w, options): ([usize; 4], [usize; 4], ConvOptions)| {
        Case::new("conv2d", &[x, w], move |v| v[0].conv2d(v[1], options))
    };
    let networks = networks.map(|network| case(network).by_every_kernel());
    // With what lowering computes in the same kernel.
    let bias = Case::new("conv2d", &[[2, 9, 7, 5], [3, 3, 5, 20], [1, 1, 1, 20]], |v| {
        v[0].conv2d(v[1], ConvOptions::new(1, 1))?.add(v[2])?.leaky_relu(0.25)
    });
    let stretched = Case::new("conv2d", &[[2, 4, 4, 3], [3, 3, 3, 1], [1, 1, 1, 3]], |v| {
        Ok(v[0].conv2d(v[1], ConvOptions::new(1, 1))?.add(v[2])?.relu())
    });
    // Of an image that is continued by mirroring it, which the kernels do on the way.
    let mirrored = [
        ([2, 5, 4, 3], [3, 3, 3, 4], [2, 1, 0, 3], ConvOptions::new(2, 1)),
        ([1, 16, 16, 32], [3, 3, 32, 64], [1; 4], ConvOptions::new(1, 0)),
        ([1, 20, 20, 3], [7, 7, 3, 32], [3; 4], ConvOptions::new(1, 0)),
        ([1, 20, 20, 32], [7, 7, 32, 3], [3; 4], ConvOptions::new(1, 0)),
    ];
    let mirrored = mirrored.map(|(x, w, padding, options)| {
        let case =
            Case::new("conv2d", &[x, w], move |v| v[0].reflection_pad2d(padding)?.conv2d(v[1], options));
        case.by_every_kernel()
    });
    shapes.map(case).into_iter().chain(networks).chain([bias, stretched]).chain(mirrored).collect()
}

fn conv_transpose2d() -> Vec<Case> {
    let shapes = [
        ([2, 3, 3, 2], [4, 4, 3, 2], ConvOptions::new(2, 1)),
        ([2, 1, 1, 3], [4, 4, 2, 3], ConvOptions::new(1, 0)),
        ([1, 3, 4, 2], [3, 3, 1, 2], ConvOptions::new(2, 1).output_padding(1)),
        ([1, 3, 3, 2], [1, 1, 2, 2], ConvOptions::new(3, 0)),
        ([1, 2, 3, 1], [2, 2, 2, 1], ConvOptions::new(3, 0).output_padding(2)),
        ([1, 3, 2, 2], [3, 2, 2, 2], ConvOptions { output_padding: [1, 0], ..UNEVEN }),
        // More phases than a grid has workgroups along one dimension.
        ([1, 1, 1, 2], [3, 3, 1, 2], ConvOptions::new(300, 0)),
    ];
    let networks = [
        ([16, 1, 1, 100], [4, 4, 128, 100], ConvOptions::new(1, 0)),
        ([2, 8, 8, 64], [4, 4, 64, 64], ConvOptions::new(2, 1)),
        ([4, 16, 16, 32], [4, 4, 3, 32], ConvOptions::new(2, 1)),
        ([1, 16, 16, 64], [3, 3, 32, 64], ConvOptions::new(2, 1).output_padding(1)),
        ([2, 5, 7, 12], [3, 3, 4, 12], ConvOptions::new(2, 1).output_padding(1)),
        ([1, 5, 6, 8], [3, 5, 8, 8], ConvOptions { output_padding: [1, 0], ..UNEVEN }),
    ];
    let case = |(x, w, options): ([usize; 4], [usize; 4], ConvOptions)| {
        let case = Case::new("conv_transpose2d", &[x, w], move |v| v[0].conv_transpose2d(v[1], options));
        // In the gradient to w, what is not finite meets the border's zeros: some kernels multiply them, others leave them out.
        if options.padding == [0, 0] { case } else { case.draws(&[Draw::Unit]) }
    };
    let networks = networks.map(|network| case(network).by_every_kernel());
    let bias = Case::new("conv_transpose2d", &[[2, 5, 4, 8], [4, 4, 12, 8], [1, 1, 1, 12]], |v| {
        v[0].conv_transpose2d(v[1], ConvOptions::new(2, 1))?.add(v[2])?.leaky_relu(0.25)
    });
    shapes.map(case).into_iter().chain(networks).chain([bias.draws(&[Draw::Unit])]).collect()
}

fn through_tanh() -> Case {
    // Small weights: where tanh saturates, its gradient is the rounding of 1 - y * y.
    Case::new("conv_transpose2d", &[[2, 5, 4, 8], [4, 4, 12, 8], [1, 1, 1, 12]], |v| {
        Ok(v[0].conv_transpose2d(v[1].scale(0.1), ConvOptions::new(2, 1))?.add(v[2])?.tanh())
    })
}

/// Every kernel of it computes gradients of the two above as well.
fn weight_grad() -> Vec<Case> {
    let shapes = [
        ([1, 7, 5, 1], [1, 4, 3, 2], [3, 3], ConvOptions::new(2, 1)),
        ([4, 16, 16, 20], [4, 8, 8, 64], [4, 4], ConvOptions::new(2, 1)),
    ];
    let case = |(x, gy, kernel, options): ([usize; 4], [usize; 4], [usize; 2], ConvOptions)| {
        Case::new("conv2d_weight_grad", &[x, gy], move |v| {
            let geometry = ConvGeometry::conv2d([x[1], x[2]], kernel, options)?;
            v[0].conv2d_weight_grad(v[1], geometry)
        })
    };
    let [small, network] = shapes.map(case);
    let to_image = case(([2, 11, 12, 20], [2, 11, 12, 3], [7, 7], ConvOptions::new(1, 3)));
    vec![small, network.by_every_kernel(), to_image.by_every_kernel()]
}
