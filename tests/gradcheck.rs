//! Promise: every gradient is the derivative: central differences in f64 on the reference, error under 1e-7 of the largest
//! number. And `mewgan gradcheck` checks every operation, and notices what is wrong.

use mewgan::Result;
use mewgan::executor::{Executor, Timing};
use mewgan::gradcheck::{
    self, Check, Difference, Draw, Finding, Function, Report, Trial, Work, draw, numeric,
};
use mewgan::graph::{Graph, Op, Slot, Step, Update, Var, gradients};
use mewgan::models::cyclegan::networks::{self as cyclegan, Translator};
use mewgan::models::dcgan::networks as dcgan;
use mewgan::nn::Norm;
use mewgan::nn::diffaugment::DiffAugment;
use mewgan::nn::loss::{Adversarial, r1};
use mewgan::nn::{Network, NormMode, Tensors, Upsample};
use mewgan::ranks::Ranks;
use mewgan::reference::Reference;
use mewgan::shape::{ConvOptions, Shape};
use serde_json::Value;
use std::collections::BTreeSet;
use std::process::{Command, Output};

/// Largest error through a whole network, whose curvature a central difference does not see.
const THROUGH_NETWORKS: f64 = 1e-6;

/// Checks the gradients of `sum(f(x0, x1, ..) * random)` to every number of every `x`.
fn check(name: &str, shapes: &[[usize; 4]], f: impl for<'g> Fn(&[Var<'g>]) -> Result<Var<'g>>) {
    let values: Vec<Vec<f64>> =
        shapes.iter().enumerate().map(|(i, shape)| draw(Shape(*shape).len(), i)).collect();
    check_at(name, shapes, &values, usize::MAX, THROUGH_NETWORKS, f);
}

/// The same from these numbers, at most `most` numbers of each.
fn check_at(
    name: &str,
    shapes: &[[usize; 4]],
    values: &[Vec<f64>],
    most: usize,
    tolerance: f64,
    f: impl for<'g> Fn(&[Var<'g>]) -> Result<Var<'g>>,
) {
    let trial = Trial::function(shapes, values, f).unwrap_or_else(|error| panic!("{name}: {error}"));
    for difference in numeric::of_reference(&trial, most).unwrap() {
        assert!(difference.is_within(tolerance), "{name}: {difference}");
    }
}

/// The sum of squares of every gradient of `sum(f^2)`: checking its gradient checks gradients of gradients.
fn squared_gradients<'g>(f: &Function, operands: &[Var<'g>]) -> Result<Var<'g>> {
    let loss = f(operands)?.square().sum();
    let mut total = loss.graph().full(Shape::SCALAR, 0.0);
    for gradient in gradients(loss, operands)? {
        total = total.add(gradient.square().sum())?;
    }
    Ok(total)
}

/// Numbers of an operand of a case that are checked here.
const MOST: usize = 64;

/// Operands of more numbers in all are left to the gradients themselves.
const SMALL: usize = 1000;

#[test]
fn every_operation() {
    for case in gradcheck::all().into_iter().filter(|case| case.derivatives) {
        let name = format!("{} {}", case.op, case.title());
        let Work::Function(f, values) = &case.work else { panic!("{name} is no function") };
        check_at(&name, &case.shapes, values, MOST, numeric::TOLERANCE, f);
        // Norms can be differentiated only once, but for group norm, which has no operation of its own.
        let small = case.shapes.iter().map(|shape| Shape(*shape).len()).sum::<usize>() <= SMALL;
        if small && (!case.op.contains("norm") || case.op == "group_norm") {
            let twice = format!("{name}, twice");
            check_at(&twice, &case.shapes, values, MOST, numeric::TOLERANCE, |operands| {
                squared_gradients(f, operands)
            });
        }
    }
}

/// Each kind of operation and of update is part of a case.
#[test]
fn every_kind_of_operation_has_a_case() {
    let mut tried = BTreeSet::new();
    for case in gradcheck::all() {
        let trial = case.trial().unwrap();
        tried.extend(trial.step.nodes().iter().map(|node| node.op.name()));
        tried.extend(trial.step.updates.iter().map(Update::name));
    }
    for name in Op::names().chain(Update::NAMES.iter().copied()) {
        assert!(tried.contains(name), "no case of src/gradcheck/cases has {name}");
    }
}

type Change = Box<dyn Fn(&mut [f32]) + Send>;

/// A device that does something to every result.
struct Off(Reference<f32>, Change);

impl Executor for Off {
    fn write_input(&mut self, step: usize, name: &str, values: &[f32]) -> Result<()> {
        self.0.write_input(step, name, values)
    }
    fn run(&mut self, steps: &[usize]) -> Result<()> {
        self.0.run(steps)
    }
    fn wait(&mut self) -> Result<()> {
        self.0.wait()
    }
    fn profile(&mut self, step: usize) -> Result<Vec<Timing>> {
        self.0.profile(step)
    }
    fn read_output(&mut self, step: usize, name: &str) -> Result<Vec<f32>> {
        let mut numbers = self.0.read_output(step, name)?;
        (self.1)(&mut numbers);
        Ok(numbers)
    }
    fn read_state(&mut self, buffer: usize) -> Result<Vec<f32>> {
        let mut numbers = self.0.read_state(buffer)?;
        (self.1)(&mut numbers);
        Ok(numbers)
    }
    fn write_state(&mut self, buffer: usize, values: &[f32]) -> Result<()> {
        self.0.write_state(buffer, values)
    }
    fn non_finite(&mut self) -> Result<Option<(usize, usize)>> {
        self.0.non_finite()
    }
    fn detect_anomaly(&mut self, on: bool) {
        self.0.detect_anomaly(on);
    }
    fn join(&mut self, ranks: &Ranks) {
        self.0.join(ranks);
    }
    fn bytes(&self) -> usize {
        self.0.bytes()
    }
}

/// One wrong number of a result is enough, and one that is none.
#[test]
fn a_wrong_kernel_is_noticed() {
    for case in gradcheck::all() {
        let trial = case.trial().unwrap();
        let expected = trial.reference::<f64>().unwrap();
        let largest = expected.iter().flat_map(|(_, numbers)| numbers).fold(0.05, |a: f64, b| a.max(b.abs()));
        for (off, passes) in [(0.0, true), (2.0 * case.tolerance * largest, false), (f64::NAN, false)] {
            let last = move |numbers: &mut [f32]| {
                numbers.iter_mut().next_back().into_iter().for_each(|x| *x += off as f32)
            };
            let mut device =
                Off(Reference::new(&trial.buffers, vec![trial.step.clone()]).unwrap(), Box::new(last));
            let differences = Difference::all(&trial.results(&mut device).unwrap(), &expected);
            let finding = Finding {
                check: Check::Single,
                draw: Draw::Unit,
                variant: "off".into(),
                kernels: "off".into(),
                tolerance: case.tolerance,
                outcome: Ok(differences),
            };
            let mut report = Report::new("off".into());
            report.add(&case, &finding);
            assert_eq!(report.passed(), passes, "{off} {report}");
            assert_eq!(report.rows[0].passed, passes);
        }
    }
}

type Fault = fn(&mut f32);

/// Functions as drivers have them: near 1 nothing is wrong with them.
#[test]
fn a_wrong_function_is_noticed_where_it_is_wrong() {
    let faults: [(&str, Draw, Fault); 4] = [
        ("tanh", Draw::Small, |y| *y += 3e-8),
        ("tanh", Draw::Special, |y| *y = if y.is_nan() { -1.0 } else { *y }),
        ("softplus", Draw::Large, |y| *y = if y.abs() < 1e-4 { 0.0 } else { *y }),
        ("rsqrt", Draw::Special, |y| *y = y.min(f32::MAX)),
    ];
    for (op, wrong, fault) in faults {
        let case = gradcheck::all()
            .into_iter()
            .find(|case| case.op == op && case.draws == Draw::ALL && case.shapes[0][3] > 100);
        let case = case.unwrap();
        let noticed: Vec<Draw> = Draw::ALL
            .into_iter()
            .filter(|draw| {
                let trial = case.trial_from(*draw).unwrap();
                let all = move |numbers: &mut [f32]| numbers.iter_mut().for_each(fault);
                let mut device = Off(Reference::new(&[], vec![trial.step.clone()]).unwrap(), Box::new(all));
                let found = trial.results(&mut device).unwrap();
                let differences = case.differences(*draw, &found, &trial.reference::<f64>().unwrap());
                !differences.iter().all(|difference| difference.is_within(case.tolerance))
            })
            .collect();
        assert_eq!(noticed, [wrong], "{op}");
    }
}

#[test]
fn detach_stops_gradients() {
    let graph = Graph::new();
    let x = graph.full(Shape::SCALAR, 3.0);
    let grad = gradients(x.detach().mul(x).unwrap(), &[x]).unwrap()[0];
    let mut reference =
        Reference::<f64>::new(&[], vec![Step::new("detach", &graph, &[("dx", grad)], vec![]).unwrap()])
            .unwrap();
    reference.run(&[0]).unwrap();
    assert_eq!(reference.read_output(0, "dx").unwrap(), [3.0]);
}

#[test]
#[should_panic(expected = "off by")]
fn a_wrong_gradient_is_noticed() {
    check("wrong", &[[1, 1, 1, 3]], |v| v[0].square().add(v[0].scale(0.001).detach()));
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
    let slot = Slot { buffer: 0, offset: 0 };
    let running =
        network.running().iter().map(|tensor| (x.graph().state(slot, tensor.shape), slot)).collect();
    let tensors = Tensors { parameters: parameters.to_vec(), running };
    Ok(network.forward(x, &tensors, NormMode::Batch)?.0)
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
            size: 16.into(),
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
        size: 64.into(),
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
            let (images, parameters) = v.split_last().unwrap();
            // Smooth scores, so that second derivatives are not all 0.
            r1(forward(&discriminator, *images, parameters)?.tanh(), *images)
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
        shapes.iter().enumerate().map(|(i, s)| draw(Shape(*s).len(), i)).collect();
    for (index, shape) in weights.iter().enumerate() {
        values[weights.len() + index] = singular_vector(&values[index], shape[3]);
    }
    check_at("spectral", &shapes, &values, usize::MAX, THROUGH_NETWORKS, |v| {
        let (parameters, rest) = v.split_at(weights.len());
        let slot = Slot { buffer: 0, offset: 0 };
        let running = rest[..vectors.len()].iter().flat_map(|u| [(*u, slot), (*u, slot)]).collect();
        let tensors = Tensors { parameters: parameters.to_vec(), running };
        let (normalized, updates) = network.normalized(&tensors)?;
        assert_eq!(updates.len(), network.running().len());
        Ok(network.forward(rest[vectors.len()], &normalized, NormMode::Batch)?.0)
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
        let translator = cyclegan::generator("G", kind, 1, 1, [1; 2], norm, upsample).unwrap();
        let judge = cyclegan::patch_discriminator("D", 1, 1, norm, 0.2);
        let shapes = |network: &Network| -> Vec<[usize; 4]> {
            network.parameters().iter().map(|parameter| parameter.shape.0).collect()
        };
        let (g, d) = (shapes(&translator), shapes(&judge));
        let image = [1, 16, 16, 1];
        let everything: Vec<[usize; 4]> = [&g[..], &g[..], &d[..], &d[..], &[image, image]].concat();
        check(&format!("cycle {kind:?}"), &everything, |v| {
            let (g_xy, rest) = v.split_at(g.len());
            let (g_yx, rest) = rest.split_at(g.len());
            let (d_x, rest) = rest.split_at(d.len());
            let (d_y, images) = rest.split_at(d.len());
            let ways = [(images[0], g_xy, g_yx, d_y), (images[1], g_yx, g_xy, d_x)];
            let mut total = v[0].graph().full(Shape::SCALAR, 0.0);
            for (image, there, back, judged) in ways {
                let translated = forward(&translator, image, there)?;
                let scores = forward(&judge, translated, judged)?;
                let returned = forward(&translator, translated, back)?;
                let identity = forward(&translator, image, back)?;
                total = total
                    .add(Adversarial::Lsgan.toward(scores, true))?
                    .add(Adversarial::Bce.toward(scores, false))?
                    .add(returned.sub(image)?.abs().mean().scale(3.0))?
                    .add(identity.sub(image)?.square().mean())?;
            }
            Ok(total)
        });
    }
}

fn mewgan(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_mewgan")).arg("gradcheck").args(arguments).output().unwrap()
}

fn json(output: &Output) -> Value {
    serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|error| panic!("{error}: {}", String::from_utf8_lossy(&output.stdout)))
}

fn rows(report: &Value) -> &[Value] {
    report["rows"].as_array().unwrap()
}

#[test]
fn the_command_prints_a_table_or_json() {
    for (device, variant) in [("cpu", "reference"), ("gpu", "map")] {
        let arguments = ["relu", "tanh", "--device", device];
        let output = mewgan(&arguments);
        let text = String::from_utf8(output.stdout).unwrap();
        assert_eq!(output.status.code(), Some(0), "{text}{}", String::from_utf8_lossy(&output.stderr));
        assert!(text.contains("all 2 rows within their tolerance"), "{text}");
        let output = mewgan(&[&arguments[..], &["--json"]].concat());
        assert_eq!(output.status.code(), Some(0));
        let report = json(&output);
        let found: Vec<_> = rows(&report).iter().map(|row| [&row["op"], &row["variant"]]).collect();
        assert_eq!(found, [["relu", variant], ["tanh", variant]]);
        for row in rows(&report) {
            let errors = ["forward", "gradient"].map(|error| row[error].as_f64().unwrap());
            assert!(row["passed"] == true && errors.iter().all(|&error| error < 1e-5), "{row}");
            assert!(row["shapes"].as_array().unwrap().len() > 2, "{row}");
        }
        assert_eq!(report["failures"], serde_json::json!([]));
    }
}

/// In single precision nothing is as near as 1e-12.
#[test]
fn the_command_fails_where_a_tolerance_is_exceeded() {
    for device in ["cpu", "gpu"] {
        let arguments = ["batch_norm", "--tolerance", "1e-12", "--device", device];
        let output = mewgan(&arguments);
        let text = String::from_utf8(output.stdout).unwrap();
        assert_eq!(output.status.code(), Some(1), "{text}");
        assert!(
            text.contains("FAILED") && text.contains("batch_norm [") && text.contains("off by"),
            "{text}"
        );
        let output = mewgan(&[&arguments[..], &["--json"]].concat());
        assert_eq!(output.status.code(), Some(1));
        let report = json(&output);
        assert!(rows(&report).iter().any(|row| row["passed"] == false), "{report}");
        let failures = report["failures"].as_array().unwrap();
        let told = |failure: &Value| failure["check"] == "single" && failure["error"].as_f64() > Some(1e-12);
        assert!(!failures.is_empty() && failures.iter().all(told), "{report}");
    }
}

#[test]
fn unknown_operations_are_answered_with_the_known_ones() {
    let output = mewgan(&["convolve", "--device", "cpu"]);
    assert_eq!(output.status.code(), Some(2));
    let text = String::from_utf8(output.stderr).unwrap();
    assert!(text.contains("convolve") && gradcheck::names().iter().all(|name| text.contains(name)), "{text}");
}
