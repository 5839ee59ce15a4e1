//! What is measured: the training steps of every preset.

use super::report::{Group, Subject};
use crate::Result;
use crate::executor::Executor;
use crate::graph::{Bank, Step};
use crate::nn::Init;
use crate::nn::loss::R1;
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
    /// When each of them is.
    pub due: Vec<String>,
    model: Box<dyn Model>,
    init: Init,
    adam: Adam,
}

/// All eight: both kinds of training at all presets.
///
/// # Errors
/// If a preset's networks do not fit each other (an error in this crate).
pub fn all() -> Result<Vec<System>> {
    let dcgans = Preset::ALL.map(|preset| dcgan(format!("dcgan {}", preset.name()), preset.config()));
    let cyclegans =
        Preset::ALL.map(|preset| cyclegan(format!("cyclegan {}", preset.name()), preset.cyclegan_config()));
    dcgans.into_iter().chain(cyclegans).collect()
}

/// The training that the settings of a DCGAN ask for.
///
/// # Errors
/// If its networks do not fit each other.
pub fn dcgan(name: String, config: DcganConfig) -> Result<System> {
    let model = config.dcgan()?;
    let r1 = model.objective.r1;
    let mut steps = Vec::new();
    for &penalized in r1.variants() {
        steps.push(match penalized {
            true => model.penalized_discriminator_step(config.batch)?,
            false => model.discriminator_step(config.batch)?,
        });
    }
    steps.push(model.generator_step(config.batch)?);
    let due = |step: &Step| match step.name == "discriminator_step" {
        true => due(config.d_every, r1, step, "R1"),
        false => every(1),
    };
    let due = steps.iter().map(due).collect();
    let adam = model.objective.g_adam;
    Ok(System { name, steps, due, model: Box::new(model), init: config.start().1, adam })
}

/// The training that the settings of a CycleGAN ask for.
///
/// # Errors
/// If its networks do not fit each other.
pub fn cyclegan(name: String, config: CycleGanConfig) -> Result<System> {
    let model = config.cyclegan()?;
    let steps = model.steps(config.batch)?;
    let due = |step: &Step| match step.name.as_str() {
        "discriminators_fake_step" => every(config.d_fake_every),
        "discriminators_step" | "discriminators_real_step" => due(1, model.objective.r1, step, "R1_X"),
        _ => every(1),
    };
    let due = steps.iter().map(due).collect();
    let adam = model.objective.g_adam;
    Ok(System { name, steps, due, model: Box::new(model), init: config.start().1, adam })
}

/// When a step is due that is part of every so many iterations, and of those where the penalty is due if it has the output `penalty`.
fn due(interval: u64, r1: R1, step: &Step, penalty: &str) -> String {
    let rare = interval * r1.every;
    match r1.variants() {
        [_] => every(interval),
        _ if step.outputs.iter().any(|(name, _)| name == penalty) => {
            format!("{}, with the R1 penalty", every(rare))
        }
        _ => format!("{}, but not {}", every(interval), every(rare)),
    }
}

fn every(interval: u64) -> String {
    match interval {
        1 => "every iteration".into(),
        2 => "every 2nd iteration".into(),
        3 => "every 3rd iteration".into(),
        more => format!("every {more}th iteration"),
    }
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
