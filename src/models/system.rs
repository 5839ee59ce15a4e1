//! A model's training as it begins, to be measured or listed: its iteration, and numbers to run it on.

use super::{Kind, with_model};
use crate::Result;
use crate::data::dropout;
use crate::executor::Executor;
use crate::graph::{StateBuffer, Step};
use crate::random::uniform;
use crate::real::Precision;
use crate::shape::Shape;
use crate::train::config::{Preset, RunConfig};
use crate::train::model::Model;
use crate::train::phase::{Phase, Source};

/// A model's training by some settings.
pub struct System {
    /// Such as `dcgan course`.
    pub name: String,
    /// An iteration: every phase that may be due.
    pub phases: Vec<Phase>,
    buffers: Vec<StateBuffer>,
    /// The numbers that state buffers begin with.
    initial: Box<dyn Fn() -> Vec<Vec<f32>>>,
}

/// Every model at every preset, in a precision.
///
/// # Errors
/// If a preset's networks do not fit each other (an error in this crate).
pub fn all(precision: Precision) -> Result<Vec<System>> {
    let kinds = Kind::ALL.iter().flat_map(|&kind| Preset::ALL.map(|preset| (kind, preset)));
    kinds.map(|(kind, preset)| preset_of(kind, preset, precision)).collect()
}

/// The training of a model at a preset, in a precision.
///
/// # Errors
/// If the preset's networks do not fit each other (an error in this crate).
pub fn preset_of(kind: Kind, preset: Preset, precision: Precision) -> Result<System> {
    let name = format!("{} {}", kind.name(), preset.name());
    with_model!(kind, M => {
        let mut config = <M as Model>::Config::preset(preset);
        config.common_mut().precision = precision;
        System::new::<M>(name, &config)
    })
}

impl System {
    /// The training that the settings of a model ask for.
    ///
    /// # Errors
    /// If its networks do not fit each other.
    pub fn new<M: Model + 'static>(name: String, config: &M::Config) -> Result<Self> {
        let common = config.common();
        let model = M::new(config, common.batch)?;
        let (phases, buffers) = (model.phases(config, common.batch.into())?, model.buffers());
        let init = config.init();
        Ok(Self { name, phases, buffers, initial: Box::new(move || model.initial(init, 0)) })
    }

    /// The steps of the phases.
    pub fn steps(&self) -> Vec<Step> {
        self.phases.iter().map(|phase| phase.step.clone()).collect()
    }

    /// The state its steps work on.
    pub fn buffers(&self) -> &[StateBuffer] {
        &self.buffers
    }

    /// Floating-point operations of the contractions of one iteration.
    pub fn flops(&self) -> u64 {
        let steps = self.phases.iter().map(|phase| &phase.step);
        steps.flat_map(|step| (0..step.nodes.len()).map(|id| step.flops(id))).sum()
    }

    /// Writes initial parameters and some inputs, so that training begins as it would.
    ///
    /// # Errors
    /// If the device fails.
    pub fn begin(&self, executor: &mut dyn Executor) -> Result<()> {
        for (buffer, values) in (self.initial)().iter().enumerate() {
            executor.write_state(buffer, values)?;
        }
        for (index, phase) in self.phases.iter().enumerate() {
            let shapes = phase.step.inputs().map(|(_, _, shape)| shape);
            for ((name, source), shape) in phase.inputs.iter().zip(shapes) {
                executor.write_input(index, name, &numbers(name, source, shape))?;
            }
        }
        Ok(())
    }
}

/// Some numbers for an input.
fn numbers(name: &str, source: &Source, shape: Shape) -> Vec<f32> {
    match source {
        Source::Rates(rates) => rates.adam.rates(1).map(|rate| rate as f32).into(),
        // Rows of a pool: its first.
        Source::PoolShown(_) | Source::PoolStored(_) => vec![0.0; shape.len()],
        Source::Images { .. } | Source::Noise { .. } | Source::Decay { .. } | Source::Augmentation { .. } => {
            uniform(name, -1.0, shape.len())
        }
        Source::Dropout { rate, stream } => dropout(*rate, 0, stream, 1, shape.len()),
    }
}

#[cfg(test)]
mod tests {
    use super::{Phase, all};
    use crate::gpu::lower::{Target, lower};
    use crate::real::Precision;

    #[test]
    fn the_dispatches_of_a_step_have_its_operations() {
        for system in all(Precision::F32).unwrap() {
            for (step, target) in system
                .phases
                .iter()
                .flat_map(|Phase { step, .. }| [(step, Target::GPU), (step, Target::SOFTWARE)])
            {
                let target = Target { max_binding: u64::MAX, max_buffer: u64::MAX, ..target };
                let program = lower(step, system.buffers(), &target).unwrap();
                let lowered: u64 = program.dispatches.iter().map(|dispatch| program.flops(dispatch)).sum();
                let meant: u64 = (0..step.nodes.len()).map(|id| step.flops(id)).sum();
                assert!(meant > 0);
                assert_eq!(lowered, meant, "{}, {}", system.name, step.name);
                for dispatch in &program.dispatches {
                    assert!(!dispatch.op.is_empty() && dispatch.bytes() > 0, "{}", program.kernel(dispatch));
                    assert_eq!(dispatch.shapes.len(), dispatch.bindings.len());
                    let fits = dispatch.shapes.iter().zip(&dispatch.bindings);
                    assert!(fits.into_iter().all(|(shape, region)| shape.len() as u64 * 4 <= region.size));
                }
            }
        }
    }
}
