//! Gradients as differences: of two values of a function, with one number of one operand moved a little up and down.

use super::difference::Difference;
use super::trial::{Part, Trial, WEIGHTS};
use crate::Result;
use crate::executor::Executor;
use crate::reference::Reference;

/// How far a number is moved: the error of a central difference is of order 1e-10 from curvature and 1e-11 from
/// rounding, far under the tolerance.
const STEP: f64 = 1e-5;

/// Largest error of a gradient, in f64.
pub const TOLERANCE: f64 = 1e-6;

/// The gradients of the reference in f64 against central differences, at most so many numbers of each, evenly spread.
///
/// # Errors
/// None that a trial which could be made gives.
pub fn differences(trial: &Trial, most: usize) -> Result<Vec<Difference>> {
    let gradients = trial.reference::<f64>()?;
    let weights = &trial.inputs[trial.inputs.len() - 1].1;
    let mut value = Value::new(trial)?;
    let gradients = gradients.iter().filter_map(|(part, numbers)| match part {
        Part::Gradient(operand) => Some((*operand, numbers)),
        _ => None,
    });
    gradients
        .map(|(operand, gradient)| {
            let places: Vec<usize> = (0..gradient.len()).step_by(gradient.len().div_ceil(most)).collect();
            let slope = |&place: &usize| value.slope(operand, place, weights);
            let expected = places.iter().map(slope).collect::<Result<Vec<f64>>>()?;
            let found: Vec<f64> = places.iter().map(|&place| gradient[place]).collect();
            let worst = Difference::worst(Part::Gradient(operand), &found, &expected);
            Ok(Difference { at: places[worst.at], ..worst })
        })
        .collect()
}

/// The value alone, ready to be computed again and again.
struct Value {
    reference: Reference<f64>,
    /// Numbers of the operands it depends on.
    operands: Vec<Option<Vec<f64>>>,
}

impl Value {
    fn new(trial: &Trial) -> Result<Self> {
        let mut reference = Reference::new(&[], vec![trial.forward.clone()]);
        let mut operands = vec![None; trial.inputs.len()];
        for (at, (name, values)) in trial.inputs.iter().enumerate().filter(|(_, (name, _))| name != WEIGHTS) {
            if trial.forward.inputs().any(|(_, input, _)| input == name) {
                reference.write_input(0, name, values)?;
                operands[at] = Some(values.clone());
            }
        }
        Ok(Self { reference, operands })
    }

    /// The slope of `sum(value * weights)` along one number of an operand. Differences are taken before the sum, so that
    /// what did not move costs no digits.
    fn slope(&mut self, operand: usize, place: usize, weights: &[f64]) -> Result<f64> {
        let Some(here) = self.operands[operand].as_ref().map(|numbers| numbers[place]) else {
            return Ok(0.0);
        };
        let up = self.at(operand, place, here + STEP)?;
        let down = self.at(operand, place, here - STEP)?;
        self.at(operand, place, here)?;
        let apart = up.iter().zip(&down).zip(weights);
        Ok(apart.map(|((up, down), weight)| weight * (up - down)).sum::<f64>() / (2.0 * STEP))
    }

    fn at(&mut self, operand: usize, place: usize, number: f64) -> Result<Vec<f64>> {
        if let Some(numbers) = &mut self.operands[operand] {
            numbers[place] = number;
            self.reference.write_input(0, &operand.to_string(), numbers)?;
        }
        self.reference.run(&[0])?;
        self.reference.read_output(0, &Part::Value.to_string())
    }
}
