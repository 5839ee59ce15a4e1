//! The generator of a pix2pix, to translate images of any size by.

use super::{AVERAGE, GENERATOR, Pix2Pix, Pix2PixConfig};
use crate::graph::{StateBuffer, Step};
use crate::models::cyclegan::Domain;
use crate::models::translation::{Translating, Wanted};
use crate::nn::{Norm, NormMode};
use crate::train::checkpoint::Checkpoint;
use crate::train::model::Model;
use crate::{Error, Result};

/// The generator of a checkpoint; it translates by the averages of the weights where the run keeps them.
pub struct OneWay {
    pub(super) config: Pix2PixConfig,
    pub(super) model: Pix2Pix,
    state: Vec<(usize, Vec<f32>)>,
    statistics: NormMode,
    /// The seed of dropout, if it drops.
    seed: Option<u64>,
}

impl OneWay {
    /// The generator of a checkpoint. Where nothing else is wanted, dropout drops as in training, by the run's seed, and batch norms take
    /// each image's own statistics if that is what they were trained on, one image a batch, else the running ones.
    ///
    /// # Errors
    /// If the checkpoint cannot be used, or another direction is wanted.
    pub fn new(checkpoint: &Checkpoint, wanted: &Wanted) -> Result<Self> {
        let config: Pix2PixConfig = checkpoint.config()?;
        let [_, to] = config.sets();
        if wanted.to.is_some_and(|wanted| wanted != to) {
            return Err(Error::Input(format!(
                "{}: a pix2pix that translates {} to {}; leave out `to`, or train another with `direction` {}",
                checkpoint.path().display(),
                to.other().name(),
                to.name(),
                config.direction.reversed()
            )));
        }
        let model = config.pix2pix()?;
        let mut values = checkpoint.buffers(&model)?;
        let needed = [GENERATOR.parameters, GENERATOR.running, AVERAGE];
        let state = needed.map(|buffer| (buffer, std::mem::take(&mut values[buffer]))).into();
        let statistics = wanted.statistics.unwrap_or_else(|| config.statistics());
        let seed = (!wanted.no_dropout).then(|| wanted.seed.unwrap_or(config.common.seed));
        Ok(Self { config, model, state, statistics, seed })
    }
}

impl Translating for OneWay {
    fn to(&self) -> Domain {
        self.config.sets()[1]
    }

    fn channels(&self) -> [usize; 2] {
        self.model.channels
    }

    fn sides(&self) -> [usize; 2] {
        [1 << self.config.depth(); 2]
    }

    fn at_once(&self) -> usize {
        let own = self.config.common.norm == Norm::Batch && self.statistics == NormMode::Batch;
        if own { 1 } else { usize::MAX }
    }

    fn buffers(&self) -> Vec<StateBuffer> {
        self.model.buffers()
    }

    fn state(&mut self) -> Vec<(usize, Vec<f32>)> {
        std::mem::take(&mut self.state)
    }

    fn whole(&self, batch: usize, size: [usize; 2]) -> Result<Step> {
        self.model.translator(batch, size, self.statistics, self.seed.is_some())
    }

    fn inputs(&self, whole: &Step) -> Vec<(String, Vec<f32>)> {
        self.seed.map_or_else(Vec::new, |seed| self.model.dropouts(whole, seed))
    }

    fn reach(&self) -> Option<usize> {
        None
    }

    fn tiles(&self, _: [usize; 2]) -> Result<Vec<Step>> {
        Err(Error::Input("translate: a U-Net has no tiles; every pixel depends on the whole image".into()))
    }
}
