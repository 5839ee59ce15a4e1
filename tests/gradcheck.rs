//! Promise: every gradient is the derivative. Central differences in f64 on the reference, relative error under 1e-6.

use mewgpu::Result;
use mewgpu::executor::Executor;
use mewgpu::graph::{Graph, Slot, Step, Var, gradients};
use mewgpu::nn::cyclegan::{self, Translator};
use mewgpu::nn::dcgan::{self, Norm};
use mewgpu::nn::diffaugment::DiffAugment;
use mewgpu::nn::loss::{Adversarial, r1};
use mewgpu::nn::{Network, Statistics, Tensors, Upsample};
use mewgpu::random::stream;
use mewgpu::reference::Reference;
use mewgpu::shape::{ConvOptions, Shape};
use rand::RngExt;

/// Half the distance of the two points: the error of a central difference is of order 1e-10 from curvature and
/// 1e-11 from rounding, far under the tolerance.
const STEP: f64 = 1e-5;
const TOLERANCE: f64 = 1e-6;

/// Numbers in +-(0.1, 1), away from the kinks of ReLU and |x| by far more than [`STEP`].
fn draw(len: usize, purpose: &str, index: usize) -> Vec<f64> {
    let mut rng = stream(7, &purpose[..purpose.len().min(16)], index as u64);
    (0..len).map(|_| rng.random_range(0.1..1.0) * if rng.random::<bool>() { 1.0 } else { -1.0 }).collect()
}

/// Checks the gradients of `sum(f(x0, x1, ..) * random)` to every `x`.
fn check(name: &str, shapes: &[[usize; 4]], f: impl for<'g> Fn(&[Var<'g>]) -> Result<Var<'g>>) {
    let values = shapes.iter().enumerate().map(|(i, s)| draw(Shape(*s).len(), name, i)).collect();
    check_at(name, shapes, values, f);
}

fn check_at(
    name: &str,
    shapes: &[[usize; 4]],
    mut values: Vec<Vec<f64>>,
    f: impl for<'g> Fn(&[Var<'g>]) -> Result<Var<'g>>,
) {
    let graph = Graph::new();
    let leaves: Vec<Var> =
        shapes.iter().enumerate().map(|(i, s)| graph.input(&i.to_string(), Shape(*s))).collect();
    let y = f(&leaves).unwrap_or_else(|error| panic!("{name}: {error}"));
    let weights = graph.input("weights", y.shape());
    let loss = y.mul(weights).unwrap().sum();
    let grads = gradients(loss, &leaves).unwrap_or_else(|error| panic!("{name}: {error}"));
    let names: Vec<String> = (0..grads.len()).map(|i| format!("d{i}")).collect();
    let mut outputs = vec![("loss", loss)];
    outputs.extend(names.iter().map(String::as_str).zip(grads.iter().copied()));
    let steps = vec![
        Step::new("gradients", &graph, &outputs, vec![]),
        Step::new("loss", &graph, &outputs[..1], vec![]),
    ];
    let mut reference = Reference::<f64>::new(&[], steps);
    for step in 0..2 {
        reference.write_input(step, "weights", &draw(y.shape().len(), name, 99)).unwrap();
        for (i, value) in values.iter().enumerate() {
            // A leaf the result does not depend on is no input of the step.
            let _ = reference.write_input(step, &i.to_string(), value);
        }
    }
    reference.run(&[0]).unwrap();
    for i in 0..shapes.len() {
        let analytic = reference.read_output(0, &names[i]).unwrap();
        let mut at = |element: usize, value: f64, values: &mut Vec<Vec<f64>>| {
            values[i][element] = value;
            let _ = reference.write_input(1, &i.to_string(), &values[i]);
            reference.run(&[1]).unwrap();
            reference.read_output(1, "loss").unwrap()[0]
        };
        let numeric: Vec<f64> = (0..analytic.len())
            .map(|element| {
                let x = values[i][element];
                let (up, down) = (at(element, x + STEP, &mut values), at(element, x - STEP, &mut values));
                at(element, x, &mut values);
                (up - down) / (2.0 * STEP)
            })
            .collect();
        let norm = |v: &mut dyn Iterator<Item = f64>| v.map(|x| x * x).sum::<f64>().sqrt();
        let error = norm(&mut analytic.iter().zip(&numeric).map(|(a, n)| a - n));
        let size = norm(&mut analytic.iter().copied());
        assert!(
            error <= TOLERANCE * size.max(1e-2),
            "{name}: gradient {i} is off by {error:.2e} of {size:.2e}"
        );
    }
}

/// The sum of squares of every gradient of `sum(f^2)`: checking its gradient checks gradients of gradients.
fn check_twice(name: &str, shapes: &[[usize; 4]], f: impl for<'g> Fn(&[Var<'g>]) -> Result<Var<'g>>) {
    check(name, shapes, |leaves| {
        let loss = f(leaves)?.square().sum();
        let mut total = loss.graph().full(Shape::SCALAR, 0.0);
        for grad in gradients(loss, leaves)? {
            total = total.add(grad.square().sum())?;
        }
        Ok(total)
    });
}

#[test]
fn convolutions() {
    let cases: [([usize; 4], [usize; 4], ConvOptions); 7] = [
        ([2, 6, 6, 3], [4, 4, 3, 2], ConvOptions::new(2, 1)),
        ([1, 4, 4, 2], [4, 4, 2, 1], ConvOptions::new(1, 0)),
        ([2, 5, 4, 3], [3, 3, 3, 4], ConvOptions::new(1, 1)),
        ([1, 7, 5, 1], [3, 3, 1, 2], ConvOptions::new(2, 1)),
        ([1, 7, 7, 2], [1, 1, 2, 2], ConvOptions::new(3, 0)),
        ([1, 1, 1, 3], [3, 3, 3, 2], ConvOptions::new(1, 1)),
        ([2, 7, 6, 2], [3, 2, 2, 3], ConvOptions { stride: [2, 1], padding: [1, 0], output_padding: [0, 0] }),
    ];
    for (x, w, options) in cases {
        check(&format!("conv {x:?}"), &[x, w], |v| v[0].conv2d(v[1], options));
        check_twice(&format!("conv2 {x:?}"), &[x, w], |v| v[0].conv2d(v[1], options));
    }
    let transposed: [([usize; 4], [usize; 4], ConvOptions); 6] = [
        ([2, 3, 3, 2], [4, 4, 3, 2], ConvOptions::new(2, 1)),
        ([2, 1, 1, 3], [4, 4, 2, 3], ConvOptions::new(1, 0)),
        ([1, 3, 4, 2], [3, 3, 1, 2], ConvOptions::new(2, 1).output_padding(1)),
        ([1, 2, 2, 2], [1, 1, 2, 2], ConvOptions::new(3, 0)),
        ([1, 2, 3, 1], [2, 2, 2, 1], ConvOptions::new(3, 0).output_padding(2)),
        ([1, 3, 2, 2], [3, 2, 2, 2], ConvOptions { stride: [2, 1], padding: [1, 0], output_padding: [1, 0] }),
    ];
    for (x, w, options) in transposed {
        check(&format!("convt {x:?}"), &[x, w], |v| v[0].conv_transpose2d(v[1], options));
        check_twice(&format!("convt2 {x:?}"), &[x, w], |v| v[0].conv_transpose2d(v[1], options));
    }
}

#[test]
fn weight_gradient_is_differentiable() {
    use mewgpu::shape::ConvGeometry;
    let geometry = ConvGeometry::conv2d([6, 5], [3, 3], ConvOptions::new(2, 1)).unwrap();
    let shapes = [[2, 6, 5, 2], [2, 3, 3, 3]];
    check("wgrad", &shapes, |v| v[0].conv2d_weight_grad(v[1], geometry));
    check_twice("wgrad2", &shapes, |v| v[0].conv2d_weight_grad(v[1], geometry));
}

#[test]
fn pointwise() {
    let shape = [2, 3, 2, 4];
    check("affine", &[shape], |v| Ok(v[0].affine(-1.5, 0.3)));
    check("relu", &[shape], |v| Ok(v[0].relu()));
    check("leaky_relu", &[shape], |v| v[0].leaky_relu(0.2));
    check_twice("leaky_relu2", &[shape], |v| v[0].leaky_relu(0.2));
    check("tanh", &[shape], |v| Ok(v[0].tanh()));
    check_twice("tanh2", &[shape], |v| Ok(v[0].tanh()));
    check("sigmoid", &[shape], |v| Ok(v[0].sigmoid()));
    check_twice("sigmoid2", &[shape], |v| Ok(v[0].sigmoid()));
    check("softplus", &[shape], |v| Ok(v[0].softplus()));
    check_twice("softplus2", &[shape], |v| Ok(v[0].softplus()));
    check("square", &[shape], |v| Ok(v[0].square()));
    check_twice("square2", &[shape], |v| Ok(v[0].square()));
    check("abs", &[shape], |v| Ok(v[0].abs()));
    check_twice("abs2", &[shape], |v| Ok(v[0].abs()));
    check("rsqrt", &[shape], |v| Ok(v[0].square().rsqrt()));
    check_twice("rsqrt2", &[shape], |v| Ok(v[0].square().rsqrt()));
}

#[test]
fn detach_stops_gradients() {
    let graph = Graph::new();
    let x = graph.full(Shape::SCALAR, 3.0);
    let grad = gradients(x.detach().mul(x).unwrap(), &[x]).unwrap()[0];
    let mut reference =
        Reference::<f64>::new(&[], vec![Step::new("detach", &graph, &[("dx", grad)], vec![])]);
    reference.run(&[0]).unwrap();
    assert_eq!(reference.read_output(0, "dx").unwrap(), [3.0]);
}

#[test]
#[should_panic(expected = "is off by")]
fn a_wrong_gradient_is_noticed() {
    check("wrong", &[[1, 1, 1, 3]], |v| v[0].square().add(v[0].scale(0.001).detach()));
}

#[test]
fn pairs_and_broadcasts() {
    for other in [[2, 3, 2, 4], [1, 1, 1, 4], [2, 1, 1, 1], [2, 3, 2, 1], [1, 1, 1, 1]] {
        let shapes = [[2, 3, 2, 4], other];
        check(&format!("add {other:?}"), &shapes, |v| v[0].add(v[1]));
        check(&format!("sub {other:?}"), &shapes, |v| v[1].sub(v[0]));
        check(&format!("mul {other:?}"), &shapes, |v| v[0].mul(v[1]));
        check_twice(&format!("mul2 {other:?}"), &shapes, |v| v[0].mul(v[1]));
    }
    check("outer", &[[2, 1, 3, 1], [1, 2, 1, 4]], |v| v[0].mul(v[1]));
}

#[test]
fn sums_and_shapes() {
    let shape = [2, 3, 2, 4];
    check("sum", &[shape], |v| Ok(v[0].sum()));
    check("mean", &[shape], |v| Ok(v[0].mean()));
    check("channel_mean", &[shape], |v| Ok(v[0].channel_mean()));
    check_twice("spatial_mean", &[shape], |v| Ok(v[0].spatial_mean()));
    check("broadcast", &[[2, 1, 2, 1]], |v| v[0].broadcast_to(Shape(shape)));
    check("reshape", &[shape], |v| v[0].reshape(Shape([1, 4, 2, 6])));
}

#[test]
fn norms() {
    let shape = [3, 3, 2, 4];
    let rows = [1, 1, 2, 4];
    check("batch", &[shape], |v| v[0].batch_norm(None, 1e-5));
    check("batch affine", &[shape, rows], |v| v[0].batch_norm(Some(v[1]), 1e-5));
    check("instance", &[shape], |v| v[0].instance_norm(None, 1e-5));
    check("inst affine", &[shape, rows], |v| v[0].instance_norm(Some(v[1]), 1e-5));
    check("eval", &[shape, rows], |v| {
        let running = v[0].graph().full(Shape(rows), 0.7);
        v[0].batch_norm_eval(running, Some(v[1]), 1e-5)
    });
}

#[test]
fn moved_pixels() {
    check("pad", &[[2, 4, 3, 2]], |v| v[0].reflection_pad2d([3, 1, 2, 0]));
    check_twice("pad2", &[[2, 4, 3, 2]], |v| v[0].reflection_pad2d([1, 2, 2, 1]));
    check("upsample", &[[2, 3, 2, 2]], |v| v[0].upsample_nearest2d([3, 2]));
    check_twice("upsample2", &[[2, 3, 2, 2]], |v| v[0].upsample_nearest2d([2, 2]));
    check("avg_pool", &[[2, 4, 6, 2]], |v| v[0].avg_pool2d([2, 3]));
    check_twice("avg_pool2", &[[2, 4, 2, 2]], |v| v[0].avg_pool2d([2, 2]));
    check("blur", &[[2, 4, 3, 2]], |v| Ok(v[0].blur()));
    check_twice("blur2", &[[2, 1, 3, 2]], |v| Ok(v[0].blur()));
    check("bilinear", &[[2, 3, 2, 2]], |v| Ok(v[0].upsample_bilinear2d()));
    let offsets = vec![1.0, -2.0, 0.0, 1.0];
    check_at("shift", &[[2, 4, 3, 2], [2, 1, 1, 2]], vec![draw(48, "shift", 0), offsets], |v| {
        v[0].shift(v[1].detach())
    });
}

#[test]
fn diffaugment() {
    let shapes = [[2, 4, 4, 3], [2, 1, 1, 1], [2, 1, 1, 1], [2, 1, 1, 1], [2, 4, 4, 1]];
    check("diffaugment", &shapes, |v| {
        let color = Some([v[1], v[2], v[3]]);
        DiffAugment { color, translation: None, cutout: Some(v[4]) }.apply(v[0])
    });
}

/// WGAN-GP's idea on a small discriminator without norm: the penalty's gradient to the weights is a gradient of a
/// gradient through convolutions and activations.
#[test]
fn gradient_penalty() {
    let shapes = [[2, 6, 6, 2], [4, 4, 2, 3], [3, 3, 3, 1], [1, 1, 1, 3]];
    check("penalty", &shapes, |v| {
        let hidden = v[0].conv2d(v[1], ConvOptions::new(2, 1))?.add(v[3])?.leaky_relu(0.2)?.tanh();
        let scores = hidden.conv2d(v[2], ConvOptions::new(1, 0))?;
        let grad = gradients(scores.sum(), &v[..1])?[0];
        Ok(grad.square().sum_to(Shape([2, 1, 1, 1]))?.affine(1.0, -1.0).square().mean())
    });
}

#[test]
fn norms_cannot_be_differentiated_twice_and_say_so() {
    let graph = Graph::new();
    let x = graph.input("x", Shape([2, 2, 2, 1]));
    let y = x.batch_norm(None, 1e-5).unwrap().square().sum();
    let grad = gradients(y, &[x]).unwrap()[0].square().sum();
    let error = gradients(grad, &[x]).unwrap_err().to_string();
    assert!(error.contains("normalize_grad") && error.contains("without norm"), "{error}");
}

fn forward<'g>(network: &Network, x: Var<'g>, parameters: &[Var<'g>]) -> Result<Var<'g>> {
    let slot = Slot { bank: 0, offset: 0 };
    let running =
        network.running().iter().map(|tensor| (x.graph().state(slot, tensor.shape), slot)).collect();
    let tensors = Tensors { parameters: parameters.to_vec(), running };
    Ok(network.forward(x, &tensors, Statistics::Batch)?.0)
}

/// Both losses of a small DCGAN, end to end, to every parameter of the network each trains.
#[test]
fn dcgan_losses() {
    for (norm, slope, loss, upsample, blocks) in [
        (Norm::Batch, 0.0, Adversarial::Lsgan, Upsample::Transposed, 0),
        (Norm::Instance, 0.2, Adversarial::Bce, Upsample::Nearest, 1),
        (Norm::None, 0.2, Adversarial::Hinge, Upsample::Bilinear, 1),
    ] {
        let generator = dcgan::Generator {
            noise: 3,
            width: 2,
            size: 16,
            channels: 3,
            norm,
            upsample,
            blocks,
            excite: false,
        };
        let generator = generator.network().unwrap();
        let discriminator = dcgan::discriminator(2, 16, 3, norm, norm == Norm::Batch, slope).unwrap();
        let shapes = |network: &Network| -> Vec<[usize; 4]> {
            network.parameters().iter().map(|parameter| parameter.shape.0).collect()
        };
        let (g, d) = (shapes(&generator), shapes(&discriminator));
        let everything: Vec<[usize; 4]> = [&g[..], &d[..], &[[2, 1, 1, 3], [2, 16, 16, 3]]].concat();
        check(&format!("dcgan {norm:?}"), &everything, |v| {
            let (g, rest) = v.split_at(g.len());
            let (d, data) = rest.split_at(d.len());
            let fake = forward(&generator, data[0], g)?;
            let real = loss.toward(forward(&discriminator, data[1], d)?, true);
            let scores = forward(&discriminator, fake, d)?;
            // The discriminator's loss plus the generator's: every path of both at once.
            real.add(loss.toward(scores, false))?.add(loss.generator(scores).scale(0.5))
        });
    }
}

/// A generator whose 32x32 features are gated by its 4x4 ones.
#[test]
fn skip_layer_excitation() {
    let generator = dcgan::Generator {
        noise: 2,
        width: 1,
        size: dcgan::LEAST_EXCITED,
        channels: 1,
        norm: Norm::Instance,
        upsample: Upsample::Transposed,
        blocks: 0,
        excite: true,
    };
    let generator = generator.network().unwrap();
    let mut shapes: Vec<[usize; 4]> =
        generator.parameters().iter().map(|parameter| parameter.shape.0).collect();
    shapes.push([2, 1, 1, 2]);
    check("excite", &shapes, |v| {
        let (noise, parameters) = v.split_last().unwrap();
        forward(&generator, *noise, parameters)
    });
}

#[test]
fn pools_that_leave_pixels_over_are_refused() {
    let graph = Graph::new();
    let x = graph.input("x", Shape([1, 4, 6, 1]));
    let error = x.avg_pool2d([2, 4]).unwrap_err().to_string();
    assert!(error.contains("[2, 4]") && error.contains("[1, 4, 6, 1]"), "{error}");
}

/// The R1 penalty is a gradient, and its gradients are its derivatives.
#[test]
fn r1_penalty() {
    for slope in [0.2, 1.0] {
        let discriminator = dcgan::discriminator(2, 8, 2, Norm::None, false, slope).unwrap();
        let mut shapes: Vec<[usize; 4]> =
            discriminator.parameters().iter().map(|parameter| parameter.shape.0).collect();
        shapes.push([2, 8, 8, 2]);
        check(&format!("r1 {slope}"), &shapes, |v| {
            let (pictures, parameters) = v.split_last().unwrap();
            // Smooth scores, so that second derivatives are not all 0.
            r1(forward(&discriminator, *pictures, parameters)?.tanh(), *pictures)
        });
    }
}

/// The left singular vector of `weight`, `[.., outputs]`, that belongs to the largest singular value.
fn singular_vector(weight: &[f64], outputs: usize) -> Vec<f64> {
    let mut u = vec![1.0; outputs];
    for _ in 0..10_000 {
        let mut next = vec![0.0; outputs];
        for row in weight.chunks_exact(outputs) {
            let along: f64 = row.iter().zip(&u).map(|(w, u)| w * u).sum();
            next.iter_mut().zip(row).for_each(|(next, w)| *next += along * w);
        }
        let length = next.iter().map(|x| x * x).sum::<f64>().sqrt();
        u = next.iter().map(|x| x / length).collect();
    }
    u
}

/// A spectrally normalised network, end to end. Singular vectors are constants to its gradients: that is the derivative
/// where they are those of the weights, since there the singular value does not change with them.
#[test]
fn spectral_norm() {
    let network = dcgan::discriminator(2, 8, 2, Norm::Spectral, false, 0.2).unwrap();
    let weights: Vec<[usize; 4]> = network.parameters().iter().map(|tensor| tensor.shape.0).collect();
    let vectors: Vec<[usize; 4]> = weights.iter().map(|shape| [1, 1, 1, shape[3]]).collect();
    let shapes = [&weights[..], &vectors, &[[2, 8, 8, 2]]].concat();
    let mut values: Vec<Vec<f64>> =
        shapes.iter().enumerate().map(|(i, s)| draw(Shape(*s).len(), "spectral", i)).collect();
    for (index, shape) in weights.iter().enumerate() {
        values[weights.len() + index] = singular_vector(&values[index], shape[3]);
    }
    check_at("spectral", &shapes, values, |v| {
        let (parameters, rest) = v.split_at(weights.len());
        let slot = Slot { bank: 0, offset: 0 };
        let running = rest[..vectors.len()].iter().flat_map(|u| [(*u, slot), (*u, slot)]).collect();
        let tensors = Tensors { parameters: parameters.to_vec(), running };
        let (normalized, updates) = network.normalized(&tensors)?;
        assert_eq!(updates.len(), network.running().len());
        Ok(network.forward(rest[vectors.len()], &normalized, Statistics::Batch)?.0)
    });
}

/// Both generators' and both discriminators' losses of a tiny CycleGAN, cycle and identity included.
#[test]
fn cyclegan_losses() {
    for (kind, norm, upsample) in [
        (Translator::Plain, Norm::Batch, Upsample::Transposed),
        (Translator::Resnet, Norm::Instance, Upsample::Transposed),
        (Translator::Plain, Norm::Instance, Upsample::Nearest),
    ] {
        let translator = cyclegan::generator("G", kind, 1, 1, 1, norm, upsample).unwrap();
        let judge = cyclegan::patch_discriminator("D", 1, 1, norm, 0.2);
        let shapes = |network: &Network| -> Vec<[usize; 4]> {
            network.parameters().iter().map(|parameter| parameter.shape.0).collect()
        };
        let (g, d) = (shapes(&translator), shapes(&judge));
        let picture = [1, 16, 16, 1];
        let everything: Vec<[usize; 4]> = [&g[..], &g[..], &d[..], &d[..], &[picture, picture]].concat();
        check(&format!("cycle {kind:?}"), &everything, |v| {
            let (g_xy, rest) = v.split_at(g.len());
            let (g_yx, rest) = rest.split_at(g.len());
            let (d_x, rest) = rest.split_at(d.len());
            let (d_y, pictures) = rest.split_at(d.len());
            let ways = [(pictures[0], g_xy, g_yx, d_y), (pictures[1], g_yx, g_xy, d_x)];
            let mut total = v[0].graph().full(Shape::SCALAR, 0.0);
            for (picture, there, back, judged) in ways {
                let translated = forward(&translator, picture, there)?;
                let scores = forward(&judge, translated, judged)?;
                let returned = forward(&translator, translated, back)?;
                let identity = forward(&translator, picture, back)?;
                total = total
                    .add(Adversarial::Lsgan.toward(scores, true))?
                    .add(Adversarial::Bce.toward(scores, false))?
                    .add(returned.sub(picture)?.abs().mean().scale(3.0))?
                    .add(identity.sub(picture)?.square().mean())?;
            }
            Ok(total)
        });
    }
}
