//! What ranks make of their numbers together, on the host: the numbers of a GPU come there for it.

use crate::graph::Collective;
use crate::ranks::Ranks;
use crate::real::Real;

/// See [`Collective`]: `x` is this rank's, `y` becomes what all have.
pub fn exchange<T: Real>(exchange: Collective, ranks: &Ranks, x: &[T], y: &mut [T]) {
    match exchange {
        Collective::AllReduceMean { share } => {
            y.copy_from_slice(x);
            mean(share, ranks, y);
        }
        Collective::AllReduceMoments { share } => {
            let channels = x.len() / 2;
            // In double precision the square of a mean may be taken off again: what is lost is below what `x` is rounded by.
            let mut sums: Vec<f64> = x.iter().map(|x| share * x.as_f64()).collect();
            for c in 0..channels {
                sums[channels + c] += share * x[c].as_f64() * x[c].as_f64();
            }
            ranks.sum(&mut sums);
            for c in 0..channels {
                let mean = sums[c];
                y[c] = T::from_f64(mean);
                let variance = sums[channels + c] - mean * mean;
                // Not by max, so that NaN stays.
                y[channels + c] = T::from_f64(if variance < 0.0 { 0.0 } else { variance });
            }
        }
        Collective::AllGather { whole } => {
            ranks.gather(bytemuck::cast_slice(x), whole, bytemuck::cast_slice_mut(y))
        }
    }
}

/// As [`Collective::AllReduceMean`], in place.
pub fn mean<T: Real>(share: f64, ranks: &Ranks, values: &mut [T]) {
    let share = T::from_f64(share);
    values.iter_mut().for_each(|value| *value *= share);
    ranks.sum(values);
}
