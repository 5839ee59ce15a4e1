//! Promise: an operation from outside the crate is a node like every other, and where it is wrong the message names it.

use crate::support;
use mewgan::device::Device;
use mewgan::executor::Executor;
use mewgan::gpu::lower::{Target, lower};
use mewgan::gpu::{Gpu, GpuExecutor};
use mewgan::gradcheck::{Case, check};
use mewgan::graph::custom::{CustomOp, Kernel, MOST_OPERANDS, Operand};
use mewgan::graph::{Graph, Op, Slot, StateBuffer, Step, Update, Var, gradients};
use mewgan::real::Real;
use mewgan::shape::{ConvOptions, Shape};
use mewgan::{Error, Result};

/// `factor * a * b`, and what may be wrong with it.
#[derive(Clone, Debug, PartialEq)]
pub struct Product {
    pub factor: f64,
    pub flaw: Flaw,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Flaw {
    None,
    /// This WGSL in place of the line that stores.
    Wgsl(&'static str),
    OneGradientOnly,
    GradientOfWrongShape,
    /// The reference gives infinity.
    Infinite,
}

pub const PRODUCT: Product = Product { factor: 3.0, flaw: Flaw::None };

const KERNEL: &str = "
#import lib/real
#import lib/grid
override COUNT: u32;
override FACTOR: f32;
@group(0) @binding(0) var<storage, read> a: array<real>;
@group(0) @binding(1) var<storage, read> b: array<real>;
@group(0) @binding(${RESULT}) var<storage, read_write> y: array<real>;
@compute @workgroup_size(WORKGROUP)
fn main(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) workgroups: vec3<u32>) {
    let i = invocation(id, workgroups);
    if i < COUNT {
STORE
    }
}
";

const STORE: &str = "        y[i] = real(FACTOR) * a[i] * b[i];";

impl CustomOp for Product {
    fn name(&self) -> &'static str {
        "product"
    }

    fn shape(&self, operands: &[Shape]) -> Result<Shape> {
        match operands {
            [a, b, ..] if a == b => Ok(*a),
            _ => Err(Error::Graph {
                op: self.name(),
                problem: format!("takes two tensors of one shape, not {operands:?}"),
            }),
        }
    }

    fn evaluate<T: Real>(&self, operands: &[Operand<'_, T>], y: &mut [T]) {
        let factor = T::from_f64(if self.flaw == Flaw::Infinite { f64::INFINITY } else { self.factor });
        for ((&a, &b), y) in operands[0].values.iter().zip(operands[1].values).zip(y) {
            *y = factor * a * b;
        }
    }

    fn kernel(&self, _: &[Shape], y: Shape) -> Kernel {
        let store = if let Flaw::Wgsl(line) = self.flaw { line } else { STORE };
        let factor = if self.flaw == Flaw::Infinite { f64::from(f32::MAX) } else { self.factor };
        Kernel::new(KERNEL.replace("STORE", store))
            .constant("COUNT", y.len())
            .number("FACTOR", factor)
            .threads(y.len())
    }

    fn gradient<'g>(&self, operands: &[Var<'g>], _: Var<'g>, gy: Var<'g>) -> Result<Vec<Option<Var<'g>>>> {
        let of = |other: Var<'g>| gy.graph().custom(self.clone(), &[gy, other]).map(Some);
        match self.flaw {
            Flaw::OneGradientOnly => Ok(vec![of(operands[1])?]),
            Flaw::GradientOfWrongShape => Ok(vec![Some(gy.sum()), None]),
            _ => Ok(vec![of(operands[1])?, of(operands[0])?]),
        }
    }
}

/// Without a rule.
#[derive(Debug, PartialEq)]
struct Ruleless(Product);

impl CustomOp for Ruleless {
    fn name(&self) -> &'static str {
        "ruleless"
    }
    fn shape(&self, operands: &[Shape]) -> Result<Shape> {
        self.0.shape(operands)
    }
    fn evaluate<T: Real>(&self, operands: &[Operand<'_, T>], y: &mut [T]) {
        self.0.evaluate(operands, y);
    }
    fn kernel(&self, operands: &[Shape], y: Shape) -> Kernel {
        self.0.kernel(operands, y)
    }
}

fn product<'g>(a: Var<'g>, b: Var<'g>) -> Result<Var<'g>> {
    a.graph().custom(PRODUCT, &[a, b])
}

fn flawed(flaw: Flaw) -> Product {
    Product { flaw, ..PRODUCT }
}

/// A step whose one output is the product of the inputs `a` and `b`, eight numbers each.
fn step(op: impl CustomOp) -> Step {
    let graph = Graph::new();
    let [a, b] = ["a", "b"].map(|name| graph.input(name, Shape::vector(8)));
    let y = graph.custom(op, &[a, b]).unwrap();
    Step::new("step", &graph, &[("y", y)], vec![]).unwrap()
}

fn devices() -> [Device; 2] {
    [Device::open("cpu").unwrap(), Device::Gpu(support::gpu())]
}

const A: [f32; 8] = [1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0];
const B: [f32; 8] = [0.5, -1.0, 0.0, 2.0, 0.25, 1.0, -0.5, 0.125];
const TIMES_3: [f32; 8] = [1.5, -6.0, 0.0, 24.0, 3.75, 18.0, -10.5, 3.0];

fn run(executor: &mut dyn Executor) -> Result<Vec<f32>> {
    executor.write_input(0, "a", &A)?;
    executor.write_input(0, "b", &B)?;
    executor.run(&[0])?;
    executor.read_output(0, "y")
}

/// Values, gradients and gradients of gradients, whatever stands around it: equal ones side by side, one operand twice,
/// other shapes of the same numbers, constants, and neighbours that could be fused.
#[test]
fn it_is_a_node_like_every_other() {
    let four = [[2, 3, 5, 4]; 4];
    let cases = [
        Case::new("alone", &four[..2], |v| product(v[0], v[1])),
        Case::new("twice the same operand", &four[..1], |v| product(v[0], v[0])),
        Case::new("side by side", &four, |v| product(v[0], v[1])?.add(product(v[2], v[3])?)),
        Case::new("reshaped", &[[2, 3, 5, 3], [1, 1, 1, 90]], |v| {
            product(v[0].reshape(v[1].shape())?, v[1])?.reshape(Shape([6, 5, 3, 1]))
        }),
        Case::new("of constants", &four[..1], |v| product(v[0], v[0].graph().full(v[0].shape(), 0.5))),
        Case::new("among neighbours", &[[2, 8, 8, 4], [3, 3, 4, 8], [2, 8, 8, 8]], |v| {
            let y = v[0].conv2d(v[1], ConvOptions::new(1, 1))?.leaky_relu(0.2)?;
            Ok(product(y, v[2].affine(0.5, 1.0))?.square().spatial_mean())
        }),
        Case::new("gradients of gradients", &four[..2], |v| {
            gradients(product(v[0], v[1])?.square().sum(), v)?[0].mul(v[1])
        }),
    ];
    for device in devices() {
        let report = check(&device, &cases, &|_, _, _| ()).unwrap();
        assert!(report.passed(), "{report}");
        assert!(report.rows.iter().any(|row| row.differences.is_some()), "{report}");
    }
}

#[test]
fn its_value_is_stored_and_its_operands_may_be_state() {
    let mut buffer = StateBuffer::default();
    let mut slot = || {
        let index = buffer.push("tensor", Shape::vector(8));
        Slot { buffer: 0, offset: buffer.tensors[index].2 }
    };
    let (from, to) = (slot(), slot());
    let graph = Graph::new();
    let [a, b] = [graph.state(from, Shape::vector(8)), graph.input("b", Shape::vector(8))];
    let value = product(a, b).unwrap().id();
    let step = Step::new("step", &graph, &[], vec![Update::Store { slot: to, value }]).unwrap();
    let mut start = vec![0.0; buffer.len];
    buffer.view_mut(&mut start, 0).copy_from_slice(&A);
    for device in devices() {
        let mut executor = device.executor(std::slice::from_ref(&buffer), vec![step.clone()]).unwrap();
        executor.write_state(0, &start).unwrap();
        executor.write_input(0, "b", &B).unwrap();
        executor.run(&[0]).unwrap();
        let state = executor.read_state(0).unwrap();
        assert_eq!(buffer.view(&state, 0), A, "{}", device.describe());
        assert_eq!(buffer.view(&state, 1), TIMES_3, "{}", device.describe());
    }
}

/// A program is plain data with it as well, and what was written down and read again runs.
#[test]
fn its_program_can_be_kept() {
    let program = lower(&step(PRODUCT), &[], &Target::GPU).unwrap();
    let kept = serde_json::to_string(&program).unwrap();
    let programs = vec![serde_json::from_str(&kept).unwrap()];
    let mut executor = GpuExecutor::load(support::gpu(), &[], programs).unwrap();
    assert_eq!(run(&mut executor).unwrap(), TIMES_3);
}

#[test]
fn equal_ones_are_equal_nodes() {
    let op = |of: Product| {
        step(of).nodes().iter().find(|node| matches!(node.op, Op::Custom(_))).unwrap().op.clone()
    };
    assert_eq!(op(PRODUCT), op(PRODUCT));
    assert_ne!(op(PRODUCT), op(Product { factor: 2.0, ..PRODUCT }));
    assert_eq!(op(PRODUCT).name(), "product");
}

#[test]
fn what_does_not_fit_is_named_when_the_graph_is_built() {
    let graph = Graph::new();
    let [a, b] = [8, 4].map(|len| graph.input("x", Shape::vector(len)));
    let error = |result: Result<Var<'_>>| result.unwrap_err().to_string();
    let found = error(product(a, b));
    assert!(found.starts_with("product: takes two tensors of one shape"), "{found}");
    let found = error(graph.custom(PRODUCT, &[a; MOST_OPERANDS + 1]));
    assert!(found.starts_with("product: 8 operands; at most 7"), "{found}");

    for (flaw, expected) in [
        (Flaw::OneGradientOnly, "product: its rule gives 1 gradients, but there are 2 operands"),
        (
            Flaw::GradientOfWrongShape,
            "product: its rule gives operand 0 a gradient of shape [1, 1, 1, 1], but the operand is [1, 1, 1, 8]",
        ),
    ] {
        let y = graph.custom(flawed(flaw), &[a, a]).unwrap();
        assert_eq!(gradients(y.sum(), &[a]).unwrap_err().to_string(), expected);
    }
    let y = graph.custom(Ruleless(PRODUCT), &[a, a]).unwrap();
    let found = gradients(y.sum(), &[a]).unwrap_err().to_string();
    assert!(found.starts_with("ruleless: has no gradient rule; implement"), "{found}");
}

#[test]
fn a_wrong_kernel_is_named() {
    for (line, expected) in [
        ("y[i] = nothing;", "custom/product"),
        ("y[i] = ${NOTHING};", "the kernel of product:13: NOTHING is not defined"),
        // A binding that is declared and not used.
        ("y[i] = a[i];", "custom/product"),
    ] {
        // A device of its own: what it reports once it reports from then on.
        let gpu = Gpu::open("", false).unwrap();
        let found = match gpu.executor(&[], &[step(flawed(Flaw::Wgsl(line)))]) {
            Ok(_) => panic!("{line}: taken"),
            Err(error) => error.to_string(),
        };
        assert!(found.contains(expected), "{line}: {found}");
    }
}

/// Kernels of this crate are proved to stay within their buffers and run unchecked; these are checked.
#[test]
fn a_kernel_that_leaves_its_buffers_does_no_harm() {
    let far = "y[i + 500000000u] = 1; y[i] = real(FACTOR) * a[i] * b[i] + 0 * b[i + 500000000u];";
    let mut executor = support::gpu().executor(&[], &[step(flawed(Flaw::Wgsl(far)))]).unwrap();
    let found = run(&mut executor).unwrap();
    assert!(found.iter().all(|number| number.is_finite()), "{found:?}");
}

#[test]
fn an_infinity_is_followed_to_it() {
    for device in devices() {
        let mut executor = device.executor(&[], vec![step(flawed(Flaw::Infinite))]).unwrap();
        executor.detect_anomaly(true);
        let found = run(&mut *executor).unwrap_err().to_string();
        assert!(found.starts_with("product of step gives"), "{}: {found}", device.describe());
    }
}
