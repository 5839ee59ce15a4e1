//! Which operations there are, and the shapes they show themselves at: layers of DCGAN's preset `course`.

use super::example::{Example, Work};
use crate::gpu::lower::{Contraction, Target};
use crate::gpu::program::Program;
use crate::gpu::{finite, ladder};
use crate::graph::{Binary, Graph, Per, Slot, StateBuffer, Step, Unary, Update, UpdateRule, Var};
use crate::measure::peaks;
use crate::shape::{ConvOptions, Shape};
use crate::{Error, Result};
use std::ops::Range;

const EPS: f64 = 1e-5;

/// Features of an image in the middle of a network, and at its end; an image.
const FEATURES: [usize; 4] = [16, 32, 32, 32];
const SMALL: [usize; 4] = [16, 8, 8, 128];
const IMAGE: [usize; 4] = [16, 64, 64, 3];
/// Weight and bias, or mean and variance, of the features.
const PAIR: [usize; 4] = [1, 1, 2, 32];
/// All parameters of an optimizer.
const BANK: [usize; 4] = [1, 1, 1, 693_760];

const fn case(
    name: &'static str,
    operands: &'static [&'static str],
    shapes: &'static [[usize; 4]],
    work: Work,
) -> Example {
    Example { name, operands, shapes, work }
}

/// Every function of one number and of two, by itself.
pub fn functions() -> impl Iterator<Item = Example> {
    let unary = |&of: &Unary| case(of.name(), &["x"], &[FEATURES], Work::Unary(of));
    let binary = |&of: &Binary| case(of.name(), &["a", "b"], &[FEATURES; 2], Work::Binary(of));
    Unary::ALL.iter().map(unary).chain(Binary::ALL.iter().map(binary))
}

const CONV: &[[usize; 4]] = &[FEATURES, [4, 4, 32, 64]];
/// A convolution to the three channels of an image, which has kernels of its own.
const TO_IMAGE: &[[usize; 4]] = &[FEATURES, [4, 4, 32, 3]];
const NORM_GRAD: &[&str] = &["normalize_grad_sums", "normalize_grad"];

pub const CASES: [Example; 37] = [
    case("sum", &["x"], &[IMAGE], Work::Value(|v, _| Ok(v[0].sum()))),
    case("conv2d", &["x", "w"], CONV, Work::Value(|v, s| v[0].conv2d(v[1], s.conv))),
    case("conv2d", &["x", "w"], TO_IMAGE, Work::Value(|v, s| v[0].conv2d(v[1], s.conv))),
    case(
        "conv_transpose2d",
        &["x", "w"],
        &[SMALL, [4, 4, 64, 128]],
        Work::Value(|v, s| v[0].conv_transpose2d(v[1], s.conv)),
    ),
    case(
        "conv_transpose2d",
        &["x", "w"],
        &[FEATURES, [4, 4, 3, 32]],
        Work::Value(|v, s| v[0].conv_transpose2d(v[1], s.conv)),
    ),
    case(
        "conv2d_weight_grad",
        &["x", "w"],
        CONV,
        Work::Gradient(|v, s| v[0].conv2d(v[1], s.conv), &["conv2d_weight_grad"]),
    ),
    case(
        "conv2d_weight_grad",
        &["x", "w"],
        TO_IMAGE,
        Work::Gradient(|v, s| v[0].conv2d(v[1], s.conv), &["conv2d_weight_grad"]),
    ),
    case("batch_norm", &["x", "affine"], &[FEATURES, PAIR], Work::Value(batch_norm)),
    case("batch_norm_grad", &["x", "affine"], &[FEATURES, PAIR], Work::Gradient(batch_norm, NORM_GRAD)),
    case("instance_norm", &["x"], &[SMALL], Work::Value(instance_norm)),
    case("instance_norm_grad", &["x"], &[SMALL], Work::Gradient(instance_norm, NORM_GRAD)),
    case(
        "batch_norm_eval",
        &["x", "running", "affine"],
        &[FEATURES, PAIR, PAIR],
        Work::Value(|v, _| v[0].batch_norm_eval(v[1], Some(v[2]), EPS)),
    ),
    case(
        "broadcast",
        &["x"],
        &[[16, 1, 1, 32]],
        Work::Value(|v, _| {
            let [n, _, _, c] = v[0].shape().0;
            v[0].broadcast_to(Shape([n, 32, 32, c]))
        }),
    ),
    case("reflection_pad2d", &["x"], &[IMAGE], Work::Value(|v, s| v[0].reflection_pad2d([s.reflection; 4]))),
    case(
        "reflection_pad2d_grad",
        &["x"],
        &[IMAGE],
        Work::Gradient(|v, s| v[0].reflection_pad2d([s.reflection; 4]), &["reflection_pad2d_grad"]),
    ),
    case("upsample_nearest2d", &["x"], &[SMALL], Work::Value(|v, s| v[0].upsample_nearest2d(s.scale))),
    case(
        "upsample_nearest2d_grad",
        &["x"],
        &[SMALL],
        Work::Gradient(|v, s| v[0].upsample_nearest2d(s.scale), &["upsample_nearest2d_grad"]),
    ),
    case("concat_channels", &["x", "z"], &[FEATURES; 2], Work::Value(|v, _| Var::concat_channels(v))),
    case("slice_channels", &["x"], &[FEATURES], Work::Value(|v, _| v[0].slice_channels(half(v[0])))),
    case(
        "slice_channels_grad",
        &["x"],
        &[FEATURES],
        Work::Gradient(|v, _| v[0].slice_channels(half(v[0])), &["slice_channels_grad"]),
    ),
    case("max_pool2d", &["x"], &[FEATURES], Work::Value(|v, s| v[0].max_pool2d(s.scale, pool(s)))),
    case(
        "max_pool2d_grad",
        &["x"],
        &[FEATURES],
        Work::Gradient(|v, s| v[0].max_pool2d(s.scale, pool(s)), &["max_pool2d_grad"]),
    ),
    case("blur", &["x"], &[IMAGE], Work::Value(|v, _| Ok(v[0].blur()))),
    case("translate", &["x", "offsets"], &[IMAGE, [16, 1, 1, 2]], Work::Value(|v, _| v[0].translate(v[1]))),
    case(
        "gather_rows",
        &["x", "z", "rows"],
        &[[50, 64, 64, 3], IMAGE, [16, 1, 1, 1]],
        Work::Value(|v, _| v[0].gather_rows(v[1], v[2])),
    ),
    case("store", &["x"], &[IMAGE], Work::Updates(store)),
    case("scatter_rows", &["kept", "x"], &[[50, 64, 64, 3], IMAGE], Work::Updates(scatter_rows)),
    case("running_moments", &["x"], &[FEATURES], Work::Updates(running_moments)),
    case("unscale", &["gradients"], &[BANK], Work::Updates(unscale)),
    case("average", &["parameters"], &[BANK], Work::Updates(average)),
    case("adam", &["parameters"], &[BANK], Work::Updates(|shapes| optimize(ADAM, shapes))),
    case("adamw", &["parameters"], &[BANK], Work::Updates(|shapes| optimize(ADAM_W, shapes))),
    case("rmsprop", &["parameters"], &[BANK], Work::Updates(|shapes| optimize(RMS_PROP, shapes))),
    case("sgd", &["parameters"], &[BANK], Work::Updates(|shapes| optimize(SGD, shapes))),
    case("finite", &["x"], &[BANK], Work::Programs(not_finite)),
    case("ladder", &["x", "w"], CONV, Work::Programs(rungs)),
    case("peaks", &[], &[], Work::Programs(of_peaks)),
];

/// Windows side by side.
fn pool(settings: &super::Settings) -> ConvOptions {
    ConvOptions { stride: settings.scale, padding: [0; 2], output_padding: [0; 2] }
}

/// The second half of the channels, the last where there is no half.
fn half(x: Var<'_>) -> Range<usize> {
    x.shape().channels() / 2..x.shape().channels()
}

fn batch_norm<'g>(v: &[Var<'g>], _: &super::Settings) -> Result<Var<'g>> {
    v[0].batch_norm(Some(v[1]), EPS)
}

fn instance_norm<'g>(v: &[Var<'g>], _: &super::Settings) -> Result<Var<'g>> {
    v[0].instance_norm(None, EPS)
}

const FIRST: Slot = Slot { buffer: 0, offset: 0 };

fn buffer(shape: Shape) -> StateBuffer {
    let mut buffer = StateBuffer::default();
    buffer.push("", shape);
    buffer
}

fn store(shapes: &[Shape]) -> Result<(Step, Vec<StateBuffer>)> {
    let graph = Graph::new();
    let update = Update::Store { slot: FIRST, value: graph.input("x", shapes[0]).id() };
    Ok((Step::new("store", &graph, &[], vec![update])?, vec![buffer(shapes[0])]))
}

fn scatter_rows(shapes: &[Shape]) -> Result<(Step, Vec<StateBuffer>)> {
    let graph = Graph::new();
    let [kept, x] = [shapes[0], shapes[1]];
    if kept.0[1..] != x.0[1..] {
        let problem = format!("rows of x {x} must be as those kept {kept}");
        return Err(Error::Graph { op: "scatter_rows", problem });
    }
    let rows = graph.input("rows", Shape([x.0[0], 1, 1, 1])).id();
    let value = graph.input("x", x).id();
    let update = Update::ScatterRows { slot: FIRST, len: kept.len(), value, rows };
    Ok((Step::new("scatter_rows", &graph, &[], vec![update])?, vec![buffer(kept)]))
}

fn running_moments(shapes: &[Shape]) -> Result<(Step, Vec<StateBuffer>)> {
    let graph = Graph::new();
    let x = graph.input("x", shapes[0]);
    let count = x.shape().len() / x.shape().channels();
    let moments = x.moments(Per::Batch);
    let running = buffer(moments.shape());
    let update = Update::RunningMoments { slot: FIRST, moments: moments.id(), momentum: 0.1, count };
    Ok((Step::new("running_moments", &graph, &[], vec![update])?, vec![running]))
}

fn unscale(shapes: &[Shape]) -> Result<(Step, Vec<StateBuffer>)> {
    let update = Update::Unscale { gradients: 0, scale: 1 };
    let buffers = vec![buffer(shapes[0]), StateBuffer::loss_scale()];
    Ok((Step::new("unscale", &Graph::new(), &[], vec![update])?, buffers))
}

fn average(shapes: &[Shape]) -> Result<(Step, Vec<StateBuffer>)> {
    let graph = Graph::new();
    let decay = graph.input("decay", Shape::SCALAR).id();
    let update = Update::Average { average: 1, parameters: 0, decay };
    Ok((Step::new("average", &graph, &[], vec![update])?, vec![buffer(shapes[0]), buffer(shapes[0])]))
}

const ADAM: UpdateRule = UpdateRule::Adam { beta1: 0.5, beta2: 0.999, eps: 1e-8 };
const ADAM_W: UpdateRule = UpdateRule::AdamW { beta1: 0.5, beta2: 0.999, eps: 1e-8 };
const RMS_PROP: UpdateRule = UpdateRule::RmsProp { alpha: 0.99, eps: 1e-8, momentum: 0.9, weight_decay: 0.0 };
const SGD: UpdateRule = UpdateRule::Sgd { momentum: 0.9, nesterov: true, weight_decay: 0.0 };

fn optimize(rule: UpdateRule, shapes: &[Shape]) -> Result<(Step, Vec<StateBuffer>)> {
    let graph = Graph::new();
    let rates = graph.input("rates", Shape::vector(rule.rates())).id();
    let state: Vec<usize> = (2..).take(rule.state().len()).collect();
    let buffers = vec![buffer(shapes[0]); 2 + state.len()];
    let update = Update::Optimize { rule, parameters: 0, gradients: 1, state, rates, scale: None };
    Ok((Step::new(update.name(), &graph, &[], vec![update.clone()])?, buffers))
}

fn not_finite(shapes: &[Shape], _: &super::Settings) -> Result<Vec<Program>> {
    Ok(finite::program(&[buffer(shapes[0])])?.into_iter().collect())
}

fn of_peaks(_: &[Shape], _: &super::Settings) -> Result<Vec<Program>> {
    let programs = peaks::programs(Target::GPU.max_binding)?;
    Ok(programs.into_iter().map(|(_, program)| program).collect())
}

/// The convolution by each rung of the ladder.
fn rungs(shapes: &[Shape], settings: &super::Settings) -> Result<Vec<Program>> {
    let graph = Graph::new();
    let y = graph.input("x", shapes[0]).conv2d(graph.input("w", shapes[1]), settings.conv)?;
    let step = Step::new("ladder", &graph, &[("y", y)], vec![])?;
    let all = Contraction::all(&[step]);
    all.iter().flat_map(|of| ladder::RUNGS.iter().map(|rung| rung.program(of))).collect()
}
