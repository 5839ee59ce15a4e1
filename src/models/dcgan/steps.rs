//! The programs DCGAN's training is made of, over one set of state buffers: a discriminator step, a generator step, a
//! sampler.

use crate::Result;
use crate::graph::{Graph, StateBuffer, Step};
use crate::models::adversaries::{AVERAGE, Adversaries, DISCRIMINATOR, GENERATOR};
use crate::nn::diffaugment::DiffAugmentPolicy;
use crate::nn::loss::{Adversarial, R1, r1};
use crate::nn::{Network, NormMode, Tensors};
use crate::optim::Adam;
use crate::ranks::Shard;
use crate::shape::Shape;
use crate::size::Size;
use crate::train::model::Model;
use crate::train::norm_mode;

/// What is minimised, and how.
#[derive(Clone, Copy, Debug)]
pub struct Objective {
    /// The adversarial loss.
    pub loss: Adversarial,
    /// Factor of the discriminator's loss `real + fake`.
    pub d_scale: f64,
    /// Factor of the generator's loss.
    pub g_scale: f64,
    /// The penalty on the discriminator's slopes.
    pub r1: R1,
    /// Whether the generator's step draws noise of its own, rather than meeting the noise of the discriminator's.
    pub fresh_noise: bool,
    /// Whether an average of the generator is kept.
    pub average: bool,
    /// Whether losses are scaled before their gradients are taken, for contractions in half precision.
    pub scaled: bool,
    /// The generator's optimizer.
    pub g_adam: Adam,
    /// The discriminator's optimizer.
    pub d_adam: Adam,
    /// Augmentation in front of the discriminator.
    pub diffaugment: DiffAugmentPolicy,
}

/// Both networks, their sizes and their state buffers.
#[derive(Clone, Debug)]
pub struct Dcgan {
    /// From noise to images.
    pub generator: Network,
    /// From images to scores.
    pub discriminator: Network,
    /// Numbers in one noise vector.
    pub noise: usize,
    /// Height and width of the images.
    pub size: Size,
    /// Colour channels of the images.
    pub channels: usize,
    /// What is minimised.
    pub objective: Objective,
}

impl Dcgan {
    /// Both networks, and what is kept beside them.
    pub fn adversaries(&self) -> Adversaries<'_> {
        let Objective { average, scaled, .. } = self.objective;
        Adversaries { generator: &self.generator, discriminator: &self.discriminator, average, scaled }
    }

    fn tensors<'g>(&self, graph: &'g Graph, buffers: &[StateBuffer]) -> [Tensors<'g>; 2] {
        [(GENERATOR, &self.generator), (DISCRIMINATOR, &self.discriminator)]
            .map(|(of, network)| of.tensors(graph, &[network], buffers).remove(0))
    }

    /// One update of the discriminator on a batch, or this rank's part of one. Inputs: `real` `[batch, size, size, channels]`, `noise`
    /// `[batch, 1, 1, noise]`, `rates` (see [`crate::graph::UpdateRule::Adam`]) and DiffAugment's draws under `real.` and `fake.`.
    /// Outputs: `D_real`, `D_fake` (as they enter the sum) and `D`; `errors_real`, `errors_fake` (see [`Adversarial::errors`]), one an image.
    ///
    /// # Errors
    /// If the networks do not fit each other.
    pub fn discriminator_step(&self, batch: impl Into<Shard>) -> Result<Step> {
        self.judging(batch.into(), false)
    }

    /// As [`Dcgan::discriminator_step`], with the R1 penalty in what is minimised. Output beside those: `R1`, with its weight.
    ///
    /// # Errors
    /// If the networks do not fit each other, or the discriminator has batch or instance norms.
    pub fn penalized_discriminator_step(&self, batch: impl Into<Shard>) -> Result<Step> {
        self.judging(batch.into(), true)
    }

    fn judging(&self, shard: Shard, penalized: bool) -> Result<Step> {
        let (batch, statistics) = (shard.len, norm_mode::of(shard));
        let graph = Graph::new();
        let buffers = self.buffers();
        let objective = &self.objective;
        let [g, d] = self.tensors(&graph, &buffers);

        let (tensors, mut updates) = self.discriminator.normalized(&d)?;

        let images = graph.input("real", Shape([batch, self.size.height, self.size.width, self.channels]));
        let real = objective.diffaugment.apply(images, "real")?;
        let (scores, from_real) = self.discriminator.forward(real, &tensors, statistics)?;
        updates.extend(from_real);
        let real_errors = objective.loss.errors(scores, true);
        let real_loss = objective.loss.of_errors(real_errors).scale(objective.d_scale);
        let penalty = match penalized {
            true => Some(r1(scores, images)?.scale(objective.r1.weight)),
            false => None,
        };

        let noise = graph.input("noise", Shape([batch, 1, 1, self.noise]));
        let (fake, from_generator) = self.generator.forward(noise, &g, statistics)?;
        let fake = objective.diffaugment.apply(fake, "fake")?;
        let (scores, from_fake) = self.discriminator.forward(fake, &tensors, statistics)?;
        let fake_errors = objective.loss.errors(scores, false);
        let fake_loss = objective.loss.of_errors(fake_errors).scale(objective.d_scale);

        updates.extend(from_fake);
        if objective.fresh_noise {
            updates.extend(from_generator);
        }
        let loss = real_loss.add(fake_loss)?;
        let mut outputs = vec![("D_real", real_loss), ("D_fake", fake_loss), ("D", loss)];
        outputs.extend([("errors_real", real_errors), ("errors_fake", fake_errors)]);
        let mut minimized = loss;
        if let Some(penalty) = penalty {
            outputs.push(("R1", penalty));
            minimized = loss.add(penalty.scale(objective.r1.every as f64))?;
        }
        let [_, optimizer] = self.adversaries().optimizers();
        updates.extend(optimizer.minimize(
            minimized,
            shard.share,
            &d.parameters,
            &buffers,
            objective.d_adam,
        )?);
        let name = if penalized { "penalized_discriminator_step" } else { "discriminator_step" };
        Step::new(name, &graph, &outputs, updates)
    }

    /// One update of the generator. Inputs: `noise`, `rates`, DiffAugment's draws under `fake.`, and `decay` of the average.
    /// Output: `G`.
    ///
    /// # Errors
    /// If the networks do not fit each other.
    pub fn generator_step(&self, batch: impl Into<Shard>) -> Result<Step> {
        let shard = batch.into();
        let (batch, statistics) = (shard.len, norm_mode::of(shard));
        let graph = Graph::new();
        let buffers = self.buffers();
        let objective = &self.objective;
        let [g, d] = self.tensors(&graph, &buffers);

        let noise = graph.input("noise", Shape([batch, 1, 1, self.noise]));
        let (fake, mut updates) = self.generator.forward(noise, &g, statistics)?;
        let fake = objective.diffaugment.apply(fake, "fake")?;
        let (tensors, normalized) = self.discriminator.normalized(&d)?;
        let (scores, from_fake) = self.discriminator.forward(fake, &tensors, statistics)?;
        updates.extend(normalized);
        updates.extend(from_fake);
        let loss = objective.loss.generator(scores).scale(objective.g_scale);
        let [optimizer, _] = self.adversaries().optimizers();
        updates.extend(optimizer.minimize(loss, shard.share, &g.parameters, &buffers, objective.g_adam)?);
        if objective.average {
            updates.push(optimizer.average(AVERAGE, &graph));
        }
        Step::new("generator_step", &graph, &[("G", loss)], updates)
    }

    /// Images from noise, without any change of state; by the average where it is kept. Input: `noise`. Output:
    /// `images`, in [-1, 1].
    ///
    /// # Errors
    /// If the network's layers do not fit each other.
    pub fn sampler(&self, batch: usize, statistics: NormMode) -> Result<Step> {
        let graph = Graph::new();
        let buffers = self.buffers();
        let buffer = self.adversaries().drawing();
        let g = GENERATOR.tensors_from(buffer, &graph, &[&self.generator], &buffers).remove(0);
        let noise = graph.input("noise", Shape([batch, 1, 1, self.noise]));
        let (images, _) = self.generator.forward(noise, &g, statistics)?;
        Step::new("sample", &graph, &[("images", images)], vec![])
    }
}
