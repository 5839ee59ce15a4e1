//! Images of any size, translated by a trained generator.
//!
//! An image that does not fit the device or the memory is translated tile by tile: first every norm's statistics of the whole
//! image are measured, a pass over all tiles each, then every tile is translated by these. A tile is computed
//! with as much around it as acts on it, so the result is that of the whole image up to rounding, without seams.

mod generator;
mod tiled;
mod tiling;

use super::cyclegan::{self, Domain};
use super::{Kind, pix2pix};
use crate::data::Pixels;
use crate::device::Device;
use crate::executor::Executor;
use crate::graph::{StateBuffer, Step};
use crate::machine;
use crate::train::checkpoint::Checkpoint;
use crate::train::run::memory::needed;
use crate::{Error, Result};
pub use generator::{Translating, Wanted};
use tiled::Tiled;

/// Sides of tiles that are tried where none is given and the whole image does not fit.
const TILES: [usize; 8] = [4096, 2048, 1024, 512, 256, 128, 64, 32];

/// How much is translated at once.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Bounds {
    /// MiB of memory for the networks and the images at hand; where it is not given, half of the machine's if the device computes
    /// in that.
    pub memory: Option<u64>,
    /// Pixels a side of a tile, without what is computed around it; where it is not given, as many as fit.
    pub tile: Option<usize>,
}

/// A generator that is ready to translate.
pub struct Translator {
    generator: Box<dyn Translating>,
    /// State buffers the generator needs, by index.
    state: Vec<(usize, Vec<f32>)>,
    device: Device,
    bounds: Bounds,
    /// The images at once and their size, and what translates these.
    ready: Option<(usize, [usize; 2], Ready)>,
}

/// What translates images of one size.
enum Ready {
    Whole(Box<dyn Executor>),
    Tiled(Box<Tiled>),
}

/// What is told of every row of a translation as it is done: which image, the row and the column where it begins, its pixels
/// `[width, channels]` in [-1, 1].
pub type Put<'a> = dyn FnMut(usize, [usize; 2], &[f32]) + 'a;

impl Translator {
    /// The generator that is `wanted` of a checkpoint, on `device`.
    ///
    /// # Errors
    /// If the checkpoint cannot be used, or has no such generator.
    pub fn of(checkpoint: &Checkpoint, wanted: &Wanted, device: Device, bounds: Bounds) -> Result<Self> {
        let generator: Box<dyn Translating> = match Kind::of_checkpoint(checkpoint)? {
            Kind::CycleGan => Box::new(cyclegan::OneWay::new(checkpoint, wanted)?),
            Kind::Pix2Pix => Box::new(pix2pix::OneWay::new(checkpoint, wanted)?),
            kind @ Kind::Dcgan => {
                return Err(Error::Input(format!(
                    "{0}: a {1}, which draws images instead of translating them; draw some with `sample {0}`",
                    checkpoint.path().display(),
                    kind.title()
                )));
            }
        };
        Self::new(generator, device, bounds)
    }

    /// A translator by `generator` on `device`.
    ///
    /// # Errors
    /// If tiles are asked for and it has none.
    pub fn new(mut generator: Box<dyn Translating>, device: Device, bounds: Bounds) -> Result<Self> {
        if bounds.tile.is_some() && generator.reach().is_none() {
            return Err(Error::Input(
                "`tile`: every pixel of this generator's translations depends on the whole image; leave it out".into(),
            ));
        }
        let state = generator.state();
        Ok(Self { generator, state, device, bounds, ready: None })
    }

    /// The set it translates to.
    pub fn to(&self) -> Domain {
        self.generator.to()
    }

    /// Channels of the images that it translates, and of their translations.
    pub fn channels(&self) -> [usize; 2] {
        self.generator.channels()
    }

    /// The size at which the networks see an image of `size`.
    pub fn padded(&self, size: [usize; 2]) -> [usize; 2] {
        let [multiple, least] = self.generator.sides();
        size.map(|side| side.max(least).next_multiple_of(multiple))
    }

    /// The sides of the tiles in which the last image was translated, with what is computed around them; none where it was whole.
    pub fn window(&self) -> Option<[usize; 2]> {
        match &self.ready {
            Some((.., Ready::Tiled(tiled))) => Some(tiled.window),
            _ => None,
        }
    }

    /// Translates images of one [`Translator::padded`] size at once, as far as they fit: those that do not are translated in
    /// smaller batches, and tile by tile. They are reflected up to that size at the bottom and the right, and the translations
    /// cropped back; `put` hears of these row by row.
    ///
    /// # Errors
    /// If there are none, their padded sizes or their channels differ, the device fails, or not even the smallest tile fits.
    pub fn translate(&mut self, images: &[Pixels], put: &mut Put) -> Result<()> {
        let Some(first) = images.first() else {
            return Err(Error::Input("translate: no images; pass one or more".into()));
        };
        let (padded, [channels, _]) = (self.padded(first.size), self.channels());
        if let Some(other) =
            images.iter().find(|other| self.padded(other.size) != padded || other.channels != channels)
        {
            return Err(Error::Input(format!(
                "translate: an image of {:?} pixels and {} channels among those of {:?}; expected one size, and \
                 {channels} channels",
                other.size, other.channels, first.size
            )));
        }
        if images.len() > self.generator.at_once() {
            return self.by_halves(images, put);
        }
        match self.prepared(images, padded) {
            Ok(Ready::Whole(executor)) => whole(&mut **executor, images, padded, put),
            Ok(Ready::Tiled(tiled)) => tiled.translate(&images[0], padded, put),
            // The graph, the memory or the device is too small for all at once.
            Err(_) if images.len() > 1 => self.by_halves(images, put),
            Err(error) => Err(error),
        }
    }

    fn by_halves(&mut self, images: &[Pixels], put: &mut Put) -> Result<()> {
        let (before, behind) = images.split_at(images.len() / 2);
        self.translate(before, put)?;
        self.translate(behind, &mut |image, place, values| put(before.len() + image, place, values))
    }

    /// What translates `images`, made anew where the last ones were others.
    fn prepared(&mut self, images: &[Pixels], padded: [usize; 2]) -> Result<&mut Ready> {
        let key = (images.len(), padded);
        let kept = self.ready.take().filter(|(count, size, _)| (*count, *size) == key);
        let ready = match kept {
            Some((.., ready)) => ready,
            None => self.prepare(images, padded)?,
        };
        Ok(&mut self.ready.insert((key.0, key.1, ready)).2)
    }

    /// The largest that fits: all images at once, or of a single one the largest tiles.
    fn prepare(&self, images: &[Pixels], padded: [usize; 2]) -> Result<Ready> {
        let most = self.most(images);
        let Some(reach) = self.generator.reach() else {
            return self.whole(images.len(), padded, most).map(Ready::Whole);
        };
        let [multiple, _] = self.generator.sides();
        let halo = reach.next_multiple_of(multiple);
        let window = |tile: usize| {
            let side = (tile.next_multiple_of(multiple)).saturating_add(2 * halo);
            padded.map(|extent| extent.min(side))
        };
        let given = self.bounds.tile.map(window).filter(|window| *window != padded);
        let mut refused = None;
        if given.is_none() {
            match self.whole(images.len(), padded, most) {
                Ok(executor) => return Ok(Ready::Whole(executor)),
                Err(error) if images.len() > 1 => return Err(error),
                Err(error) => refused = Some(error),
            }
        }
        let windows: Vec<[usize; 2]> = match given {
            Some(window) => vec![window],
            None => TILES.into_iter().map(window).filter(|window| *window != padded).collect(),
        };
        for window in windows {
            let steps = self.generator.tiles(window)?;
            match Tiled::new(
                &self.device,
                self.generator.buffers(),
                self.state.clone(),
                steps,
                (window, halo),
                most,
            ) {
                Ok(tiled) => return Ok(Ready::Tiled(Box::new(tiled))),
                Err(error) => refused = Some(error),
            }
        }
        Err(refused.unwrap_or_else(|| Error::Input("translate: nothing to translate by".into())))
    }

    /// What translates `batch` whole images of a padded size.
    fn whole(&self, batch: usize, padded: [usize; 2], most: u64) -> Result<Box<dyn Executor>> {
        let step = self.generator.whole(batch, padded)?;
        let inputs = self.generator.inputs(&step);
        let channels: usize = self.channels().iter().sum();
        let values = batch * padded[0] * padded[1] * channels * size_of::<f32>();
        let most = most.saturating_sub(values as u64 >> 20);
        let at_least = match self.generator.reach() {
            Some(_) => IN_TILES,
            None => "for the image, which this network cannot take in tiles",
        };
        let buffers = self.generator.buffers();
        let mut executor = executor(&self.device, &buffers, &self.state, vec![step], (most, at_least))?;
        inputs.iter().try_for_each(|(name, values)| executor.write_input(0, name, values))?;
        Ok(executor)
    }

    /// MiB that networks may take beside `images` and their translations.
    fn most(&self, images: &[Pixels]) -> u64 {
        let in_memory = match &self.device {
            Device::Cpu { .. } => true,
            Device::Gpu(gpu) => gpu.summary().software,
        };
        let machine = machine::memory().filter(|_| in_memory).map(|mebibytes| mebibytes / 2);
        let Some(most) = self.bounds.memory.or(machine) else { return u64::MAX };
        // As they are read, translated and written.
        let images = 3 * images.iter().map(Pixels::bytes).sum::<usize>();
        most.saturating_sub((images as u64 >> 20) + BESIDE)
    }
}

/// MiB that the program takes beside networks and images.
const BESIDE: u64 = 64;

/// What is said of memory where an image has tiles.
const IN_TILES: &str = "even in the smallest tiles";

/// What runs `steps` with this state, if they need no more than `most` MiB, which is the least `at_least`.
fn executor(
    device: &Device,
    buffers: &[StateBuffer],
    state: &[(usize, Vec<f32>)],
    steps: Vec<Step>,
    (most, at_least): (u64, &str),
) -> Result<Box<dyn Executor>> {
    let taken = needed(device, buffers, &steps, most)?;
    if taken > most {
        return Err(Error::Memory(format!(
            "it needs {taken} MiB of memory {at_least}, where {most} are left beside the images; raise `memory_limit`"
        )));
    }
    let mut executor = device.executor(buffers, steps)?;
    state.iter().try_for_each(|(buffer, values)| executor.write_state(*buffer, values))?;
    Ok(executor)
}

/// Translates whole images at once.
fn whole(executor: &mut dyn Executor, images: &[Pixels], padded: [usize; 2], put: &mut Put) -> Result<()> {
    let values: Vec<f32> = images.iter().flat_map(|image| part(image, [0, 0], padded)).collect();
    executor.write_input(0, "images", &values)?;
    drop(values);
    executor.run(&[0])?;
    let translations = executor.read_output(0, "translation")?;
    let each = translations.len() / images.len();
    for (index, (image, translation)) in images.iter().zip(translations.chunks_exact(each)).enumerate() {
        let ([height, width], channels) = (image.size, each / (padded[0] * padded[1]));
        for (row, values) in translation.chunks_exact(padded[1] * channels).take(height).enumerate() {
            put(index, [row, 0], &values[..width * channels]);
        }
    }
    Ok(())
}

/// The values of a part of an image that is mirrored at its borders, which are not repeated: `[height, width, channels]` from
/// row and column `start` on.
fn part(image: &Pixels, start: [usize; 2], [height, width]: [usize; 2]) -> Vec<f32> {
    let [h, w] = image.size;
    let mut values = Vec::with_capacity(height * width * image.channels);
    for y in start[0]..start[0] + height {
        for x in start[1]..start[1] + width {
            values.extend(image.pixel([mirrored(y, h), mirrored(x, w)]));
        }
    }
    values
}

fn mirrored(at: usize, len: usize) -> usize {
    let period = (2 * len).saturating_sub(2).max(1);
    let at = at % period;
    at.min(period - at).min(len - 1)
}

#[cfg(test)]
mod tests {
    use super::mirrored;

    #[test]
    fn images_are_mirrored_without_repeating_borders() {
        let row = |len| (0..10).map(|at| mirrored(at, len)).collect::<Vec<_>>();
        assert_eq!(row(4), [0, 1, 2, 3, 2, 1, 0, 1, 2, 3]);
        assert_eq!(row(2), [0, 1, 0, 1, 0, 1, 0, 1, 0, 1]);
        assert_eq!(row(1), [0; 10]);
        assert_eq!(row(12), [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
    }
}
