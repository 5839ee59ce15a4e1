//! Updates of optimizers: see [`UpdateRule`].

use super::pointwise::CHUNK;
use super::{Real, vectorized};
use crate::graph::UpdateRule;
use rayon::prelude::*;

/// One update of all `parameters` by `rule`, whose buffers are `state`, in order.
pub fn optimize<T: Real>(
    rule: UpdateRule,
    rates: &[T],
    parameters: &mut [T],
    gradients: &[T],
    state: &mut [Vec<T>],
) {
    let mut chunks: Vec<_> = parameters
        .chunks_mut(CHUNK)
        .zip(gradients.chunks(CHUNK))
        .map(|(p, g)| Chunk { p, g, state: Vec::with_capacity(state.len()) })
        .collect();
    for values in state {
        chunks.iter_mut().zip(values.chunks_mut(CHUNK)).for_each(|(chunk, values)| chunk.state.push(values));
    }
    chunks.into_par_iter().for_each(|chunk| chunk.update(rule, rates));
}

/// Neighbouring numbers of every state buffer.
struct Chunk<'a, T> {
    p: &'a mut [T],
    g: &'a [T],
    state: Vec<&'a mut [T]>,
}

/// Changes every parameter `p` of a chunk, whose gradient is `g`, and as many numbers of the optimizer's state as are named. A macro
/// and not a function of a closure: what is called in between is not compiled for vector instructions.
macro_rules! change {
    ($chunk:expr, |$p:ident, $g:ident| $change:expr) => {{
        let Chunk { p, g, .. } = $chunk;
        vectorized(|| p.iter_mut().zip(g).for_each(|($p, &$g)| $change));
    }};
    ($chunk:expr, |$p:ident, $g:ident, $a:ident| $change:expr) => {{
        let Chunk { p, g, state } = $chunk;
        let Ok([a]) = <[_; 1]>::try_from(state) else { unreachable!("Step::check counts its state buffers") };
        vectorized(|| p.iter_mut().zip(g).zip(a).for_each(|(($p, &$g), $a)| $change));
    }};
    ($chunk:expr, |$p:ident, $g:ident, $a:ident, $b:ident| $change:expr) => {{
        let Chunk { p, g, state } = $chunk;
        let Ok([a, b]) = <[_; 2]>::try_from(state) else {
            unreachable!("Step::check counts its state buffers")
        };
        vectorized(|| {
            for (($p, &$g), ($a, $b)) in p.iter_mut().zip(g).zip(a.iter_mut().zip(b)) {
                $change;
            }
        });
    }};
}

impl<T: Real> Chunk<'_, T> {
    fn update(self, rule: UpdateRule, rates: &[T]) {
        match rule {
            UpdateRule::Adam { beta1, beta2, eps } => {
                let adam = Adam::new([beta1, beta2, eps], rates);
                change!(self, |p, g, m, v| *p -= adam.step(g, m, v));
            }
            UpdateRule::AdamW { beta1, beta2, eps } => {
                let (adam, kept) = (Adam::new([beta1, beta2, eps], rates), rates[2]);
                change!(self, |p, g, m, v| *p = kept * *p - adam.step(g, m, v));
            }
            UpdateRule::RmsProp { alpha, eps, momentum, weight_decay } => {
                let rms = RmsProp { alpha: [alpha, 1.0 - alpha].map(T::from_f64), eps: T::from_f64(eps) };
                let [momentum_share, decay] = [momentum, weight_decay].map(T::from_f64);
                let lr = rates[0];
                match momentum {
                    0.0 => change!(self, |p, g, square| *p -= lr * rms.step(g + decay * *p, square)),
                    _ => change!(self, |p, g, square, buffer| {
                        *buffer = momentum_share * *buffer + rms.step(g + decay * *p, square);
                        *p -= lr * *buffer;
                    }),
                }
            }
            UpdateRule::Sgd { momentum, nesterov, weight_decay } => {
                let (lr, share) = (rates[0], rates[1]);
                let [momentum_share, decay] = [momentum, weight_decay].map(T::from_f64);
                match (momentum, nesterov) {
                    (0.0, _) => change!(self, |p, g| *p -= lr * (g + decay * *p)),
                    (_, false) => change!(self, |p, g, buffer| {
                        *buffer = momentum_share * *buffer + share * (g + decay * *p);
                        *p -= lr * *buffer;
                    }),
                    (_, true) => change!(self, |p, g, buffer| {
                        let g = g + decay * *p;
                        *buffer = momentum_share * *buffer + share * g;
                        *p -= lr * (g + momentum_share * *buffer);
                    }),
                }
            }
        }
    }
}

/// The numbers of Adam at one update.
struct Adam<T> {
    /// The decay of either moment, and what of a gradient enters it.
    first: [T; 2],
    second: [T; 2],
    eps: T,
    step_size: T,
    correction: T,
}

impl<T: Real> Adam<T> {
    fn new([beta1, beta2, eps]: [f64; 3], rates: &[T]) -> Self {
        let decay = |beta: f64| [beta, 1.0 - beta].map(T::from_f64);
        let (first, second, eps) = (decay(beta1), decay(beta2), T::from_f64(eps));
        Self { first, second, eps, step_size: rates[0], correction: rates[1] }
    }

    /// Updates the moments and returns the step.
    #[inline(always)]
    fn step(&self, g: T, m: &mut T, v: &mut T) -> T {
        *m = self.first[0] * *m + self.first[1] * g;
        *v = self.second[0] * *v + self.second[1] * g * g;
        self.step_size * *m / (v.sqrt() * self.correction + self.eps)
    }
}

/// The numbers of RMSProp.
struct RmsProp<T> {
    /// The decay of the mean square, and what of a squared gradient enters it.
    alpha: [T; 2],
    eps: T,
}

impl<T: Real> RmsProp<T> {
    /// Updates the mean square and returns the gradient over its root.
    #[inline(always)]
    fn step(&self, g: T, square: &mut T) -> T {
        *square = self.alpha[0] * *square + self.alpha[1] * g * g;
        g / (square.sqrt() + self.eps)
    }
}
