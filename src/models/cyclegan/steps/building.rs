//! A step's graph while it grows: losses, and the updates that follow from them.

use super::{AVERAGES, CycleGan, CycleLoss, Domain, FAKES, POOLS};
use crate::Result;
use crate::graph::{Graph, Slot, StateBuffer, Update, Var};
use crate::nn::loss::r1;
use crate::nn::{Network, Tensors};
use crate::ranks::Shard;
use crate::shape::Shape;
use crate::train::norm_mode;

/// Losses and updates collected while a step's graph grows.
pub struct Building<'g, 'm> {
    pub model: &'m CycleGan,
    pub graph: &'g Graph,
    pub buffers: Vec<StateBuffer>,
    /// The images that this process computes.
    pub shard: Shard,
    pub generators: Vec<Tensors<'g>>,
    pub discriminators: Vec<Tensors<'g>>,
    /// What the discriminators' layers compute with, once they do: see [`crate::nn::Network::normalized`].
    pub normalized: Vec<Option<Tensors<'g>>>,
    /// Whether real images cost the R1 penalty.
    pub penalized: bool,
    pub penalties: Vec<Var<'g>>,
    pub updates: Vec<Update>,
    pub outputs: Vec<(&'static str, Var<'g>)>,
}

/// The mean over scales of what `of` says of each one's scores.
fn over_scales<'g>(scores: &[Var<'g>], of: impl Fn(Var<'g>) -> Result<Var<'g>>) -> Result<Var<'g>> {
    let mut sum = of(scores[0])?;
    for &smaller in &scores[1..] {
        sum = sum.add(of(smaller)?)?;
    }
    Ok(if scores.len() == 1 { sum } else { sum.scale(1.0 / scores.len() as f64) })
}

impl<'g> Building<'g, '_> {
    fn generator(&mut self, index: usize, x: Var<'g>) -> Result<Var<'g>> {
        let network = &self.model.generators[index];
        let (y, updates) = network.forward(x, &self.generators[index], norm_mode::of(self.shard))?;
        self.updates.extend(updates);
        Ok(y)
    }

    /// The scores the domain's discriminators give `images`, augmented as `source`, scale by scale.
    fn scores(&mut self, domain: Domain, images: Var<'g>, source: &str) -> Result<Vec<Var<'g>>> {
        let source = format!("{}.{source}", domain.name());
        let networks = &self.model.discriminators[domain.discriminator()];
        let first = domain.discriminator() * networks.len();
        let mut images = self.model.objective.diffaugment.apply(images, &source)?;
        let mut scores = Vec::new();
        for (scale, network) in networks.iter().enumerate() {
            if scale > 0 {
                images = images.avg_pool2d([2, 2])?;
            }
            scores.push(self.scores_of(network, first + scale, images)?);
        }
        Ok(scores)
    }

    /// The scores that discriminator `index` of all, `network`, gives `images`.
    fn scores_of(&mut self, network: &Network, index: usize, images: Var<'g>) -> Result<Var<'g>> {
        let tensors = match self.normalized[index].take() {
            Some(tensors) => tensors,
            None => {
                let (tensors, updates) = network.normalized(&self.discriminators[index])?;
                self.updates.extend(updates);
                tensors
            }
        };
        let (scores, updates) = network.forward(images, &tensors, norm_mode::of(self.shard))?;
        self.normalized[index] = Some(tensors);
        self.updates.extend(updates);
        Ok(scores)
    }

    fn score(
        &mut self,
        images: [Var<'g>; 2],
        source: &str,
        names: [&'static str; 2],
    ) -> Result<[Var<'g>; 2]> {
        let (mut losses, objective) = (Vec::new(), self.model.objective);
        for ((domain, images), name) in Domain::BOTH.into_iter().zip(images).zip(names) {
            let scores = self.scores(domain, images, source)?;
            let errors: Vec<Var> =
                scores.iter().map(|&scores| objective.loss.errors(scores, source == "real")).collect();
            let loss = over_scales(&errors, |errors| Ok(objective.loss.of_errors(errors)))?;
            let loss = loss.scale(objective.d_scale);
            let errors_name = match (domain, source) {
                (Domain::X, "real") => "errors_X_real",
                (Domain::X, _) => "errors_X_fake",
                (Domain::Y, "real") => "errors_Y_real",
                (Domain::Y, _) => "errors_Y_fake",
            };
            // Whether it is right is told of the discriminator that sees the whole images.
            self.outputs.extend([(name, loss), (errors_name, errors[0])]);
            losses.push(loss);
            if self.penalized && source == "real" {
                let penalty = over_scales(&scores, |scores| r1(scores, images))?.scale(objective.r1.weight);
                self.outputs.push((if domain == Domain::X { "R1_X" } else { "R1_Y" }, penalty));
                self.penalties.push(penalty.scale(objective.r1.every as f64));
            }
        }
        Ok([losses[0], losses[1]])
    }

    pub fn score_real(&mut self, images: [Var<'g>; 2], names: [&'static str; 2]) -> Result<[Var<'g>; 2]> {
        self.score(images, "real", names)
    }

    /// The discriminators' loss on `fakes` (of X and of Y), some exchanged for past ones where there is a pool.
    pub fn score_fakes(&mut self, fakes: [Var<'g>; 2], names: [&'static str; 2]) -> Result<[Var<'g>; 2]> {
        let mut shown = fakes;
        let len = self.model.objective.pool;
        for (index, (fake, name)) in shown.iter_mut().zip(["X", "Y"]).enumerate() {
            *fake = fake.detach();
            if len > 0 {
                let [batch, h, w, c] = fake.shape().0;
                // Every rank has the whole pool.
                let (whole, shared) = (self.shard.whole, self.shard.share.is_some());
                let all = if shared { fake.all_gather(whole) } else { *fake };
                let (_, _, offset) = self.buffers[POOLS].tensors[index];
                let slot = Slot { buffer: POOLS, offset };
                let pool = self.graph.state(slot, Shape([len, h, w, c]));
                let rows = |what, count| self.graph.input(&format!("{name}.{what}"), Shape([count, 1, 1, 1]));
                let (value, store) = (all.id(), rows("store", whole).id());
                self.updates.push(Update::ScatterRows { slot, len: pool.shape().len(), value, rows: store });
                *fake = pool.gather_rows(all, rows("rows", batch))?;
            }
        }
        self.score(shown, "fake", names)
    }

    /// Translations by the generators as they are now: of Y to X and of X to Y.
    pub fn fakes_now(&mut self, [x, y]: [Var<'g>; 2]) -> Result<[Var<'g>; 2]> {
        let fake_y = self.generator(0, x)?;
        let fake_x = self.generator(1, y)?;
        Ok([fake_x, fake_y])
    }

    /// The translations a generator step kept, of the shapes of `images`.
    pub fn fakes_kept(&self, images: [Var<'g>; 2]) -> [Var<'g>; 2] {
        [0, 1].map(|index| {
            let (_, _, offset) = self.buffers[FAKES].tensors[index];
            self.graph.state(Slot { buffer: FAKES, offset }, images[index].shape())
        })
    }

    pub fn keep(&mut self, fakes: [Var<'g>; 2]) {
        for (fake, &(_, _, offset)) in fakes.iter().zip(&self.buffers[FAKES].tensors) {
            self.updates.push(Update::Store { slot: Slot { buffer: FAKES, offset }, value: fake.id() });
        }
    }

    /// One way there and back: the summed loss and the translation.
    pub fn translate(&mut self, to: Domain, images: Var<'g>) -> Result<(Var<'g>, Var<'g>)> {
        let objective = self.model.objective;
        let (there, back) = to.generators();
        let names = match to {
            Domain::Y => ["G_XtoY", "cycle_X", "identity_X"],
            Domain::X => ["G_YtoX", "cycle_Y", "identity_Y"],
        };
        let translation = self.generator(there, images)?;
        let scores = self.scores(to, translation, "fake")?;
        let loss = over_scales(&scores, |scores| Ok(objective.loss.generator(scores)))?;
        let mut loss = loss.scale(objective.g_scale);
        self.outputs.push((names[0], loss));
        if objective.cycle != CycleLoss::None {
            let error = images.sub(self.generator(back, translation)?)?;
            let error = if objective.cycle == CycleLoss::Mse { error.square() } else { error.abs() };
            let cycle = error.mean().scale(objective.lambda_cycle);
            self.outputs.push((names[1], cycle));
            loss = loss.add(cycle)?;
        }
        if objective.lambda_identity > 0.0 {
            // The generator toward the images' own domain should leave them as they are.
            let identity = self.generator(back, images)?.sub(images)?.abs().mean();
            let identity = identity.scale(objective.lambda_identity);
            self.outputs.push((names[2], identity));
            loss = loss.add(identity)?;
        }
        Ok((loss, translation))
    }

    /// The discriminators' step on the sum of real and fake losses, logged by domain.
    pub fn join(&mut self, real: [Var<'g>; 2], fake: [Var<'g>; 2]) -> Result<()> {
        let (x, y) = (real[0].add(fake[0])?, real[1].add(fake[1])?);
        self.outputs.extend([("D_X", x), ("D_Y", y)]);
        self.discriminate(x.add(y)?)
    }

    /// The discriminators' step on `loss` and the penalties.
    pub fn discriminate(&mut self, loss: Var<'g>) -> Result<()> {
        let loss = self.penalties.iter().try_fold(loss, |sum, &penalty| sum.add(penalty))?;
        let parameters = Tensors::parameters(&self.discriminators);
        let adam = self.model.objective.d_adam;
        let [_, optimizer] = self.model.optimizers();
        let updates = optimizer.minimize(loss, self.shard.share, &parameters, &self.buffers, adam)?;
        self.updates.extend(updates);
        Ok(())
    }

    pub fn generate(&mut self, loss: Var<'g>) -> Result<()> {
        let objective = &self.model.objective;
        let parameters = Tensors::parameters(&self.generators);
        let [optimizer, _] = self.model.optimizers();
        let updates =
            optimizer.minimize(loss, self.shard.share, &parameters, &self.buffers, objective.g_adam)?;
        self.updates.extend(updates);
        if objective.average {
            self.updates.push(optimizer.average(AVERAGES, self.graph));
        }
        Ok(())
    }
}
