//! Changes of state.

use super::number::Read;
use super::optimizer::optimize;
use super::pointwise::CHUNK;
use super::{Real, vectorized};
use crate::executor::exchange::mean;
use crate::graph::loss_scale::{FACTOR, INTERVAL, LARGEST, SCALE, UPDATES};
use crate::graph::{StateBuffer, Update};
use crate::ranks::Ranks;
use rayon::prelude::*;

/// Applies one update to the state buffers; `value` reads a node.
pub fn apply<T: Real>(update: &Update, buffers: &mut [Vec<T>], ranks: &Ranks, value: &Read<'_, T>) {
    match *update {
        Update::Mean { buffer, share } => mean(share, ranks, &mut buffers[buffer]),
        Update::Store { slot, value: id } => {
            let value = value(buffers, id);
            buffers[slot.buffer][slot.offset..slot.offset + value.len()].copy_from_slice(&value);
        }
        Update::RunningMoments { slot, moments, momentum, count } => {
            let moments = value(buffers, moments);
            let unbiased = count as f64 / (count as f64 - 1.0).max(1.0);
            let channels = moments.len() / 2;
            let running = &mut buffers[slot.buffer][slot.offset..slot.offset + moments.len()];
            for (index, (running, moment)) in running.iter_mut().zip(moments).enumerate() {
                let correction = if index < channels { 1.0 } else { unbiased };
                *running =
                    T::from_f64(1.0 - momentum) * *running + T::from_f64(momentum * correction) * moment;
            }
        }
        Update::ScatterRows { slot, len, value: id, rows } => {
            let (value, rows) = (value(buffers, id), value(buffers, rows));
            let row_len = value.len() / rows.len();
            let tensor = &mut buffers[slot.buffer][slot.offset..slot.offset + len];
            let there = 0.0..(len / row_len) as f64;
            for (new, row) in value.chunks_exact(row_len).zip(rows) {
                if there.contains(&row.as_f64()) {
                    tensor[row.as_f64() as usize * row_len..][..row_len].copy_from_slice(new);
                }
            }
        }
        Update::Average { average, parameters, decay } => {
            let decay = value(buffers, decay)[0];
            let mut averages = std::mem::take(&mut buffers[average]);
            let chunks = averages.par_chunks_mut(CHUNK).zip(buffers[parameters].par_chunks(CHUNK));
            chunks.for_each(|(averages, parameters)| {
                vectorized(|| {
                    for (average, &parameter) in averages.iter_mut().zip(parameters) {
                        *average = decay * *average + (T::from_f64(1.0) - decay) * parameter;
                    }
                });
            });
            buffers[average] = averages;
        }
        Update::Unscale { gradients, scale } => {
            let finite = buffers[gradients].par_iter().all(|gradient| gradient.is_finite());
            let factor = rescale(&mut buffers[scale], finite);
            let zero = T::from_f64(0.0);
            buffers[gradients].par_chunks_mut(CHUNK).for_each(|gradients| match factor == zero {
                true => gradients.fill(zero),
                false => gradients.iter_mut().for_each(|gradient| *gradient *= factor),
            });
        }
        Update::Optimize { scale: Some(scale), .. } if is_left_out(&buffers[scale]) => {}
        Update::Optimize { rule, parameters, gradients, ref state, rates, .. } => {
            let rates = value(buffers, rates);
            let grads = std::mem::take(&mut buffers[gradients]);
            let mut kept: Vec<Vec<T>> =
                state.iter().map(|&buffer| std::mem::take(&mut buffers[buffer])).collect();
            optimize(rule, &rates, &mut buffers[parameters], &grads, &mut kept);
            buffers[gradients] = grads;
            state.iter().zip(kept).for_each(|(&buffer, values)| buffers[buffer] = values);
        }
    }
}

/// Changes a loss scale after gradients that are all finite or not, and returns what these are to be multiplied by.
fn rescale<T: Real>(state: &mut [T], finite: bool) -> T {
    let layout = StateBuffer::loss_scale();
    let [scale, updates, factor] = [SCALE, UPDATES, FACTOR].map(|index| layout.tensors[index].2);
    let number = |value: f64| T::from_f64(value);
    let (old, made) = (state[scale], state[updates] + number(1.0));
    let left_out = !finite && old > number(1.0);
    (state[scale], state[updates]) = match left_out {
        true => (old * number(0.5), number(0.0)),
        false if made >= number(INTERVAL) => ((old * number(2.0)).min(number(LARGEST)), number(0.0)),
        false => (old, made),
    };
    state[factor] = if left_out { number(0.0) } else { number(1.0) / old };
    state[factor]
}

/// Whether the update of a loss scale in this state is left out.
fn is_left_out<T: Real>(state: &[T]) -> bool {
    state[StateBuffer::loss_scale().tensors[FACTOR].2] == T::from_f64(0.0)
}
