//! The kernels of optimizers.

use super::call::Call;
use crate::graph::UpdateRule;

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
