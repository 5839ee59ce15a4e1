//! A trained generator, as a translator takes it.

use crate::Result;
use crate::graph::{StateBuffer, Step};
use crate::models::cyclegan::Domain;
use crate::nn::NormMode;

/// Which translation of a run's is wanted; what is not given is as the model has it.
#[derive(Clone, Copy, Debug, Default)]
pub struct Wanted {
    /// The set to translate to.
    pub to: Option<Domain>,
    /// What batch norms normalise by.
    pub statistics: Option<NormMode>,
    /// The seed of noise that is part of a translation.
    pub seed: Option<u64>,
    /// Whether nothing is dropped by dropout.
    pub no_dropout: bool,
}

/// A trained generator of images from images of the same size, as a [`Translator`](super::Translator) takes it.
pub trait Translating: Send {
    /// The set it translates to.
    fn to(&self) -> Domain;

    /// Channels of the images that it translates, and of their translations.
    fn channels(&self) -> [usize; 2];

    /// Sides must be multiples of the first, from the second on; images are reflected up to that.
    fn sides(&self) -> [usize; 2];

    /// Images that are translated together at most.
    fn at_once(&self) -> usize {
        usize::MAX
    }

    /// All state buffers of its model.
    fn buffers(&self) -> Vec<StateBuffer>;

    /// Those it needs, by index, and their numbers, which it gives away.
    fn state(&mut self) -> Vec<(usize, Vec<f32>)>;

    /// What translates whole images: the input `images`, the output `translation`.
    ///
    /// # Errors
    /// If the network does not fit the size.
    fn whole(&self, batch: usize, size: [usize; 2]) -> Result<Step>;

    /// The other inputs of that step.
    fn inputs(&self, _whole: &Step) -> Vec<(String, Vec<f32>)> {
        Vec::new()
    }

    /// How far the pixels lie that a pixel depends on; none where that is the whole image, which then has no tiles.
    fn reach(&self) -> Option<usize>;

    /// The steps that translate windows of a larger image: one for each norm that is measured, then the one that translates.
    ///
    /// # Errors
    /// If the network does not fit the size, or an image has no tiles.
    fn tiles(&self, window: [usize; 2]) -> Result<Vec<Step>>;
}
