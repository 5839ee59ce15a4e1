//! What is measured: the training steps of every preset.

use super::report::{Group, Subject};
use crate::Result;
use crate::executor::Executor;
use crate::graph::{Bank, Step};
use crate::nn::Init;
use crate::optim::Adam;
use crate::random::stream;
use crate::shape::Shape;
use crate::train::config::{CycleGanConfig, DcganConfig, Preset, RunConfig};
use crate::train::model::Model;
use rand::RngExt;

/// A preset's training.
pub struct System {
    /// Such as `dcgan course`.
    pub name: String,
    /// The steps of one iteration, every one that may be due.
    pub steps: Vec<Step>,
    model: Box<dyn Model>,
    init: Init,
    adam: Adam,
}

/// All eight: both kinds of training at all presets.
///
/// # Errors
/// If a preset's networks do not fit each other (an error in this crate).
pub fn all() -> Result<Vec<System>> {
    let presets = [
        ("small", Preset::Small),
        ("seed", Preset::Seed),
        ("course", Preset::Course),
        ("paper", Preset::Paper),
    ];
    let dcgans = presets.map(|(name, preset)| dcgan(format!("dcgan {name}"), preset.config()));
    let cyclegans =
        presets.map(|(name, preset)| cyclegan(format!("cyclegan {name}"), preset.cyclegan_config()));
    dcgans.into_iter().chain(cyclegans).collect()
}

fn dcgan(name: String, config: DcganConfig) -> Result<System> {
    let model = config.dcgan()?;
    let steps = vec![model.discriminator_step(config.batch)?, model.generator_step(config.batch)?];
    let adam = model.objective.g_adam;
    Ok(System { name, steps, model: Box::new(model), init: config.start().1, adam })
}

fn cyclegan(name: String, config: CycleGanConfig) -> Result<System> {
    let model = config.cyclegan()?;
    let steps = model.steps(config.batch)?;
    let adam = model.objective.g_adam;
    Ok(System { name, steps, model: Box::new(model), init: config.start().1, adam })
}

impl System {
    /// What an iteration is in the list of rows.
    pub fn subject(&self) -> Subject {
        Subject {
            flops: self.flops(),
            used_by: vec![self.name.clone()],
            ..Subject::new(Group::Steps, &self.name, "")
        }
    }

    /// The state its steps work on.
    pub fn banks(&self) -> Vec<Bank> {
        self.model.banks()
    }

    /// Floating-point operations of the contractions of one iteration.
    pub fn flops(&self) -> u64 {
        self.steps.iter().flat_map(|step| (0..step.nodes.len()).map(|id| step.flops(id))).sum()
    }

    /// Writes initial parameters and some inputs, so that training begins as it would.
    ///
    /// # Errors
    /// If the device fails.
    pub fn begin(&self, executor: &mut dyn Executor) -> Result<()> {
        for (bank, values) in self.model.initial(self.init, 0).iter().enumerate() {
            executor.write_bank(bank, values)?;
        }
        for (index, step) in self.steps.iter().enumerate() {
            for (_, name, shape) in step.inputs() {
                executor.write_input(index, name, &self.input(name, shape))?;
            }
        }
        Ok(())
    }

    fn input(&self, name: &str, shape: Shape) -> Vec<f32> {
        match name {
            "rates" => self.adam.rates(1).map(|rate| rate as f32).into(),
            // Rows of a pool: its first.
            _ if name.ends_with(".rows") || name.ends_with(".store") => vec![0.0; shape.len()],
            _ => uniform(name, -1.0, shape.len()),
        }
    }
}

/// Numbers between `from` and 1.
pub fn uniform(purpose: &str, from: f32, count: usize) -> Vec<f32> {
    let mut rng = stream(0, purpose, 0);
    (0..count).map(|_| rng.random_range(from..1.0)).collect()
}

#[cfg(test)]
mod tests {
    use super::all;
    use crate::gpu::lower::{Target, lower};

    #[test]
    fn the_dispatches_of_a_step_have_its_operations() {
        for system in all().unwrap() {
            for (step, target) in
                system.steps.iter().flat_map(|step| [(step, Target::GPU), (step, Target::SOFTWARE)])
            {
                let target = Target { max_binding: u64::MAX, max_buffer: u64::MAX, ..target };
                let program = lower(step, &system.banks(), &target).unwrap();
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
