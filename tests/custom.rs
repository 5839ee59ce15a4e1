//! Promise: an operation from outside the crate is a node like every other, and where it is wrong the message names it.

mod support;

use mewgpu::custom::{CustomOp, Kernel, MOST_OPERANDS, Operand};
use mewgpu::device::Device;
use mewgpu::executor::Executor;
use mewgpu::gpu::lower::{Target, lower};
use mewgpu::gradcheck::{Case, check};
use mewgpu::graph::{Bank, Graph, Op, Slot, Step, Update, Var, gradients};
use mewgpu::reference::Real;
use mewgpu::shape::{ConvOptions, Shape};
use mewgpu::{Error, Result};

/// `factor * a * b`, and what may be wrong with it.
#[derive(Clone, Debug, PartialEq)]
struct Product {
    factor: f64,
    flaw: Flaw,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Flaw {
    None,
    /// This WGSL in place of the line that stores.
    Wgsl(&'static str),
    NoRule,
    OneGradientOnly,
    GradientOfWrongShape,
    /// The reference gives infinity.
    Infinite,
}

const PRODUCT: Product = Product { factor: 3.0, flaw: Flaw::None };

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
        let factor = T::of(if self.flaw == Flaw::Infinite { f64::INFINITY } else { self.factor });
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
