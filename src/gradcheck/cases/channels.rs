//! Channels put together and taken apart, those that do and do not divide by four.

use super::Case;
use crate::graph::Var;

pub fn all() -> Vec<Case> {
    let with = |channels: usize| [2, 3, 5, channels];
    let concat = [&[4, 8][..], &[3, 4], &[4, 1], &[1, 2, 4, 5], &[20, 16, 64]];
    let concat = concat.map(|channels| {
        let shapes: Vec<[usize; 4]> = channels.iter().map(|channels| with(*channels)).collect();
        // Squared, so that gradients of gradients are not all 0.
        Case::new("concat_channels", &shapes, |v| Ok(Var::concat_channels(v)?.square()))
    });
    let slices = [(8, 4..8), (20, 4..16), (8, 2..6), (5, 0..4), (6, 5..6), (4, 0..4)];
    let slices = slices.map(|(channels, range)| {
        Case::new("slice_channels", &[with(channels)], move |v| {
            Ok(v[0].square().slice_channels(range.clone())?.square())
        })
    });
    concat.into_iter().chain(slices).collect()
}
