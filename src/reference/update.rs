//! Changes of state.

use super::number::Read;
use super::optimizer::optimize;
use super::pointwise::CHUNK;
use super::{Real, vectorized};
use crate::executor::exchange::mean;
use crate::graph::Update;
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
        Update::Optimize { rule, parameters, gradients, ref state, rates } => {
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
