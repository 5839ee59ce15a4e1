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

/// Neighbouring numbers of every bank.
struct Chunk<'a, T> {
    p: &'a mut [T],
    g: &'a [T],
    state: Vec<&'a mut [T]>,
}

impl<T: Real> Chunk<'_, T> {
    fn update(self, rule: UpdateRule, rates: &[T]) {
        match rule {
            UpdateRule::Adam { beta1, beta2, eps } => {
                let step = adam([beta1, beta2, eps], rates);
                self.with_two(|p, g, m, v| *p -= step(g, m, v));
            }
            UpdateRule::AdamW { beta1, beta2, eps } => {
                let (step, kept) = (adam([beta1, beta2, eps], rates), rates[2]);
                self.with_two(|p, g, m, v| *p = kept * *p - step(g, m, v));
            }
            UpdateRule::RmsProp { alpha, eps, momentum, weight_decay } => {
                let [alpha, rest, eps, momentum_share, decay] =
                    [alpha, 1.0 - alpha, eps, momentum, weight_decay].map(T::from_f64);
                let lr = rates[0];
                let step = move |g: T, square: &mut T| {
                    *square = alpha * *square + rest * g * g;
                    g / (square.sqrt() + eps)
                };
                match momentum {
                    0.0 => self.with_one(|p, g, square| *p -= lr * step(g + decay * *p, square)),
                    _ => self.with_two(|p, g, square, buffer| {
                        *buffer = momentum_share * *buffer + step(g + decay * *p, square);
                        *p -= lr * *buffer;
                    }),
                }
            }
            UpdateRule::Sgd { momentum, nesterov, weight_decay } => {
                let (lr, share, decay) = (rates[0], rates[1], T::from_f64(weight_decay));
                let momentum_share = T::from_f64(momentum);
                let add = move |g: T, buffer: &mut T| *buffer = momentum_share * *buffer + share * g;
                match (momentum, nesterov) {
                    (0.0, _) => self.with_none(|p, g| *p -= lr * (g + decay * *p)),
                    (_, false) => self.with_one(|p, g, buffer| {
                        add(g + decay * *p, buffer);
                        *p -= lr * *buffer;
                    }),
                    (_, true) => self.with_one(|p, g, buffer| {
                        let g = g + decay * *p;
                        add(g, buffer);
                        *p -= lr * (g + momentum_share * *buffer);
                    }),
                }
            }
        }
    }

    fn with_none(self, change: impl Fn(&mut T, T)) {
        vectorized(|| self.p.iter_mut().zip(self.g).for_each(|(p, &g)| change(p, g)));
    }

    fn with_one(self, change: impl Fn(&mut T, T, &mut T)) {
        let Ok([a]) = <[_; 1]>::try_from(self.state) else { unreachable!("Step::check counts its banks") };
        vectorized(|| {
            for ((p, &g), a) in self.p.iter_mut().zip(self.g).zip(a) {
                change(p, g, a);
            }
        });
    }

    fn with_two(self, change: impl Fn(&mut T, T, &mut T, &mut T)) {
        let Ok([a, b]) = <[_; 2]>::try_from(self.state) else { unreachable!("Step::check counts its banks") };
        vectorized(|| {
            for ((p, &g), (a, b)) in self.p.iter_mut().zip(self.g).zip(a.iter_mut().zip(b)) {
                change(p, g, a, b);
            }
        });
    }
}

/// Updates the moments and returns the step.
fn adam<T: Real>([beta1, beta2, eps]: [f64; 3], rates: &[T]) -> impl Fn(T, &mut T, &mut T) -> T {
    let [b1, b2, r1, r2, eps] = [beta1, beta2, 1.0 - beta1, 1.0 - beta2, eps].map(T::from_f64);
    let (step_size, correction) = (rates[0], rates[1]);
    move |g, m, v| {
        *m = b1 * *m + r1 * g;
        *v = b2 * *v + r2 * g * g;
        step_size * *m / (v.sqrt() * correction + eps)
    }
}
