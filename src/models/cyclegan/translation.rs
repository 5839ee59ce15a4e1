//! One of a CycleGAN's generators, to translate images of any size by.

use super::networks::DOWNSAMPLINGS;
use super::{AVERAGES, CycleGan, CycleGanConfig, Domain, GENERATORS};
use crate::graph::{StateBuffer, Step};
use crate::models::translation::{Translating, Wanted};
use crate::nn::NormMode;
use crate::train::checkpoint::Checkpoint;
use crate::train::model::Model;
use crate::{Error, Result};

/// Smaller images are reflected up to this before they are translated.
pub const SMALLEST: usize = 16;

/// A generator of a checkpoint; it translates by the averages of the weights where the run keeps them.
pub struct OneWay {
    config: CycleGanConfig,
    model: CycleGan,
    state: Vec<(usize, Vec<f32>)>,
    to: Domain,
    statistics: NormMode,
}

impl OneWay {
    /// The generator that is wanted of a checkpoint.
    ///
    /// # Errors
    /// If the checkpoint cannot be used, or it is not said which generator.
    pub fn new(checkpoint: &Checkpoint, wanted: &Wanted) -> Result<Self> {
        let Some(to) = wanted.to else {
            return Err(Error::Input(
                "a CycleGAN has two generators; choose one with `to` y or `to` x".into(),
            ));
        };
        if wanted.seed.is_some() || wanted.no_dropout {
            return Err(Error::Input(
                "`seed` and `no_dropout` are for pix2pix; a CycleGAN's translations have no noise: leave them out".into(),
            ));
        }
        let config: CycleGanConfig = checkpoint.config()?;
        let model = config.cyclegan()?;
        let mut values = checkpoint.buffers(&model)?;
        let needed = [GENERATORS.parameters, GENERATORS.running, AVERAGES];
        let state = needed.map(|buffer| (buffer, std::mem::take(&mut values[buffer])));
        let statistics = wanted.statistics.unwrap_or(NormMode::Running);
        Ok(Self { config, model, state: state.into(), to, statistics })
    }
}

impl Translating for OneWay {
    fn to(&self) -> Domain {
        self.to
    }

    fn channels(&self) -> [usize; 2] {
        [self.to.other(), self.to].map(|domain| self.config.channels(domain))
    }

    fn sides(&self) -> [usize; 2] {
        [1 << DOWNSAMPLINGS, SMALLEST]
    }

    fn buffers(&self) -> Vec<StateBuffer> {
        self.model.buffers()
    }

    fn state(&mut self) -> Vec<(usize, Vec<f32>)> {
        std::mem::take(&mut self.state)
    }

    fn whole(&self, batch: usize, size: [usize; 2]) -> Result<Step> {
        self.model.one_way(self.to, batch, size, self.statistics)
    }

    fn reach(&self) -> Option<usize> {
        Some(self.model.generator(self.to).reach())
    }

    fn tiles(&self, window: [usize; 2]) -> Result<Vec<Step>> {
        self.model.tile_steps(self.to, window, self.statistics)
    }
}
