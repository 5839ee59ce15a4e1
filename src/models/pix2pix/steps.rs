//! The programs pix2pix's training is made of, over one set of state buffers: a discriminator step, a generator step, a translator.

use crate::Result;
use crate::data::dropout;
use crate::graph::{Graph, StateBuffer, Step, Var};
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
    /// Factor of the generator's adversarial loss.
    pub g_scale: f64,
    /// Weight of the mean absolute error of translations.
    pub lambda_l1: f64,
    /// The penalty on the discriminator's slopes.
    pub r1: R1,
    /// Whether an average of the generator is kept.
    pub average: bool,
    /// Whether losses are scaled before their gradients are taken, for contractions in half precision.
    pub scaled: bool,
    /// The generator's optimizer.
    pub g_adam: Adam,
    /// The discriminator's optimizer.
    pub d_adam: Adam,
    /// Augmentation in front of the discriminator, the same for both images of a pair.
    pub diffaugment: DiffAugmentPolicy,
}

/// Both networks, their sizes and what they minimise.
#[derive(Clone, Debug)]
pub struct Pix2Pix {
    /// From images to their partners.
    pub generator: Network,
    /// From pairs to scores.
    pub discriminator: Network,
    /// Height and width of the images in training.
    pub size: Size,
    /// Channels of the images that are translated, and of their partners.
    pub channels: [usize; 2],
    /// What is minimised.
    pub objective: Objective,
}

/// What a step is built of.
struct Parts<'g> {
    buffers: Vec<StateBuffer>,
    generator: Tensors<'g>,
    discriminator: Tensors<'g>,
    source: Var<'g>,
    target: Var<'g>,
}

impl Pix2Pix {
    /// Both networks, and what is kept beside them.
    pub fn adversaries(&self) -> Adversaries<'_> {
        let Objective { average, scaled, .. } = self.objective;
        Adversaries { generator: &self.generator, discriminator: &self.discriminator, average, scaled }
    }

    fn parts<'g>(&self, graph: &'g Graph, batch: usize) -> Parts<'g> {
        let buffers = self.buffers();
        let [generator, discriminator] = [(GENERATOR, &self.generator), (DISCRIMINATOR, &self.discriminator)]
            .map(|(of, network)| of.tensors(graph, &[network], &buffers).remove(0));
        let shape = |channels| Shape([batch, self.size.height, self.size.width, channels]);
        let [source, target] = [("source", 0), ("target", 1)]
            .map(|(name, index): (&str, usize)| graph.input(name, shape(self.channels[index])));
        Parts { buffers, generator, discriminator, source, target }
    }

    /// The pairs of `source` and `image` as the discriminator sees them, augmented as `name`.
    fn pair<'g>(&self, source: Var<'g>, image: Var<'g>, name: &str) -> Result<Var<'g>> {
        let draws = self.objective.diffaugment.draws(image, name);
        Var::concat_channels(&[draws.apply(source)?, draws.apply(image)?])
    }

    /// One update of the discriminator on a batch, or this rank's part of one; with the R1 penalty (to the target) in what is minimised
    /// where it is `penalized`. Inputs: `source` and `target`; `rates` (see [`crate::graph::UpdateRule::Adam`]); the generator's
    /// `dropout.N` (see [`Network::forward_masked`]); DiffAugment's draws under `real.` and `fake.`. Outputs: `D_real`, `D_fake` (as they
    /// enter the sum), `D` and `R1`; `errors_real`, `errors_fake` (see [`Adversarial::errors`]), one a patch.
    ///
    /// # Errors
    /// If the networks do not fit each other or the size.
    pub fn discriminator_step(&self, batch: impl Into<Shard>, penalized: bool) -> Result<Step> {
        let shard = batch.into();
        let statistics = norm_mode::of(shard);
        let (graph, objective) = (Graph::new(), &self.objective);
        let Parts { buffers, generator, discriminator, source, target } = self.parts(&graph, shard.len);
        let (tensors, mut updates) = self.discriminator.normalized(&discriminator)?;
        let (fake, _) = self.generator.forward_masked(source, &generator, statistics)?;
        let mut judged = |image, name, real: bool| -> Result<_> {
            let pair = self.pair(source, image, name)?;
            let (scores, running) = self.discriminator.forward(pair, &tensors, statistics)?;
            updates.extend(running);
            let errors = objective.loss.errors(scores, real);
            Ok((scores, errors, objective.loss.of_errors(errors).scale(objective.d_scale)))
        };
        // Running statistics see them in this order.
        let (_, fake_errors, fake_loss) = judged(fake, "fake", false)?;
        let (scores, real_errors, real_loss) = judged(target, "real", true)?;
        let loss = real_loss.add(fake_loss)?;
        let mut outputs = vec![("D_real", real_loss), ("D_fake", fake_loss), ("D", loss)];
        outputs.extend([("errors_real", real_errors), ("errors_fake", fake_errors)]);
        let mut minimized = loss;
        if penalized {
            let penalty = r1(scores, target)?.scale(objective.r1.weight);
            outputs.push(("R1", penalty));
            minimized = loss.add(penalty.scale(objective.r1.every as f64))?;
        }
        let parameters = &discriminator.parameters;
        let [_, optimizer] = self.adversaries().optimizers();
        updates.extend(optimizer.minimize(minimized, shard.share, parameters, &buffers, objective.d_adam)?);
        let name = if penalized { "penalized_discriminator_step" } else { "discriminator_step" };
        Step::new(name, &graph, &outputs, updates)
    }

    /// One update of the generator. Inputs: `source`, `target`, `rates`, `dropout.N`, DiffAugment's draws under `fake.`, and `decay` of
    /// the average. Outputs: `G` and `L1`, as they enter the sum.
    ///
    /// # Errors
    /// If the networks do not fit each other or the size.
    pub fn generator_step(&self, batch: impl Into<Shard>) -> Result<Step> {
        let shard = batch.into();
        let statistics = norm_mode::of(shard);
        let (graph, objective) = (Graph::new(), &self.objective);
        let Parts { buffers, generator, discriminator, source, target } = self.parts(&graph, shard.len);
        let (fake, mut updates) = self.generator.forward_masked(source, &generator, statistics)?;
        let (tensors, normalized) = self.discriminator.normalized(&discriminator)?;
        let pair = self.pair(source, fake, "fake")?;
        let (scores, running) = self.discriminator.forward(pair, &tensors, statistics)?;
        updates.extend(normalized);
        updates.extend(running);
        let adversarial = objective.loss.generator(scores).scale(objective.g_scale);
        let (mut loss, mut outputs) = (adversarial, vec![("G", adversarial)]);
        if objective.lambda_l1 > 0.0 {
            let error = target.sub(fake)?.abs().mean().scale(objective.lambda_l1);
            loss = loss.add(error)?;
            outputs.push(("L1", error));
        }
        let parameters = &generator.parameters;
        let [optimizer, _] = self.adversaries().optimizers();
        updates.extend(optimizer.minimize(loss, shard.share, parameters, &buffers, objective.g_adam)?);
        if objective.average {
            updates.push(optimizer.average(AVERAGE, &graph));
        }
        Step::new("generator_step", &graph, &outputs, updates)
    }

    /// Translations of images of any size that the U-Net takes, without any change of state; by the average where it is kept. Input:
    /// `images`; with `drops`, also the `dropout.N` of [`Pix2Pix::dropouts`]. Output: `translation`, in [-1, 1].
    ///
    /// # Errors
    /// If the network does not fit the size.
    pub fn translator(
        &self,
        batch: usize,
        size: [usize; 2],
        statistics: NormMode,
        drops: bool,
    ) -> Result<Step> {
        let graph = Graph::new();
        let images = graph.input("images", Shape([batch, size[0], size[1], self.channels[0]]));
        let translation = self.translated(&graph, images, statistics, drops)?;
        Step::new("translate", &graph, &[("translation", translation)], vec![])
    }

    /// Translations of the sources of pairs. Input: `pairs` `[batch, h, w, channels]`, a source and behind it its target; outputs and the
    /// rest as [`Pix2Pix::translator`] with dropout.
    ///
    /// # Errors
    /// If the network does not fit the size.
    pub fn sheet(&self, batch: usize, statistics: NormMode) -> Result<Step> {
        let (graph, Size { height, width }) = (Graph::new(), self.size);
        let [reads, writes] = self.channels;
        let pairs = graph.input("pairs", Shape([batch, height, width, reads + writes]));
        let translation = self.translated(&graph, pairs.slice_channels(0..reads)?, statistics, true)?;
        Step::new("translate", &graph, &[("translation", translation)], vec![])
    }

    fn translated<'g>(
        &self,
        graph: &'g Graph,
        images: Var<'g>,
        statistics: NormMode,
        drops: bool,
    ) -> Result<Var<'g>> {
        let buffer = self.adversaries().drawing();
        let tensors = GENERATOR.tensors_from(buffer, graph, &[&self.generator], &self.buffers()).remove(0);
        let (translation, _) = match drops {
            true => self.generator.forward_masked(images, &tensors, statistics)?,
            false => self.generator.forward(images, &tensors, statistics)?,
        };
        Ok(translation)
    }

    /// What dropout multiplies by in a step that translates, input by input: drawn by `seed`, the same for every image of a size, so that no
    /// translation depends on which others are made.
    pub fn dropouts(&self, step: &Step, seed: u64) -> Vec<(String, Vec<f32>)> {
        let shapes = step.inputs().map(|(_, name, shape)| (name.to_owned(), shape));
        let masks = shapes.filter(|(name, _)| name.starts_with("dropout."));
        let draw = |((name, shape), rate): ((String, Shape), f64)| {
            let [images, ..] = shape.0;
            let mask = dropout(rate, seed, &name, 0, shape.len() / images);
            (name, mask.repeat(images))
        };
        masks.zip(self.generator.dropouts()).map(draw).collect()
    }
}
