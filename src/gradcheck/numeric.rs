//! Gradients as differences: of two values of a function, with one number of one operand moved a little up and down.

use super::difference::Difference;
use super::trial::{Part, Trial};
use crate::Result;
use crate::executor::Executor;
use crate::reference::Reference;

/// How far a number is moved: the error of a central difference is of order 1e-10 from curvature and 1e-11 from
/// rounding, far under the tolerance.
const STEP: f64 = 1e-5;

/// Largest error of a gradient, in f64.
pub const TOLERANCE: f64 = 1e-7;

/// The gradients of the reference in f64 against central differences, at most so many numbers of each, evenly spread.
///
/// # Errors
/// None that a trial which could be made gives.
pub fn of_reference(trial: &Trial, most: usize) -> Result<Vec<Difference>> {
    let mut reference = Reference::new(&[], vec![trial.forward.clone()])?;
    for (name, values) in trial.used(&trial.forward) {
        reference.write_input(0, name, values)?;
    }
    differences(trial, &trial.reference::<f64>()?, &mut reference, most)
}

/// The gradients among `results` against central differences of the value that `executor` computes from the operands
/// written to it.
///
/// # Errors
/// If the device fails.
pub fn differences(
    trial: &Trial,
    results: &[(Part, Vec<f64>)],
    executor: &mut dyn Executor<f64>,
    most: usize,
) -> Result<Vec<Difference>> {
    let gradients = results.iter().filter_map(|(part, numbers)| match part {
        Part::Gradient(operand) => Some((*operand, numbers)),
        _ => None,
    });
    let mut slopes = Slopes { trial, executor };
    gradients
        .map(|(operand, gradient)| {
            let places: Vec<usize> = (0..gradient.len()).step_by(gradient.len().div_ceil(most)).collect();
            let slope = |&place: &usize| slopes.at(operand, place);
            let expected = places.iter().map(slope).collect::<Result<Vec<f64>>>()?;
            let found: Vec<f64> = places.iter().map(|&place| gradient[place]).collect();
            let worst = Difference::worst(Part::Gradient(operand), &found, &expected);
            Ok(Difference { at: places[worst.at], ..worst })
        })
        .collect()
}

/// The value, ready to be computed again and again.
struct Slopes<'a> {
    trial: &'a Trial,
    executor: &'a mut dyn Executor<f64>,
}

impl Slopes<'_> {
    /// The slope of `sum(value * weights)` along one number of an operand. Differences are taken before the sum, so that
    /// what did not move costs no digits.
    fn at(&mut self, operand: usize, place: usize) -> Result<f64> {
        let (trial, name) = (self.trial, operand.to_string());
        let Some((_, numbers)) = trial.used(&trial.forward).find(|(input, _)| *input == name) else {
            return Ok(0.0);
        };
        let mut moved = numbers.to_vec();
        let mut value = |by: f64| {
            moved[place] = numbers[place] + by;
            self.executor.write_input(0, &name, &moved)?;
            self.executor.run(&[0])?;
            self.executor.read_output(0, &Part::Value.to_string())
        };
        let (up, down) = (value(STEP)?, value(-STEP)?);
        self.executor.write_input(0, &name, numbers)?;
        let apart = up.iter().zip(&down).zip(trial.weights());
        Ok(apart.map(|((up, down), weight)| weight * (up - down)).sum::<f64>() / (2.0 * STEP))
    }
}
