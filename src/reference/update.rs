//! Changes of state.

use super::number::Read;
use super::pointwise::CHUNK;
use super::{Real, vectorized};
use crate::executor::exchange::mean;
use crate::graph::Update;
use crate::ranks::Ranks;
use rayon::prelude::*;

/// Applies one update to the banks; `value` reads a node.
pub fn apply<T: Real>(update: &Update, banks: &mut [Vec<T>], ranks: &Ranks, value: &Read<'_, T>) {
    match *update {
        Update::Mean { bank, share } => mean(share, ranks, &mut banks[bank]),
        Update::Store { slot, value: id } => {
            let value = value(banks, id);
            banks[slot.bank][slot.offset..slot.offset + value.len()].copy_from_slice(&value);
        }
        Update::RunningMoments { slot, moments, momentum, count } => {
            let moments = value(banks, moments);
            let unbiased = count as f64 / (count as f64 - 1.0).max(1.0);
            let channels = moments.len() / 2;
            let running = &mut banks[slot.bank][slot.offset..slot.offset + moments.len()];
            for (index, (running, moment)) in running.iter_mut().zip(moments).enumerate() {
                let correction = if index < channels { 1.0 } else { unbiased };
                *running = T::of(1.0 - momentum) * *running + T::of(momentum * correction) * moment;
            }
        }
        Update::StoreRows { slot, len, value: id, rows } => {
            let (value, rows) = (value(banks, id), value(banks, rows));
            let row_len = value.len() / rows.len();
            let tensor = &mut banks[slot.bank][slot.offset..slot.offset + len];
            let there = 0.0..(len / row_len) as f64;
            for (new, row) in value.chunks_exact(row_len).zip(rows) {
                if there.contains(&row.wide()) {
                    tensor[row.wide() as usize * row_len..][..row_len].copy_from_slice(new);
                }
            }
        }
        Update::Average { average, parameters, decay } => {
            let decay = value(banks, decay)[0];
            let mut averages = std::mem::take(&mut banks[average]);
            let chunks = averages.par_chunks_mut(CHUNK).zip(banks[parameters].par_chunks(CHUNK));
            chunks.for_each(|(averages, parameters)| {
                vectorized(|| {
                    for (average, &parameter) in averages.iter_mut().zip(parameters) {
                        *average = decay * *average + (T::of(1.0) - decay) * parameter;
                    }
                });
            });
            banks[average] = averages;
        }
        Update::Adam { parameters, gradients, first, second, rates, beta1, beta2, eps } => {
            let rates = value(banks, rates);
            let (step_size, correction) = (rates[0], rates[1]);
            let grads = std::mem::take(&mut banks[gradients]);
            let mut m = std::mem::take(&mut banks[first]);
            let mut v = std::mem::take(&mut banks[second]);
            let (b1, b2, eps) = (T::of(beta1), T::of(beta2), T::of(eps));
            let (r1, r2) = (T::of(1.0 - beta1), T::of(1.0 - beta2));
            let parameters = banks[parameters].par_chunks_mut(CHUNK).zip(grads.par_chunks(CHUNK));
            let moments = m.par_chunks_mut(CHUNK).zip(v.par_chunks_mut(CHUNK));
            parameters.zip(moments).for_each(|((p, g), (m, v))| {
                vectorized(|| {
                    for ((p, &g), (m, v)) in p.iter_mut().zip(g).zip(m.iter_mut().zip(v)) {
                        *m = b1 * *m + r1 * g;
                        *v = b2 * *v + r2 * g * g;
                        *p -= step_size * *m / (v.sqrt() * correction + eps);
                    }
                });
            });
            banks[gradients] = grads;
            banks[first] = m;
            banks[second] = v;
        }
    }
}
