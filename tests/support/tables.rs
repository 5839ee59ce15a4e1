//! Every kernel of every contraction.

use mewgpu::gpu::lower::{Choices, Contraction, Target, Variant, candidates};
use mewgpu::graph::Step;

/// Tables by which lowering takes every candidate for every contraction of `step` at least once.
pub fn tables(step: &Step, target: &Target) -> Vec<Choices> {
    let all: Vec<(Contraction, Vec<Variant>)> = Contraction::all(std::slice::from_ref(step))
        .into_iter()
        .map(|of| (of, candidates(&of, target)))
        .collect();
    let most = all.iter().map(|(_, variants)| variants.len()).max().unwrap_or(1);
    let table = |number: usize| {
        let mut choices = Choices::default();
        all.iter().for_each(|(of, variants)| choices.set(*of, variants[number % variants.len()]));
        choices
    };
    (0..most).map(table).collect()
}
