//! The programs DCGAN's training is made of, over one set of banks: a discriminator step, a generator step, a
//! sampler.

use crate::Result;
use crate::graph::{Bank, Graph, Slot, Step, Update, Var, gradients};
use crate::nn::diffaugment::DiffAugment;
use crate::nn::loss::Adversarial;
use crate::nn::{Network, Statistics, Weights};
use crate::optim::Adam;
use crate::shape::Shape;

/// The five banks of a trained network, by index.
#[derive(Clone, Copy, Debug)]
pub struct TrainedBanks {
    /// Trained tensors.
    pub parameters: usize,
    /// Running statistics.
    pub running: usize,
    /// Adam's first moments.
    pub first: usize,
    /// Adam's second moments.
    pub second: usize,
    /// Gradients of the last step.
    pub gradients: usize,
}

impl TrainedBanks {
    const fn starting_at(first: usize) -> Self {
        Self {
            parameters: first,
            running: first + 1,
            first: first + 2,
            second: first + 3,
            gradients: first + 4,
        }
    }
}

/// Banks of the generator.
pub const GENERATOR: TrainedBanks = TrainedBanks::starting_at(0);
/// Banks of the discriminator.
pub const DISCRIMINATOR: TrainedBanks = TrainedBanks::starting_at(5);

/// Which of DiffAugment's three parts are applied in front of the discriminator.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct DiffAugmentPolicy {
    /// Brightness, saturation, contrast.
    pub color: bool,
    /// Whole-pixel shifts.
    pub translation: bool,
    /// A square set to 0.
    pub cutout: bool,
}

/// What is minimised, and how.
#[derive(Clone, Copy, Debug)]
pub struct Objective {
    /// The adversarial loss.
    pub loss: Adversarial,
    /// Factor of the discriminator's loss `real + fake`.
    pub d_scale: f64,
    /// Factor of the generator's loss.
    pub g_scale: f64,
    /// Whether the generator's step draws noise of its own, rather than meeting the noise of the discriminator's.
    pub fresh_noise: bool,
    /// The generator's optimizer.
    pub g_adam: Adam,
    /// The discriminator's optimizer.
    pub d_adam: Adam,
    /// Augmentation in front of the discriminator.
    pub diffaugment: DiffAugmentPolicy,
}

/// Both networks, their sizes and their banks.
#[derive(Clone, Debug)]
pub struct Dcgan {
    /// From noise to pictures.
    pub generator: Network,
    /// From pictures to scores.
    pub discriminator: Network,
    /// Numbers in one noise vector.
    pub noise: usize,
    /// Height and width of the pictures.
    pub size: usize,
    /// Colour channels of the pictures.
    pub channels: usize,
    /// What is minimised.
    pub objective: Objective,
}

impl Dcgan {
    /// All banks, in the order of [`GENERATOR`] and [`DISCRIMINATOR`].
    pub fn banks(&self) -> Vec<Bank> {
        let mut banks = Vec::new();
        for network in [&self.generator, &self.discriminator] {
            let parameters = network.bank(&network.parameters());
            let running = network.bank(&network.running());
            banks.extend([parameters.clone(), running, parameters.clone(), parameters.clone(), parameters]);
        }
        banks
    }

    /// One update of the discriminator. Inputs: `real` `[batch, size, size, channels]`, `noise`
    /// `[batch, 1, 1, noise]`, `rates` (see [`Update::Adam`]) and DiffAugment's draws under `real.` and `fake.`.
    /// Outputs: `D_real`, `D_fake` (as they enter the sum) and `D`.
    ///
    /// # Errors
    /// If the networks do not fit each other.
    pub fn discriminator_step(&self, batch: usize) -> Result<Step> {
        let graph = Graph::new();
        let banks = self.banks();
        let objective = &self.objective;
        let (g, d) = (weights(GENERATOR, &banks), weights(DISCRIMINATOR, &banks));
        let parameters = self.discriminator.vars(&graph, d);

        let real = graph.input("real", Shape([batch, self.size, self.size, self.channels]));
        let real = self.augmented(real, "real")?;
        let (scores, mut updates) = self.discriminator.forward(real, &parameters, d, Statistics::Batch)?;
        let real_loss = objective.loss.toward(scores, true).scale(objective.d_scale);

        let noise = graph.input("noise", Shape([batch, 1, 1, self.noise]));
        let (fake, from_generator) =
            self.generator.forward(noise, &self.generator.vars(&graph, g), g, Statistics::Batch)?;
        let fake = self.augmented(fake, "fake")?;
        let (scores, from_fake) = self.discriminator.forward(fake, &parameters, d, Statistics::Batch)?;
        let fake_loss = objective.loss.toward(scores, false).scale(objective.d_scale);

        updates.extend(from_fake);
        if objective.fresh_noise {
            updates.extend(from_generator);
        }
        let loss = real_loss.add(fake_loss)?;
        updates.extend(descend(loss, &parameters, DISCRIMINATOR, d.parameter_bank, &objective.d_adam)?);
        let outputs = [("D_real", real_loss), ("D_fake", fake_loss), ("D", loss)];
        Ok(Step::new("discriminator_step", &graph, &outputs, updates))
    }

    /// One update of the generator. Inputs: `noise`, `rates` and DiffAugment's draws under `fake.`. Output: `G`.
    ///
    /// # Errors
    /// If the networks do not fit each other.
    pub fn generator_step(&self, batch: usize) -> Result<Step> {
        let graph = Graph::new();
        let banks = self.banks();
        let objective = &self.objective;
        let (g, d) = (weights(GENERATOR, &banks), weights(DISCRIMINATOR, &banks));
        let parameters = self.generator.vars(&graph, g);

        let noise = graph.input("noise", Shape([batch, 1, 1, self.noise]));
        let (fake, mut updates) = self.generator.forward(noise, &parameters, g, Statistics::Batch)?;
        let fake = self.augmented(fake, "fake")?;
        let judge = self.discriminator.vars(&graph, d);
        let (scores, from_fake) = self.discriminator.forward(fake, &judge, d, Statistics::Batch)?;
        updates.extend(from_fake);
        let loss = objective.loss.toward(scores, true).scale(objective.g_scale);
        updates.extend(descend(loss, &parameters, GENERATOR, g.parameter_bank, &objective.g_adam)?);
        Ok(Step::new("generator_step", &graph, &[("G", loss)], updates))
    }

    /// Pictures from noise, without any change of state. Input: `noise`. Output: `pictures`, in [-1, 1].
    ///
    /// # Errors
    /// If the network's layers do not fit each other.
    pub fn sampler(&self, batch: usize, statistics: Statistics) -> Result<Step> {
        let graph = Graph::new();
        let banks = self.banks();
        let g = weights(GENERATOR, &banks);
        let noise = graph.input("noise", Shape([batch, 1, 1, self.noise]));
        let parameters = self.generator.vars(&graph, g);
        let (pictures, _) = self.generator.forward(noise, &parameters, g, statistics)?;
        Ok(Step::new("sample", &graph, &[("pictures", pictures)], vec![]))
    }

    fn augmented<'g>(&self, pictures: Var<'g>, source: &str) -> Result<Var<'g>> {
        let policy = self.objective.diffaugment;
        let [n, h, w, _] = pictures.shape().0;
        let graph = pictures.graph();
        let input = |name: &str, shape: [usize; 4]| graph.input(&format!("{source}.{name}"), Shape(shape));
        let draws = DiffAugment {
            color: policy
                .color
                .then(|| ["brightness", "saturation", "contrast"].map(|name| input(name, [n, 1, 1, 1]))),
            translation: policy.translation.then(|| input("shift", [n, 1, 1, 2])),
            cutout: policy.cutout.then(|| input("mask", [n, h, w, 1])),
        };
        draws.apply(pictures)
    }
}

fn weights(of: TrainedBanks, banks: &[Bank]) -> Weights<'_> {
    Weights {
        parameters: of.parameters,
        parameter_bank: &banks[of.parameters],
        running: of.running,
        running_bank: &banks[of.running],
    }
}

/// The updates of one optimizer step: every gradient into its bank, then Adam over the whole bank.
fn descend(
    loss: Var<'_>,
    parameters: &[Var<'_>],
    of: TrainedBanks,
    bank: &Bank,
    adam: &Adam,
) -> Result<Vec<Update>> {
    let rates = loss.graph().input("rates", Shape::vector(2));
    let mut updates: Vec<Update> = gradients(loss, parameters)?
        .into_iter()
        .zip(&bank.tensors)
        .map(|(gradient, &(_, _, offset))| Update::Store {
            slot: Slot { bank: of.gradients, offset },
            value: gradient.id(),
        })
        .collect();
    updates.push(Update::Adam {
        parameters: of.parameters,
        gradients: of.gradients,
        first: of.first,
        second: of.second,
        rates: rates.id(),
        beta1: adam.beta1,
        beta2: adam.beta2,
        eps: adam.eps,
    });
    Ok(updates)
}
