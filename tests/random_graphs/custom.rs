//! An operation from outside the crate.

use mewgan::custom::{CustomOp, Kernel, Operand};
use mewgan::graph::Var;
use mewgan::reference::Real;
use mewgan::shape::Shape;
use mewgan::{Error, Result};

/// `factor * a * b`, of tensors of one shape.
#[derive(Clone, Debug, PartialEq)]
pub struct Product {
    pub factor: f64,
}

pub const NAME: &str = "product";

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
        y[i] = real(FACTOR) * a[i] * b[i];
    }
}
";

impl CustomOp for Product {
    fn name(&self) -> &'static str {
        NAME
    }

    fn shape(&self, operands: &[Shape]) -> Result<Shape> {
        match operands {
            [a, b] if a == b => Ok(*a),
            _ => {
                let problem = format!("takes two tensors of one shape, not {operands:?}");
                Err(Error::Graph { op: self.name(), problem })
            }
        }
    }

    fn evaluate<T: Real>(&self, operands: &[Operand<'_, T>], y: &mut [T]) {
        for ((&a, &b), y) in operands[0].values.iter().zip(operands[1].values).zip(y) {
            *y = T::of(self.factor) * a * b;
        }
    }

    fn kernel(&self, _: &[Shape], y: Shape) -> Kernel {
        Kernel::new(KERNEL).constant("COUNT", y.len()).number("FACTOR", self.factor).threads(y.len())
    }

    fn gradient<'g>(&self, operands: &[Var<'g>], _: Var<'g>, gy: Var<'g>) -> Result<Vec<Option<Var<'g>>>> {
        let of = |other: Var<'g>| gy.graph().custom(self.clone(), &[gy, other]).map(Some);
        Ok(vec![of(operands[1])?, of(operands[0])?])
    }
}
