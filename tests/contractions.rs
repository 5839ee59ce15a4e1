//! Promise: the three contractions of the CPU device are the sums that `graph::Op` writes down, for every geometry.
//!
//! Numbers are small integers, whose sums of products f32 holds exactly: results must be equal, not near.

use mewgan::executor::Executor;
use mewgan::graph::{Graph, Step};
use mewgan::random::stream;
use mewgan::reference::{Number, Reference};
use mewgan::shape::{ConvGeometry, ConvOptions, Shape};
use proptest::prelude::*;
use proptest::test_runner::RngSeed;
use rand::RngExt;

fn integers(shape: Shape, index: u64) -> Vec<f64> {
    let mut rng = stream(5, "contractions", index);
    (0..shape.len()).map(|_| f64::from(rng.random_range(-4i8..5))).collect()
}

/// Calls `term(place in large, in weights, in small)` for every product of the index set.
fn terms(g: &ConvGeometry, batch: usize, i: usize, o: usize, mut term: impl FnMut(usize, usize, usize)) {
    let [height, width] = g.large;
    for small in 0..batch * g.small[0] * g.small[1] {
        let (image, sy) = (small / (g.small[0] * g.small[1]), small / g.small[1] % g.small[0]);
        for tap in 0..g.taps() {
            let (ky, kx) = (tap / g.kernel[1], tap % g.kernel[1]);
            let y = (sy * g.stride[0] + ky).wrapping_sub(g.padding[0]);
            let x = (small % g.small[1] * g.stride[1] + kx).wrapping_sub(g.padding[1]);
            if y < height && x < width {
                let large = (image * height + y) * width + x;
                for channel in 0..i * o {
                    let (from, to) = (channel / o, channel % o);
                    term(large * i + from, tap * i * o + channel, small * o + to);
                }
            }
        }
    }
}

/// All three contractions by the device, and by their sums.
fn check<T: Number>(g: ConvGeometry, batch: usize, i: usize, o: usize) {
    let [large, small] = [(g.large, i), (g.small, o)].map(|([h, w], c)| Shape([batch, h, w, c]));
    let weight = Shape([g.kernel[0], g.kernel[1], i, o]);
    let [x, w, gy] = [integers(large, 0), integers(weight, 1), integers(small, 2)];
    let mut expected = [vec![0.0; gy.len()], vec![0.0; x.len()], vec![0.0; w.len()]];
    terms(&g, batch, i, o, |large, weight, small| {
        expected[0][small] += x[large] * w[weight];
        expected[1][large] += gy[small] * w[weight];
        expected[2][weight] += x[large] * gy[small];
    });
    let graph = Graph::new();
    let inputs = [("x", large), ("w", weight), ("gy", small)].map(|(name, shape)| graph.input(name, shape));
    let output_padding = [0, 1].map(|axis| {
        g.large[axis] + 2 * g.padding[axis] - (g.small[axis] - 1) * g.stride[axis] - g.kernel[axis]
    });
    let options = ConvOptions { stride: g.stride, padding: g.padding, output_padding: [0, 0] };
    let y = inputs[0].conv2d(inputs[1], options).unwrap();
    let dx = inputs[2].conv_transpose2d(inputs[1], ConvOptions { output_padding, ..options }).unwrap();
    let dw = inputs[0].conv2d_weight_grad(inputs[2], g).unwrap();
    let step = Step::new("contractions", &graph, &[("y", y), ("dx", dx), ("dw", dw)], vec![]).unwrap();
    let mut device = Reference::<T>::new(&[], vec![step]).unwrap();
    for (name, values) in [("x", x), ("w", w), ("gy", gy)] {
        let values: Vec<T> = values.into_iter().map(T::from_f64).collect();
        device.write_input(0, name, &values).unwrap();
    }
    device.run(&[0]).unwrap();
    for (name, expected) in ["y", "dx", "dw"].iter().zip(expected) {
        let found: Vec<f64> = device.read_output(0, name).unwrap().into_iter().map(T::as_f64).collect();
        assert!(found == expected, "{name}: {g:?}, batch {batch}, {i} to {o} channels");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, rng_seed: RngSeed::Fixed(1), ..Default::default() })]

    #[test]
    fn are_the_sums_they_stand_for(
        batch in 1usize..20,
        size in [1usize..18, 1usize..18],
        kernel in [1usize..6, 1usize..6],
        stride in [1usize..4, 1usize..4],
        padding in [0usize..4, 0usize..4],
        channels in prop::sample::select(vec![(3, 8), (16, 3), (5, 1), (1, 2), (33, 17), (2, 70), (4, 160)]),
        turned: bool,
    ) {
        let options = ConvOptions { stride, padding, output_padding: [0, 0] };
        if let Ok(g) = ConvGeometry::conv2d(size, kernel, options) {
            let (i, o) = if turned { (channels.1, channels.0) } else { channels };
            check::<f32>(g, batch, i, o);
            check::<f64>(g, batch, i, o);
        }
    }
}

/// Rows and images large enough to be cut into bands; a window that is the whole image.
#[test]
fn large_images_and_whole_windows() {
    let geometry = |size, kernel, stride, padding| {
        ConvGeometry::conv2d([size; 2], [kernel; 2], ConvOptions::new(stride, padding)).unwrap()
    };
    for (i, o) in [(3, 32), (32, 3), (20, 24)] {
        check::<f32>(geometry(64, 4, 2, 1), 2, i, o);
        check::<f32>(geometry(70, 3, 1, 1), 1, i, o);
        check::<f32>(geometry(4, 4, 1, 0), 16, 8 * i, o);
    }
}

/// Rows of windows that read about as many numbers as a core's cache holds, and more: wide images, many channels, windows
/// that are the whole image, many images.
#[test]
fn rows_longer_than_a_cache() {
    let conv = |size, kernel, options| ConvGeometry::conv2d(size, kernel, options).unwrap();
    for width in [65_535, 65_536, 65_537, 70_000] {
        let wide = |kernel, stride, padding| {
            conv(
                [1, width],
                [1, kernel],
                ConvOptions { stride: [1, stride], padding: [0, padding], output_padding: [0, 0] },
            )
        };
        check::<f32>(wide(1, 1, 0), 1, 1, 1);
        check::<f32>(wide(3, 2, 1), 1, 1, 2);
        check::<f64>(wide(2, 3, 0), 2, 1, 5);
        check::<f32>(conv([2, width / 2], [2, 3], ConvOptions::new(1, 1)), 1, 1, 4);
        check::<f32>(conv([1, 1], [1, 1], ConvOptions::new(1, 0)), 9, width, 1);
        check::<f32>(conv([1, 1], [1, 1], ConvOptions::new(1, 0)), 2, 1, width);
        check::<f32>(
            conv([width, 1], [3, 1], ConvOptions { padding: [1, 0], ..ConvOptions::new(1, 0) }),
            1,
            1,
            3,
        );
        check::<f32>(conv([1, 2], [1, 2], ConvOptions::new(1, 0)), 3, width / 2, 4);
        check::<f32>(conv([3, 3], [2, 2], ConvOptions::new(1, 1)), 1, width / 4, 2);
    }
    check::<f32>(conv([16, 16], [16, 16], ConvOptions::new(1, 0)), 2, 512, 3);
    check::<f32>(conv([1, 1], [1, 1], ConvOptions::new(1, 0)), 70_000, 1, 2);
}
