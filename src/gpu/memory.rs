//! How much memory programs take on a device.

use super::finite;
use super::program::Program;
use crate::Result;
use crate::graph::StateBuffer;

/// Bytes of so many numbers.
pub fn bytes<T>(numbers: usize) -> u64 {
    (numbers * size_of::<T>()) as u64
}

/// Bytes of device memory that `programs` over `state_buffers` take.
///
/// # Errors
/// If a kernel's text cannot be made (an error in this crate).
pub fn planned_bytes(state_buffers: &[StateBuffer], mut programs: Vec<Program>) -> Result<u64> {
    programs.extend(finite::program(state_buffers)?);
    let own = |program: &Program| {
        let constants = buffer_size(bytes::<f32>(program.constants.len()));
        let results: u64 = program.results.iter().map(|&size| buffer_size(size)).sum();
        buffer_size(program.input_bytes) + constants + results
    };
    let (pool, _) = shared_pool(&programs);
    let shared =
        pool.into_iter().chain(state_buffers.iter().map(|state_buffer| bytes::<f32>(state_buffer.len)));
    Ok(shared.map(buffer_size).chain(programs.iter().map(own)).sum())
}

/// No buffer is smaller than this, so that even an empty one can be bound.
pub fn buffer_size(size: u64) -> u64 {
    size.max(256)
}

/// One pool serves all programs, for they run one after another: the largest slot of each shares a buffer, then the
/// second largest. Returns the buffers' sizes and, for every program, the buffer of each of its slots.
pub fn shared_pool(programs: &[Program]) -> (Vec<u64>, Vec<Vec<usize>>) {
    let mut sizes: Vec<u64> = Vec::new();
    let mut slots = Vec::new();
    for program in programs {
        let mut order: Vec<usize> = (0..program.pool.len()).collect();
        order.sort_by_key(|&slot| std::cmp::Reverse(program.pool[slot]));
        let mut of = vec![0; order.len()];
        for (buffer, slot) in order.into_iter().enumerate() {
            of[slot] = buffer;
            match sizes.get_mut(buffer) {
                Some(size) => *size = (*size).max(program.pool[slot]),
                None => sizes.push(program.pool[slot]),
            }
        }
        slots.push(of);
    }
    (sizes, slots)
}
