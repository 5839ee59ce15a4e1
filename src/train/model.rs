//! What a model says of itself; a run, a benchmark and a listing need no more.

use super::checkpoint::Checkpoint;
use super::config::RunConfig;
use super::dataset::DatasetSpec;
use super::evaluation::Judging;
use super::phase::Phase;
use super::preparation::Preparation;
use super::run_folder::RunFolder;
use super::split::Members;
use crate::Result;
use crate::device::Device;
use crate::evaluate::Figure;
use crate::graph::loss_scale::{INITIAL, SCALE, UPDATES};
use crate::graph::{StateBuffer, Step};
use crate::nn::{Init, Network, Parameter};
use crate::optim::OptimizerState;
use crate::ranks::Shard;

/// Networks trained by one optimizer.
pub struct Trained<'m> {
    /// The networks, each with the purpose of its initial draws.
    pub networks: Vec<(&'m Network, String)>,
    /// Their state buffers.
    pub buffers: OptimizerState,
    /// The state buffer of averages of their parameters, where they are kept.
    pub average: Option<usize>,
}

impl Trained<'_> {
    /// Every tensor of every network: whose it is, what it is, its state buffer, and its index there.
    pub fn tensors(&self) -> Vec<(&Network, Parameter, usize, usize)> {
        self.buffers.entries(self.networks.iter().map(|(network, _)| *network))
    }
}

/// A loss that a run logs.
#[derive(Clone, Copy, Debug)]
pub struct LossSpec {
    /// Its name, and that of the output with its value.
    pub name: &'static str,
    /// The outputs whose sum it is where no step has one of its name.
    pub parts: &'static [&'static str],
    /// Whether it is in the line for people.
    pub shown: bool,
}

/// A logged share of images that a discriminator is right about.
#[derive(Clone, Copy, Debug)]
pub struct AccuracySpec {
    /// Its name.
    pub name: &'static str,
    /// The output with the discriminator's errors: see [`crate::nn::loss::Adversarial::errors`].
    pub output: &'static str,
    /// Whether these are of real images.
    pub real: bool,
}

/// What draws a sample sheet.
pub struct SheetSpec {
    /// Computes a batch of samples and changes no state. Its first output are the drawn images, `[n, size, size, channels]` in
    /// [-1, 1].
    pub step: Step,
    /// The input that samples are made of, the same all along; the last batch is filled up with the first ones.
    pub input: &'static str,
    /// The other inputs, by name, the same all along.
    pub constants: Vec<(String, Vec<f32>)>,
    /// The set whose images the drawn ones are to look like, by its index.
    pub like: usize,
}

/// A model that can be trained: its networks over one set of state buffers, and how they are trained, shown and judged.
pub trait Model: Sized {
    /// Its settings.
    type Config: RunConfig;

    /// What people call it.
    const NAME: &'static str;
    /// What it is trained to do, for the command line: a sentence, and if need be more behind an empty line.
    const ABOUT: &'static str;
    /// Its sample sheets, each of which becomes an animation, as in [`RunFolder::sample_path`].
    const SHEETS: &'static [&'static str];
    /// The losses it logs, in their order; curves are drawn of them.
    const LOSSES: &'static [LossSpec];
    /// What it logs of discriminators.
    const ACCURACIES: &'static [AccuracySpec];

    /// The networks that `config` describes, in a process that computes `images` images of each batch.
    ///
    /// # Errors
    /// If they do not fit each other.
    fn new(config: &Self::Config, images: usize) -> Result<Self>;

    /// The parameters, in words.
    fn describe(&self) -> String;

    /// All state buffers, in the order of their indices.
    fn buffers(&self) -> Vec<StateBuffer>;

    /// Every network, by optimizer.
    fn trained(&self) -> Vec<Trained<'_>>;

    /// Images that are part of the state: name in a checkpoint, state buffer, and index within it.
    fn images(&self) -> Vec<(String, usize, usize)> {
        Vec::new()
    }

    /// The sets of images that it is trained on.
    fn datasets(config: &Self::Config) -> Vec<DatasetSpec<'_>>;

    /// An iteration on a batch, or this process's part of one.
    ///
    /// # Errors
    /// If the networks do not fit each other or the size.
    fn phases(&self, config: &Self::Config, shard: Shard) -> Result<Vec<Phase>>;

    /// What draws each of the [`Model::SHEETS`].
    ///
    /// # Errors
    /// If the networks do not fit the size.
    fn sheets(&self, config: &Self::Config, sets: &[&Members]) -> Result<Vec<SheetSpec>>;

    /// What the samples of sheet `index` are made of.
    ///
    /// # Errors
    /// If it cannot be read.
    fn sheet_input(config: &Self::Config, sets: &[&Members], index: usize) -> Result<Vec<f32>>;

    /// Writes sheet `index` after `step`, of its input and what came of it, output by output.
    ///
    /// # Errors
    /// If a file cannot be written.
    fn save_sheet(
        config: &Self::Config,
        index: usize,
        input: &[f32],
        outputs: &[Vec<f32>],
        folder: &RunFolder,
        step: u64,
    ) -> Result<()>;

    /// Refuses what cannot be trained by several ranks.
    ///
    /// # Errors
    /// If it cannot.
    fn check_ranks(_config: &Self::Config) -> Result<()> {
        Ok(())
    }

    /// Judges a checkpoint by figures; `watch` hears how images are made ready.
    ///
    /// # Errors
    /// If the checkpoint, its images or the device cannot be used, or the judging asks for what the model does not have.
    fn evaluate(
        checkpoint: &Checkpoint,
        device: &Device,
        judging: &Judging,
        watch: &dyn Preparation,
    ) -> Result<Vec<Figure>>;

    /// What to do with the trained run in `folder`: in words, and the command.
    fn next(folder: &RunFolder) -> (&'static str, String);

    /// Tensors that are part of the state but of no network: its images, and loss scales. Name in a checkpoint, state buffer, and index
    /// within it.
    fn loose(&self) -> Vec<(String, usize, usize)> {
        let mut loose = self.images();
        for Trained { networks, buffers, .. } in self.trained() {
            let (Some(scale), Some((network, _))) = (buffers.scale, networks.first()) else { continue };
            for (what, index) in [("loss_scale", SCALE), ("loss_scale_updates", UPDATES)] {
                loose.push((format!("optimizer.{what}.{}", network.name), scale, index));
            }
        }
        loose
    }

    /// The state buffers that are part of a run's state: what a step leaves for those after it.
    fn state(&self) -> Vec<usize> {
        let mut state: Vec<usize> = self.loose().iter().map(|&(_, buffer, _)| buffer).collect();
        for Trained { buffers: of, average, .. } in self.trained() {
            state.extend([of.parameters, of.running]);
            state.extend(of.state().map(|(_, buffer)| buffer));
            state.extend(average);
        }
        state.sort_unstable();
        state.dedup();
        state
    }

    /// The numbers of all state buffers before training: parameters drawn by `init`, running statistics and averages to match,
    /// loss scales as they begin, everything else 0.
    fn initial(&self, init: Init, seed: u64) -> Vec<Vec<f32>> {
        let mut values: Vec<Vec<f32>> = self.buffers().iter().map(|buffer| vec![0.0; buffer.len]).collect();
        for Trained { networks, buffers: of, average } in self.trained() {
            let [parameters, running] = OptimizerState::initial(&networks, init, seed);
            values[of.parameters] = parameters;
            values[of.running] = running;
            if let Some(average) = average {
                values[average] = values[of.parameters].clone();
            }
            if let Some(scale) = of.scale {
                StateBuffer::loss_scale().view_mut(&mut values[scale], SCALE).fill(INITIAL);
            }
        }
        values
    }
}
