//! Updates of every kind over shared state buffers.

use super::buffers::{Buffers, Kind};
use super::numbers::Purpose;
use super::pool::Pool;
use mewgan::graph::{Update, UpdateRule, Var};
use mewgan::shape::Shape;

/// Some updates in random order. Values are drawn with replacement from a few, so that one is often stored twice.
pub fn updates<'g>(pool: &mut Pool<'g, '_>) -> Vec<Update> {
    let values: Vec<Var<'g>> = (0..pool.below(4) + 1).map(|_| pool.pick().0).collect();
    (0..pool.below(7)).map(|_| update(pool, &values)).collect()
}

fn update<'g>(pool: &mut Pool<'g, '_>, values: &[Var<'g>]) -> Update {
    let value = pool.among(values);
    match pool.below(20) {
        0..=8 => store(pool, Kind::Any, value),
        9 => store(pool, Kind::Positive, value.square().affine(1.0, 0.1)),
        10..=12 => moments(pool, value),
        13 | 14 => scatter_rows(pool, value),
        15 => {
            let ([buffer], share) = (Buffers::of(Kind::Any, pool.rng), pool.among(&[0.75, 1.0]));
            Update::Mean { buffer, share }
        }
        16 | 17 => {
            let kind = pool.among(&[Kind::Any, Kind::Any, Kind::Running]);
            let [average, parameters] = Buffers::of(kind, pool.rng);
            Update::Average { average, parameters, decay: pool.input(Purpose::Decay, Shape::SCALAR).id() }
        }
        _ => optimize(pool),
    }
}

fn optimize(pool: &mut Pool<'_, '_>) -> Update {
    let (beta1, beta2, eps, weight_decay) = (0.5, 0.9, 1e-3, 0.1);
    let (momentum, nesterov) = (pool.among(&[0.0, 0.9]), pool.chance(0.5));
    let rule = pool.among(&[
        UpdateRule::Adam { beta1, beta2, eps },
        UpdateRule::AdamW { beta1, beta2, eps },
        UpdateRule::RmsProp { alpha: 0.9, eps, momentum, weight_decay },
        UpdateRule::Sgd { momentum, nesterov, weight_decay },
    ]);
    let ([parameters, gradients, any], [positive]) =
        (Buffers::of(Kind::Any, pool.rng), Buffers::of(Kind::Positive, pool.rng));
    // Mean squares, whose roots are taken.
    let buffer = |name: &&str| if ["second", "square"].contains(name) { positive } else { any };
    let state = rule.state().iter().map(buffer).collect();
    let rates = pool.input(Purpose::Rates, Shape::vector(rule.rates())).id();
    Update::Optimize { rule, parameters, gradients, state, rates, scale: None }
}

fn store<'g>(pool: &mut Pool<'g, '_>, kind: Kind, value: Var<'g>) -> Update {
    // The host keeps reading what this step made of it, whatever is stored there later.
    if pool.chance(0.3) {
        pool.outputs.push(value);
    }
    Update::Store { slot: pool.buffers.slot(kind, value.shape(), pool.rng), value: value.id() }
}

/// Moments that there are, else those of `value`, beside others like them or among other tensors.
fn moments<'g>(pool: &mut Pool<'g, '_>, value: Var<'g>) -> Update {
    let known = pool.moments.clone();
    let moments =
        if known.is_empty() { value.moments(mewgan::graph::Per::Batch) } else { pool.among(&known) };
    let kind = pool.among(&[Kind::Any, Kind::Running, Kind::Running]);
    if pool.chance(0.2) {
        return store(pool, kind, moments);
    }
    let slot = pool.buffers.slot(kind, moments.shape(), pool.rng);
    Update::RunningMoments { slot, moments: moments.id(), momentum: 0.1, count: pool.among(&[1, 7, 24]) }
}

fn scatter_rows<'g>(pool: &mut Pool<'g, '_>, value: Var<'g>) -> Update {
    let [count, h, w, c] = value.shape().0;
    let tensor = Shape([pool.below(4) + 1, h, w, c]);
    let slot = pool.buffers.slot(Kind::Any, tensor, pool.rng);
    let rows = pool.input(Purpose::Replaced(tensor.0[0]), Shape([count, 1, 1, 1])).id();
    Update::ScatterRows { slot, len: tensor.len(), value: value.id(), rows }
}
