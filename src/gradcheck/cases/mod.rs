//! What is checked: every operation at shapes that reach every branch of its kernels.

mod channels;
mod contractions;
mod norms;
mod pointwise;
mod spatial;
mod updates;

use super::difference::Difference;
use super::trial::{Draw, Part, Trial, draw};
use crate::Result;
use crate::graph::Var;
use crate::shape::Shape;

/// Largest error in f32: it keeps 6e-8, a sum of k products loses a few times sqrt(k) of that, and no sum here is longer
/// than some thousand.
const TOLERANCE: f64 = 1e-5;

/// A function of some tensors.
pub type Function = Box<dyn for<'g> Fn(&[Var<'g>]) -> Result<Var<'g>>>;

/// What a case computes.
pub enum Work {
    /// A function of operands that hold these numbers.
    Function(Function, Vec<Vec<f64>>),
    /// Updates of state.
    Updates(Box<dyn Fn() -> Result<Trial>>),
}

/// An operation at one choice of shapes.
pub struct Case {
    /// Its name.
    pub op: &'static str,
    /// Shapes of its operands.
    pub shapes: Vec<[usize; 4]>,
    /// Largest error of f32 as a share of the largest number of a result.
    pub tolerance: f64,
    /// Whether its gradients are its derivatives: not where something counts as a constant.
    pub derivatives: bool,
    /// Whether a GPU computes it by every kernel there is, and not only by the default ones of every kind of device.
    pub every_kernel: bool,
    /// The operand whose numbers are given, not drawn.
    given: Option<usize>,
    /// From which numbers it is computed, [`Draw::Unit`] first.
    pub draws: Vec<Draw>,
    /// From which of these its derivatives cannot be told by differences.
    undifferenced: Vec<Draw>,
    /// Whether each number of its value comes of few numbers: its error is a share of itself where numbers are not near 1.
    pub elementwise: bool,
    /// What is computed.
    pub work: Work,
}

impl Case {
    /// A function of operands of these shapes, with random numbers in them.
    pub fn new(
        op: &'static str,
        shapes: &[[usize; 4]],
        f: impl for<'g> Fn(&[Var<'g>]) -> Result<Var<'g>> + 'static,
    ) -> Self {
        let values = shapes.iter().enumerate().map(|(i, shape)| draw(Shape(*shape).len(), i)).collect();
        let work = Work::Function(Box::new(f), values);
        Self { derivatives: true, draws: vec![Draw::Unit, Draw::Special], ..Self::of(op, shapes, work) }
    }

    /// Updates of state, of these shapes.
    fn updates(op: &'static str, shapes: &[[usize; 4]], trial: impl Fn() -> Result<Trial> + 'static) -> Self {
        let work = Work::Updates(Box::new(trial));
        Self::of(op, shapes, work)
    }

    fn of(op: &'static str, shapes: &[[usize; 4]], work: Work) -> Self {
        Self {
            op,
            shapes: shapes.to_vec(),
            tolerance: TOLERANCE,
            derivatives: false,
            every_kernel: false,
            draws: vec![Draw::Unit],
            given: None,
            undifferenced: vec![],
            elementwise: false,
            work,
        }
    }

    /// The same from numbers of these kinds. Without it a function is computed from [`Draw::Unit`] and [`Draw::Special`]: most
    /// are linear in each operand, and what holds near 1 holds everywhere.
    fn draws(self, draws: &[Draw]) -> Self {
        Self { draws: draws.to_vec(), ..self }
    }

    /// The same where derivatives cannot be told by differences from such numbers: small ones beside a kink or a pole at 0, say.
    fn undifferenced(mut self, draw: Draw) -> Self {
        self.undifferenced.push(draw);
        self
    }

    /// The same where each number of the value comes of few numbers.
    fn elementwise(self) -> Self {
        Self { elementwise: true, ..self }
    }

    /// The same with these numbers in the operand `index`.
    fn with(mut self, index: usize, numbers: Vec<f64>) -> Self {
        if let Work::Function(_, values) = &mut self.work {
            values[index] = numbers;
        }
        self.given = Some(index);
        self
    }

    /// The same where something counts as a constant.
    fn constant(self) -> Self {
        Self { derivatives: false, ..self }
    }

    /// The same by every kernel.
    fn by_every_kernel(self) -> Self {
        Self { every_kernel: true, ..self }
    }

    /// The same with another tolerance.
    pub fn tolerance(self, tolerance: f64) -> Self {
        Self { tolerance, ..self }
    }

    /// It, ready to run.
    ///
    /// # Errors
    /// If the shapes do not fit.
    pub fn trial(&self) -> Result<Trial> {
        match &self.work {
            Work::Function(f, values) => Trial::function(&self.shapes, values, f),
            Work::Updates(trial) => trial(),
        }
    }

    /// The same from other numbers; what no draw applies to stays.
    ///
    /// # Errors
    /// As [`Case::trial`].
    pub fn trial_from(&self, draw: Draw) -> Result<Trial> {
        let Work::Function(f, values) = &self.work else { return self.trial() };
        let mut values = values.clone();
        for (index, values) in values.iter_mut().enumerate().filter(|(index, _)| self.given != Some(*index)) {
            *values = draw.numbers(values.len(), index);
        }
        Trial::function(&self.shapes, &values, f)
    }

    /// Whether its gradients from such numbers are compared with differences.
    pub fn differs(&self, draw: Draw) -> bool {
        self.derivatives && draw != Draw::Special && !self.undifferenced.contains(&draw)
    }

    /// The worst number of every result.
    pub fn differences(
        &self,
        draw: Draw,
        found: &[(Part, Vec<f64>)],
        expected: &[(Part, Vec<f64>)],
    ) -> Vec<Difference> {
        let each = self.elementwise && matches!(draw, Draw::Small | Draw::Large);
        let pairs = found.iter().zip(expected);
        pairs
            .map(|((part, found), (_, expected))| match part {
                Part::Value if each => Difference::worst_of_each(*part, found, expected),
                _ => Difference::worst(*part, found, expected),
            })
            .collect()
    }

    /// Its shapes, in words.
    pub fn title(&self) -> String {
        let shapes: Vec<String> = self.shapes.iter().map(|shape| Shape(*shape).to_string()).collect();
        shapes.join(" ")
    }
}

/// All of them, those of one operation side by side.
pub fn all() -> Vec<Case> {
    [contractions::all(), norms::all(), pointwise::all(), channels::all(), spatial::all(), updates::all()]
        .into_iter()
        .flatten()
        .collect()
}

/// Those of contractions, their operands rounded to half precision as they are drawn: what is near a tie may be rounded up in f32 and down
/// in f64, and differ by a thousandth.
pub fn exact() -> Vec<Case> {
    contractions::exact()
}

/// The operations' names, in order.
pub fn names() -> Vec<&'static str> {
    let mut names: Vec<&'static str> = all().iter().map(|case| case.op).collect();
    names.dedup();
    names
}
