//! What ranks make of their numbers together, on the host: the numbers of a GPU come there for it.

use crate::graph::Exchange;
use crate::ranks::Ranks;
use crate::real::Real;

/// See [`Exchange`]: `x` is this rank's, `y` becomes what all have.
pub fn exchange<T: Real>(exchange: Exchange, ranks: &Ranks, x: &[T], y: &mut [T]) {
    match exchange {
        Exchange::Mean { share } => {
            y.copy_from_slice(x);
            mean(share, ranks, y);
        }
        Exchange::Moments { share } => {
            let channels = x.len() / 2;
            // In double precision the square of a mean may be taken off again: what is lost is below what `x` is rounded by.
            let mut sums: Vec<f64> = x.iter().map(|x| share * x.wide()).collect();
            for c in 0..channels {
                sums[channels + c] += share * x[c].wide() * x[c].wide();
            }
            ranks.sum(&mut sums);
            for c in 0..channels {
                let mean = sums[c];
                y[c] = T::of(mean);
                let variance = sums[channels + c] - mean * mean;
                // Not by max, so that NaN stays.
                y[channels + c] = T::of(if variance < 0.0 { 0.0 } else { variance });
            }
        }
        Exchange::Gather { whole } => {
            ranks.gather(bytemuck::cast_slice(x), whole, bytemuck::cast_slice_mut(y))
        }
    }
}

/// As [`Exchange::Mean`], in place.
pub fn mean<T: Real>(share: f64, ranks: &Ranks, values: &mut [T]) {
    let share = T::of(share);
    values.iter_mut().for_each(|value| *value *= share);
    ranks.sum(values);
}
