//! The kernels of optimizers.

use super::call::{Call, Memory};
use crate::graph::loss_scale::{INTERVAL, LARGEST};
use crate::graph::{StateBuffer, UpdateRule};

/// The kernel of a rule with the rule's constants; each binds gradients, rates, parameters and the rule's state.
pub fn kernel(rule: UpdateRule) -> Call {
    match rule {
        UpdateRule::Adam { beta1, beta2, eps } => moments(Call::new("optim/adam"), beta1, beta2, eps),
        UpdateRule::AdamW { beta1, beta2, eps } => moments(Call::new("optim/adamw"), beta1, beta2, eps),
        UpdateRule::RmsProp { alpha, eps, momentum, weight_decay } => {
            with_momentum(Call::new("optim/rmsprop"), momentum)
                .number("ALPHA", alpha)
                .number("REST", 1.0 - alpha)
                .number("EPS", eps)
                .number("WEIGHT_DECAY", weight_decay)
        }
        UpdateRule::Sgd { momentum, nesterov, weight_decay } => {
            with_momentum(Call::new("optim/sgd"), momentum)
                .flag("HAS_NESTEROV", nesterov)
                .number("WEIGHT_DECAY", weight_decay)
        }
    }
}

fn moments(call: Call, beta1: f64, beta2: f64, eps: f64) -> Call {
    call.number("BETA1", beta1)
        .number("BETA2", beta2)
        .number("REST1", 1.0 - beta1)
        .number("REST2", 1.0 - beta2)
        .number("EPS", eps)
}

fn with_momentum(call: Call, momentum: f64) -> Call {
    match momentum {
        0.0 => call,
        momentum => call.define("HAS_MOMENTUM", 1).number("MOMENTUM", momentum),
    }
}

/// An optimizer's call, to be left out where the state of its loss scale says so.
pub fn scaled(call: Call, scale: Memory) -> Call {
    let binding = call.reads.len() + call.writes.len();
    with_places(call.define("SCALED", binding)).write(scale)
}

/// The calls that take a loss scale off `len` gradients and change it: whether all are finite, what follows for the scale, and the
/// gradients divided by it.
pub fn unscale(len: usize, gradients: Memory, scale: Memory) -> [Call; 3] {
    let of_all = |name| with_places(Call::new(name)).constant("COUNT", len / 4).threads(len / 4);
    [
        of_all("optim/overflow").read(gradients).write(scale),
        with_places(Call::new("optim/rescale"))
            .number("INTERVAL", INTERVAL)
            .number("LARGEST", LARGEST)
            .write(scale),
        of_all("optim/unscale").read(scale).write(gradients),
    ]
}

/// Where the numbers of a loss scale's state are.
fn with_places(call: Call) -> Call {
    let places = StateBuffer::loss_scale().tensors.into_iter().map(|(_, _, offset)| offset);
    let names = ["SCALE", "UPDATES", "FACTOR", "FOUND"];
    names.into_iter().zip(places).fold(call, |call, (name, place)| call.define(name, place))
}
