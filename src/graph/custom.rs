//! Operations of one's own, without a change to this crate: shape, meaning, gradient and kernel in one place.
//!
//! Implement [`CustomOp`] for a type that holds the operation's numbers, and put it into a graph by
//! [`Graph::custom`](crate::graph::Graph::custom). From there on it is a node like every other: the reference computes it
//! by [`CustomOp::evaluate`], a GPU by [`CustomOp::kernel`], [`gradients`](crate::graph::gradients) goes through it by
//! [`CustomOp::gradient`], and [`gradcheck`](crate::gradcheck) checks all three against each other. Nothing is fused into
//! it. `examples/custom_op.rs` has one, whole.

use super::Var;
use crate::real::Real;
use crate::shape::Shape;
use crate::{Error, Result};
use std::any::Any;
use std::fmt::Debug;
use std::sync::Arc;

/// Most operands: with the result, no more than the 8 buffers that every device can bind.
pub const MOST_OPERANDS: usize = 7;

/// An operand's numbers, as the reference sees them.
#[derive(Clone, Copy, Debug)]
pub struct Operand<'a, T> {
    /// The numbers, row-major.
    pub values: &'a [T],
    /// Their shape.
    pub shape: Shape,
}

/// What an operation has to say of itself.
///
/// Two values that are equal must mean the same.
pub trait CustomOp: Debug + PartialEq + Send + Sync + 'static {
    /// The name used in messages and listings.
    fn name(&self) -> &'static str;

    /// The shape of the result of operands of these shapes; their number is to be checked as well.
    ///
    /// # Errors
    /// If they do not fit: [`Error::Graph`] with what was given and what is expected.
    fn shape(&self, operands: &[Shape]) -> Result<Shape>;

    /// The meaning: writes every number of the result `y`, which holds anything before, row-major.
    ///
    /// Called on a thread of rayon's pool; the result must not depend on the number of threads.
    fn evaluate<T: Real>(&self, operands: &[Operand<'_, T>], y: &mut [T]);

    /// The kernel that computes the same on a GPU.
    fn kernel(&self, operands: &[Shape], y: Shape) -> Kernel;

    /// The gradient rule. Of the value `y` and its gradient `gy`: the gradient to each operand, as more graph, or none where
    /// the operand is a constant to this operation. Unless it is given there is none.
    ///
    /// # Errors
    /// If there is no rule, or a shape within it does not fit.
    fn gradient<'g>(&self, operands: &[Var<'g>], y: Var<'g>, gy: Var<'g>) -> Result<Vec<Option<Var<'g>>>> {
        let _ = (operands, y, gy);
        let problem =
            "has no gradient rule; implement CustomOp::gradient, or detach what it is computed from";
        Err(Error::Graph { op: self.name(), problem: problem.into() })
    }
}

/// A kernel of one's own: WGSL for [the preprocessor](crate::gpu::preprocess), and what makes it concrete.
///
/// The entry point is `main`. Operand `k` is `@group(0) @binding(k) var<storage, read>`, the result
/// `@group(0) @binding(${RESULT}) var<storage, read_write>`, each an `array<real>` (or of `real4`, where what is bound has
/// a multiple of four numbers) that may be longer than the tensor: take lengths from constants. Use every binding. Write
/// `real` of `lib/real` for `f32`, and the kernel can be checked in double precision. A grid may be folded into two
/// dimensions: `lib/grid` has the one index of an invocation. The device checks indices and loops of such kernels.
#[derive(Clone, Debug, PartialEq)]
pub struct Kernel {
    pub(crate) text: String,
    pub(crate) definitions: Vec<(&'static str, String)>,
    pub(crate) constants: Vec<(&'static str, f64)>,
    pub(crate) grid: Grid,
    pub(crate) has_double: bool,
}

/// How many invocations or workgroups.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Grid {
    Threads(usize),
    Workgroups(usize),
}

impl Kernel {
    /// A kernel of one workgroup.
    pub fn new(text: impl Into<String>) -> Self {
        let (definitions, constants, grid) = (vec![], vec![], Grid::Workgroups(1));
        Self { text: text.into(), definitions, constants, grid, has_double: true }
    }

    /// With `value` for `${name}` in the text, and for `#if name`.
    pub fn define(mut self, name: &'static str, value: impl ToString) -> Self {
        self.definitions.push((name, value.to_string()));
        self
    }

    /// With a whole number for the `override` constant `name`.
    pub fn constant(self, name: &'static str, value: usize) -> Self {
        self.number(name, value as f64)
    }

    /// With a number for the `override` constant `name`.
    pub fn number(mut self, name: &'static str, value: f64) -> Self {
        self.constants.push((name, value));
        self
    }

    /// On at least so many invocations, in workgroups of `WORKGROUP` as in `lib/grid`.
    pub fn threads(self, count: usize) -> Self {
        Self { grid: Grid::Threads(count), ..self }
    }

    /// On at least so many workgroups.
    pub fn workgroups(self, count: usize) -> Self {
        Self { grid: Grid::Workgroups(count), ..self }
    }

    /// Without a form in double precision, as with exp, log and tanh: WGSL has them in single precision only.
    pub fn in_single_only(self) -> Self {
        Self { has_double: false, ..self }
    }
}

/// A [`CustomOp`] as a graph holds it.
#[derive(Clone, Debug)]
pub struct Custom(Arc<dyn Object>);

impl PartialEq for Custom {
    fn eq(&self, other: &Self) -> bool {
        self.0.equals(&*other.0)
    }
}

impl Custom {
    pub(crate) fn new(op: impl CustomOp) -> Self {
        Self(Arc::new(op))
    }

    /// Its name.
    pub fn name(&self) -> &'static str {
        self.0.name()
    }

    /// The shape of its result.
    pub(crate) fn shape(&self, operands: &[Shape]) -> Result<Shape> {
        if operands.len() > MOST_OPERANDS {
            return Err(self.problem(format!("{} operands; at most {MOST_OPERANDS}", operands.len())));
        }
        self.0.shape(operands)
    }

    /// Its rule, and whether that gives what a rule must.
    pub(crate) fn gradient<'g>(
        &self,
        operands: &[Var<'g>],
        y: Var<'g>,
        gy: Var<'g>,
    ) -> Result<Vec<Option<Var<'g>>>> {
        let gradients = self.0.gradient(operands, y, gy)?;
        if gradients.len() != operands.len() {
            let (found, expected) = (gradients.len(), operands.len());
            return Err(
                self.problem(format!("its rule gives {found} gradients, but there are {expected} operands"))
            );
        }
        if !gradients.iter().flatten().all(|gradient| gy.graph().owns(*gradient)) {
            return Err(self.problem("its rule gives a gradient of another graph".into()));
        }
        for (index, (operand, gradient)) in operands.iter().zip(&gradients).enumerate() {
            let (expected, found) = (operand.shape(), gradient.map(Var::shape));
            if let Some(found) = found.filter(|&found| found != expected) {
                return Err(self.problem(format!(
                    "its rule gives operand {index} a gradient of shape {found}, but the operand is {expected}"
                )));
            }
        }
        Ok(gradients)
    }

    /// Its kernel.
    pub(crate) fn kernel(&self, operands: &[Shape], y: Shape) -> Kernel {
        self.0.kernel(operands, y)
    }

    /// Its value in single precision.
    pub(crate) fn in_single(&self, operands: &[Operand<'_, f32>], y: &mut [f32]) {
        self.0.in_single(operands, y);
    }

    /// Its value in double precision.
    pub(crate) fn in_double(&self, operands: &[Operand<'_, f64>], y: &mut [f64]) {
        self.0.in_double(operands, y);
    }

    fn problem(&self, problem: String) -> Error {
        Error::Graph { op: self.name(), problem }
    }
}

/// A [`CustomOp`] of any type.
trait Object: Debug + Send + Sync {
    fn name(&self) -> &'static str;
    fn shape(&self, operands: &[Shape]) -> Result<Shape>;
    fn gradient<'g>(&self, operands: &[Var<'g>], y: Var<'g>, gy: Var<'g>) -> Result<Vec<Option<Var<'g>>>>;
    fn kernel(&self, operands: &[Shape], y: Shape) -> Kernel;
    fn in_single(&self, operands: &[Operand<'_, f32>], y: &mut [f32]);
    fn in_double(&self, operands: &[Operand<'_, f64>], y: &mut [f64]);
    fn as_any(&self) -> &dyn Any;
    fn equals(&self, other: &dyn Object) -> bool;
}

impl<O: CustomOp> Object for O {
    fn name(&self) -> &'static str {
        CustomOp::name(self)
    }
    fn shape(&self, operands: &[Shape]) -> Result<Shape> {
        CustomOp::shape(self, operands)
    }
    fn gradient<'g>(&self, operands: &[Var<'g>], y: Var<'g>, gy: Var<'g>) -> Result<Vec<Option<Var<'g>>>> {
        CustomOp::gradient(self, operands, y, gy)
    }
    fn kernel(&self, operands: &[Shape], y: Shape) -> Kernel {
        CustomOp::kernel(self, operands, y)
    }
    fn in_single(&self, operands: &[Operand<'_, f32>], y: &mut [f32]) {
        self.evaluate(operands, y);
    }
    fn in_double(&self, operands: &[Operand<'_, f64>], y: &mut [f64]) {
        self.evaluate(operands, y);
    }
    fn as_any(&self) -> &dyn Any {
        self
    }
    fn equals(&self, other: &dyn Object) -> bool {
        other.as_any().downcast_ref() == Some(self)
    }
}
