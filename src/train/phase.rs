//! An iteration of training as data: phases, each an optimizer step, when it is due, and where its inputs come from.

pub use super::due::Due;
use crate::data::{DiffAugmentParams, NoiseKind, PoolDraws, dropout, noise};
use crate::graph::Step;
use crate::nn::diffaugment::DiffAugmentPolicy;
use crate::optim::{Adam, Schedule, average_decay};
use crate::ranks::Shard;
use crate::size::Size;
use crate::{Error, Result};
use serde::Serialize;
use std::borrow::Cow;
use std::collections::BTreeMap;

/// One optimizer step of an iteration.
#[derive(Clone, Debug)]
pub struct Phase {
    /// What is computed; no two phases of an iteration have steps of one name.
    pub step: Step,
    /// In which iterations.
    pub due: Due,
    /// The networks it trains, by their index in [`trained`](super::model::Model::trained).
    pub trains: usize,
    /// Each of the step's inputs, and where its numbers come from.
    pub inputs: Vec<(String, Source)>,
}

/// Where the numbers of an input come from.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(tag = "source", rename_all = "snake_case")]
pub enum Source {
    /// The iteration's batch of a set of images.
    Images {
        /// Which set, by its index in [`datasets`](super::model::Model::datasets).
        set: usize,
    },
    /// Random numbers.
    Noise {
        /// Their distribution.
        kind: NoiseKind,
        /// Their stream: inputs of one stream are given the same numbers.
        stream: &'static str,
    },
    /// What a dropout multiplies by, drawn for each number: 0 for this share of them, else 1 over the share that is kept.
    Dropout {
        /// The share that is dropped.
        rate: f64,
        /// Their stream: inputs of one stream are given the same numbers.
        stream: String,
    },
    /// What the phase's optimizer reads at its update: [`Adam::rates`], the learning rate by its schedule.
    Rates(Rates),
    /// The share of the old average at the optimizer's update: [`average_decay`].
    Decay {
        /// What it comes to.
        decay: f64,
    },
    /// A parameter of DiffAugment, one draw an image.
    Augmentation {
        /// Which.
        parameter: Parameter,
        /// The stream of the draws.
        stream: String,
    },
    /// Which images are shown, out of an image pool and new ones: [`PoolDraws::rows`].
    PoolShown(ImagePool),
    /// Which new images are stored in an image pool, and where: [`PoolDraws::store`].
    PoolStored(ImagePool),
}

/// An optimizer's numbers over a run.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Rates {
    /// The optimizer, with the learning rate that the run begins with.
    pub adam: Adam,
    /// How that changes.
    pub schedule: Schedule,
    /// The step after which the linear schedule falls; half of all where there is none.
    pub decay_from: Option<u64>,
}

/// A pool of generated images (Shrivastava 2017).
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ImagePool {
    /// The stream of its draws.
    pub stream: &'static str,
    /// Images it holds.
    pub len: usize,
}

/// The parameters of DiffAugment, as in [`DiffAugmentParams`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Parameter {
    /// Added to an image.
    Brightness,
    /// Scales the distance of a pixel's channels from their mean.
    Saturation,
    /// Scales the distance from an image's mean.
    Contrast,
    /// Down and right, in whole pixels.
    Shift,
    /// 0 in a square, else 1.
    Mask,
}

impl Parameter {
    /// The parameters that `policy` draws, with the ends of their inputs' names.
    fn of(policy: DiffAugmentPolicy) -> impl Iterator<Item = (Self, &'static str)> {
        let all = [
            (policy.color, Self::Brightness, "brightness"),
            (policy.color, Self::Saturation, "saturation"),
            (policy.color, Self::Contrast, "contrast"),
            (policy.translation, Self::Shift, "shift"),
            (policy.cutout, Self::Mask, "mask"),
        ];
        all.into_iter().filter(|(used, ..)| *used).map(|(_, parameter, name)| (parameter, name))
    }
}

/// The inputs that [`DiffAugmentPolicy::apply`] has named after `augmented`, drawn from `stream`.
pub fn augmentation(policy: DiffAugmentPolicy, augmented: &str, stream: &str) -> Vec<(String, Source)> {
    let input = |(parameter, name)| {
        (format!("{augmented}.{name}"), Source::Augmentation { parameter, stream: stream.to_owned() })
    };
    Parameter::of(policy).map(input).collect()
}

impl Phase {
    /// A phase of `step`, whose inputs are found in `sources`; what the step does not take is left out.
    ///
    /// # Errors
    /// If an input of the step has no source: the model lacks one.
    pub fn new(step: Step, due: Due, trains: usize, sources: &[(String, Source)]) -> Result<Self> {
        let source = |(_, input, _): (usize, &str, crate::shape::Shape)| {
            let found = sources.iter().find(|(name, _)| name == input).cloned();
            found.ok_or_else(|| {
                Error::Input(format!("{}: nothing is said of where its input {input} comes from", step.name))
            })
        };
        let inputs = step.inputs().map(source).collect::<Result<_>>()?;
        Ok(Self { step, due, trains, inputs })
    }

    /// Whether the step has an output of this name.
    pub fn has(&self, output: &str) -> bool {
        self.step.outputs.iter().any(|(name, _)| name == output)
    }

    /// Whether it stores images in `pool`.
    fn stores(&self, pool: &ImagePool) -> bool {
        self.inputs.iter().any(|(_, source)| matches!(source, Source::PoolStored(into) if into == pool))
    }
}

/// What decides all inputs of an iteration but its images.
#[derive(Clone, Copy, Debug)]
pub struct Moment {
    /// The run's seed.
    pub seed: u64,
    /// The iteration, counted from 1.
    pub t: u64,
    /// The run's last.
    pub total: u64,
    /// The images of its batch, and which of them this process computes.
    pub shard: Shard,
    /// Height and width of the images.
    pub size: Size,
}

/// The inputs of an iteration. What several of them are made of is drawn once.
pub struct Inputs<'a> {
    moment: Moment,
    phases: &'a [Phase],
    /// A batch of each set, this process's part of it.
    images: Vec<&'a [f32]>,
    noise: BTreeMap<&'a str, Vec<f32>>,
    augmentation: BTreeMap<&'a str, DiffAugmentParams>,
    pools: BTreeMap<&'a str, PoolDraws>,
}

impl<'a> Inputs<'a> {
    /// Those of the iteration of `phases` at `moment`, with these images of each set.
    pub fn new(moment: Moment, phases: &'a [Phase], images: Vec<&'a [f32]>) -> Self {
        let (noise, augmentation, pools) = Default::default();
        Self { moment, phases, images, noise, augmentation, pools }
    }

    /// Hands each input of phase `index`, by name, to `write`.
    ///
    /// # Errors
    /// If `write` fails.
    pub fn of_phase(
        &mut self,
        index: usize,
        mut write: impl FnMut(&str, &[f32]) -> Result<()>,
    ) -> Result<()> {
        let phases = self.phases;
        let shapes = phases[index].step.inputs().map(|(_, _, shape)| shape.len());
        for ((name, source), len) in phases[index].inputs.iter().zip(shapes) {
            write(name, &self.values(index, source, len))?;
        }
        Ok(())
    }

    /// The `len` numbers of an input of phase `index`.
    fn values(&mut self, index: usize, source: &'a Source, len: usize) -> Cow<'_, [f32]> {
        let Moment { seed, t, shard, size, .. } = self.moment;
        match source {
            Source::Images { set } => self.images[*set].into(),
            Source::Noise { kind, stream } => {
                let whole = len / shard.len * shard.whole;
                let draw = || noise(*kind, seed, stream, t, whole);
                shard.slice(self.noise.entry(*stream).or_insert_with(draw)).into()
            }
            Source::Dropout { rate, stream } => {
                let whole = len / shard.len * shard.whole;
                let draw = || dropout(*rate, seed, stream, t, whole);
                shard.slice(self.noise.entry(stream.as_str()).or_insert_with(draw)).into()
            }
            Source::Rates(rates) => self.rates(*rates, self.update(index)).to_vec().into(),
            Source::Decay { decay } => vec![average_decay(*decay, self.update(index)) as f32].into(),
            Source::Augmentation { parameter, stream } => {
                let draw = || DiffAugmentParams::new(seed, stream, t, shard, size);
                let draws = self.augmentation.entry(stream.as_str()).or_insert_with(draw);
                let values = match parameter {
                    Parameter::Brightness => &draws.brightness,
                    Parameter::Saturation => &draws.saturation,
                    Parameter::Contrast => &draws.contrast,
                    Parameter::Shift => &draws.shift,
                    Parameter::Mask => &draws.mask,
                };
                values.into()
            }
            Source::PoolShown(pool) => shard.slice(&self.pool(pool).rows).into(),
            Source::PoolStored(pool) => (&self.pool(pool).store).into(),
        }
    }

    /// The update of its networks that phase `index` makes, counted from 1.
    fn update(&self, index: usize) -> u64 {
        let (trains, t) = (self.phases[index].trains, self.moment.t);
        let updates = |(other, phase): (usize, &Phase)| match phase.trains == trains {
            true => phase.due.until(if other <= index { t } else { t - 1 }),
            false => 0,
        };
        self.phases.iter().enumerate().map(updates).sum()
    }

    fn rates(&self, Rates { adam, schedule, decay_from }: Rates, update: u64) -> [f32; 2] {
        let Moment { t, total, .. } = self.moment;
        let lr = adam.lr * schedule.factor(t - 1, total, decay_from.unwrap_or(total / 2));
        Adam { lr, ..adam }.rates(update).map(|rate| rate as f32)
    }

    fn pool(&mut self, pool: &'a ImagePool) -> &PoolDraws {
        let Moment { seed, t, shard, .. } = self.moment;
        let storing = self.phases.iter().filter(|phase| phase.stores(pool));
        let seen = storing.map(|phase| phase.due.until(t - 1)).sum::<u64>() * shard.whole as u64;
        let draw = || PoolDraws::new(seed, pool.stream, t, seen, pool.len, shard.whole);
        self.pools.entry(pool.stream).or_insert_with(draw)
    }
}
