//! DiffAugment's draws as inputs of a step.

use crate::Result;
use crate::data::DiffAugmentDraws;
use crate::executor::Executor;
use crate::nn::diffaugment::DiffAugmentPolicy;

/// Whether `policy` does anything.
pub fn in_use(policy: DiffAugmentPolicy) -> bool {
    policy.color || policy.translation || policy.cutout
}

/// Writes `draws` as the inputs that [`DiffAugmentPolicy::apply`] has named after `source`.
///
/// # Errors
/// If the step has no such inputs.
pub fn write(
    executor: &mut dyn Executor,
    step: usize,
    source: &str,
    policy: DiffAugmentPolicy,
    draws: &DiffAugmentDraws,
) -> Result<()> {
    let inputs = [
        (policy.color, "brightness", &draws.brightness),
        (policy.color, "saturation", &draws.saturation),
        (policy.color, "contrast", &draws.contrast),
        (policy.translation, "shift", &draws.shift),
        (policy.cutout, "mask", &draws.mask),
    ];
    for (_, name, values) in inputs.into_iter().filter(|(used, ..)| *used) {
        executor.write_input(step, &format!("{source}.{name}"), values)?;
    }
    Ok(())
}
