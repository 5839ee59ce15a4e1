//! Images of any size, translated by a trained generator.

use super::networks::DOWNSAMPLINGS;
use super::{AVERAGES, CycleGan, CycleGanConfig, Domain, GENERATORS};
use crate::data::{Image, to_unit};
use crate::device::Device;
use crate::executor::Executor;
use crate::nn::NormMode;
use crate::train::checkpoint::Checkpoint;
use crate::train::model::Model;
use crate::train::run::memory::check_program;
use crate::{Error, Result};

/// Smaller images are reflected up to this before they are translated.
const SMALLEST: usize = 16;

/// A generator that is ready to translate.
pub struct Translator {
    config: CycleGanConfig,
    model: CycleGan,
    /// State buffers the generators need, by index.
    state: Vec<(usize, Vec<f32>)>,
    device: Device,
    to: Domain,
    statistics: NormMode,
    /// The images at once and their size that `executor` takes.
    ready: Option<(usize, [usize; 2], Box<dyn Executor>)>,
}

impl Translator {
    /// Takes the generator to `to` of a checkpoint; it translates on `device`, by the averages of the weights where the run
    /// keeps them.
    ///
    /// # Errors
    /// If the checkpoint is none of a CycleGAN, or cannot be used.
    pub fn new(checkpoint: &Checkpoint, device: Device, to: Domain, statistics: NormMode) -> Result<Self> {
        let config: CycleGanConfig = checkpoint.config()?;
        let model = config.cyclegan()?;
        let mut values = checkpoint.buffers(&model)?;
        let needed = [GENERATORS.parameters, GENERATORS.running, AVERAGES];
        let state = needed.map(|buffer| (buffer, std::mem::take(&mut values[buffer])));
        Ok(Self { config, model, state: state.into(), device, to, statistics, ready: None })
    }

    /// The settings the generator was trained with.
    pub fn config(&self) -> &CycleGanConfig {
        &self.config
    }

    /// The size at which the networks see an image of `size`: either side a multiple of 4.
    pub fn padded(size: [usize; 2]) -> [usize; 2] {
        size.map(|side| side.max(SMALLEST).next_multiple_of(1 << DOWNSAMPLINGS))
    }

    /// Translates images of one [`Translator::padded`] size at once. They are reflected up to it at the bottom and the
    /// right, and the translations cropped back: `[h, w, channels]` of each image's size, in [-1, 1].
    ///
    /// # Errors
    /// If there are none, their padded sizes or their channels differ, or the device fails or is too small.
    pub fn translate(&mut self, images: &[Image]) -> Result<Vec<Vec<f32>>> {
        let Some(first) = images.first() else {
            return Err(Error::Input("translate: no images; pass one or more".into()));
        };
        let (padded, channels) = (Self::padded(first.size), self.config.common.channels);
        if let Some(other) =
            images.iter().find(|other| Self::padded(other.size) != padded || other.channels != channels)
        {
            return Err(Error::Input(format!(
                "translate: an image of {:?} pixels and {} channels among those of {:?}; expected one size, and \
                 {channels} channels",
                other.size, other.channels, first.size
            )));
        }
        let executor = self.executor(images.len(), padded)?;
        let values: Vec<f32> = images.iter().flat_map(|image| reflect(image, padded)).collect();
        executor.write_input(0, "images", &values)?;
        executor.run(&[0])?;
        let translations = executor.read_output(0, "translation")?;
        let len = padded[0] * padded[1] * channels;
        let crops = images.iter().zip(translations.chunks_exact(len));
        Ok(crops.map(|(image, translation)| crop(translation, padded[1], image)).collect())
    }

    /// What translates `batch` images of `size`, made anew where the last ones were others.
    fn executor(&mut self, batch: usize, size: [usize; 2]) -> Result<&mut dyn Executor> {
        let kept = self.ready.take().filter(|(at_once, of, _)| (*at_once, *of) == (batch, size));
        let ready = match kept {
            Some(ready) => ready,
            None => {
                let step = self.model.one_way(self.to, batch, size, self.statistics)?;
                let [height, width] = size;
                let what = format!("{batch} images of {width} x {height} pixels");
                check_program(&what, &self.device, &self.model.buffers(), std::slice::from_ref(&step))?;
                let mut executor = self.device.executor(&self.model.buffers(), vec![step])?;
                self.state.iter().try_for_each(|(buffer, values)| executor.write_state(*buffer, values))?;
                (batch, size, executor)
            }
        };
        let (.., executor) = self.ready.insert(ready);
        Ok(&mut **executor)
    }
}

/// The values of an image at the padded size: what is missing is mirrored at its borders, which are not repeated.
fn reflect(image: &Image, [height, width]: [usize; 2]) -> Vec<f32> {
    let [h, w] = image.size;
    let mut values = Vec::with_capacity(height * width * image.channels);
    for y in 0..height {
        for x in 0..width {
            let pixel = (mirrored(y, h) * w + mirrored(x, w)) * image.channels;
            values.extend(image.bytes[pixel..][..image.channels].iter().map(|&byte| to_unit(byte)));
        }
    }
    values
}

fn mirrored(at: usize, len: usize) -> usize {
    let period = (2 * len).saturating_sub(2).max(1);
    let at = at % period;
    at.min(period - at).min(len - 1)
}

/// The part of a translation, `width` pixels wide, that shows `image`.
fn crop(translation: &[f32], width: usize, image: &Image) -> Vec<f32> {
    let ([h, w], channels) = (image.size, image.channels);
    let rows = translation.chunks_exact(width * channels).take(h);
    rows.flat_map(|row| &row[..w * channels]).copied().collect()
}

#[cfg(test)]
mod tests {
    use super::{Translator, mirrored};

    #[test]
    fn images_are_mirrored_without_repeating_borders() {
        let row = |len| (0..10).map(|at| mirrored(at, len)).collect::<Vec<_>>();
        assert_eq!(row(4), [0, 1, 2, 3, 2, 1, 0, 1, 2, 3]);
        assert_eq!(row(2), [0, 1, 0, 1, 0, 1, 0, 1, 0, 1]);
        assert_eq!(row(1), [0; 10]);
        assert_eq!(row(12), [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
    }

    #[test]
    fn sides_become_multiples_of_4() {
        assert_eq!(Translator::padded([64, 65]), [64, 68]);
        assert_eq!(Translator::padded([1, 18]), [16, 20]);
    }
}
