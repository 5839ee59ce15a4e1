//! Images from a trained generator.

use super::{AVERAGE, DcganConfig, GENERATOR};
use crate::Result;
use crate::data::{NoiseKind, noise};
use crate::device::Device;
use crate::executor::Executor;
use crate::nn::NormMode;
use crate::nn::torch::image_to_torch;
use crate::report::{Images, Layout, sheet};
use crate::shape::Shape;
use crate::tensor_file::{self, Tensor, Tensors};
use crate::train::checkpoint::Checkpoint;
use crate::train::model::Model;
use crate::train::run::memory::check_program;
use std::path::Path;

/// Images drawn at once, whatever the count that is asked for: with [`NormMode::Batch`] an image depends on its
/// neighbours.
pub const BATCH: usize = 16;

/// The noises of the first `count` sample images of `seed`, one after another; those of the run's own seed start
/// with the ones its sample grids are drawn from.
pub fn fixed_noise(config: &DcganConfig, seed: u64, count: usize) -> Vec<f32> {
    noise(config.noise, seed, "noise.sample", 0, count * config.noise_size)
}

/// Writes images `[n, height, width, channels]` as one PNG.
///
/// # Errors
/// If it cannot be written.
pub fn save_grid(images: &[f32], config: &DcganConfig, columns: usize, path: &Path) -> Result<()> {
    let images = Images { values: images, size: config.common.size, channels: config.common.channels };
    sheet::grid(images, Layout::new(columns, config.common.size))?.save_png(path)
}

/// Writes noises and the images `[n, height, width, channels]` drawn from them as safetensors, in PyTorch's layouts: `noise`
/// `[n, noise_size, 1, 1]` and `images` `[n, channels, height, width]`, in [-1, 1].
///
/// # Errors
/// If the file cannot be written.
pub fn save_numbers(noises: Vec<f32>, images: &[f32], config: &DcganConfig, path: &Path) -> Result<()> {
    let (count, size, channels) =
        (noises.len() / config.noise_size, config.common.size, config.common.channels);
    let noise = Tensor { shape: vec![count, config.noise_size, 1, 1], values: noises };
    let values = image_to_torch(images, Shape([count, size.height, size.width, channels]));
    let images = Tensor { shape: vec![count, channels, size.height, size.width], values };
    tensor_file::write(path, &Tensors::F32([("noise".into(), noise), ("images".into(), images)].into()))
}

/// An image and what it was drawn from.
#[derive(Clone, Copy)]
pub struct Drawn<'a> {
    /// Its noise.
    pub noise: &'a [f32],
    /// Its values, `[height, width, channels]` in [-1, 1].
    pub image: &'a [f32],
}

/// Takes one image.
pub type Each<'a> = dyn FnMut(Drawn<'_>) -> Result<()> + 'a;

/// A generator that is ready to draw.
pub struct Sampler {
    config: DcganConfig,
    executor: Box<dyn Executor>,
}

impl Sampler {
    /// Takes the generator of a checkpoint onto `device`; it draws by the average of its weights where the run keeps one.
    ///
    /// # Errors
    /// If the checkpoint or the device cannot be used.
    pub fn new(checkpoint: &Checkpoint, device: &Device, statistics: NormMode) -> Result<Self> {
        let config: DcganConfig = checkpoint.config()?;
        let dcgan = config.dcgan()?;
        let values = checkpoint.buffers(&dcgan)?;
        let step = dcgan.sampler(BATCH, statistics)?;
        check_program(&format!("{BATCH} samples"), device, &dcgan.buffers(), std::slice::from_ref(&step))?;
        let mut executor = device.executor(&dcgan.buffers(), vec![step])?;
        for buffer in [GENERATOR.parameters, GENERATOR.running, AVERAGE] {
            executor.write_state(buffer, &values[buffer])?;
        }
        Ok(Self { config, executor })
    }

    /// The settings the generator was trained with.
    pub fn config(&self) -> &DcganConfig {
        &self.config
    }

    /// Hands the first `count` images of `seed`, one by one, to `each`; they are the same whatever the count.
    ///
    /// # Errors
    /// If the device or `each` fails.
    pub fn images(&mut self, seed: u64, count: usize, each: &mut Each<'_>) -> Result<()> {
        let (len, image) = (self.config.noise_size, self.image_len());
        let noises = fixed_noise(&self.config, seed, count.next_multiple_of(BATCH));
        for (index, noises) in noises.chunks_exact(BATCH * len).enumerate() {
            let images = self.draw(noises)?;
            let wanted = (count - index * BATCH).min(BATCH);
            let drawn = noises.chunks_exact(len).zip(images.chunks_exact(image)).take(wanted);
            drawn.map(|(noise, image)| Drawn { noise, image }).try_for_each(&mut *each)?;
        }
        Ok(())
    }

    /// As [`Sampler::images`], on a path from one noise of `seed` to the next, `steps` images from each to the next:
    /// straight for uniform noise, along the sphere for normal noise (White 2016). Each is drawn beside the same
    /// other noises, so that batch statistics do not jump on the way.
    ///
    /// # Errors
    /// If the device or `each` fails.
    pub fn interpolated(&mut self, seed: u64, count: usize, steps: usize, each: &mut Each<'_>) -> Result<()> {
        let (len, steps) = (self.config.noise_size, steps.max(1));
        let ends = count.div_ceil(steps) + 1;
        let noises = fixed_noise(&self.config, seed, ends.max(BATCH));
        let mut batch = noises[..BATCH * len].to_vec();
        for index in 0..count {
            let (from, t) = (index / steps, (index % steps) as f32 / steps as f32);
            let ends = noises[from * len..][..2 * len].split_at(len);
            batch[..len].copy_from_slice(&between(self.config.noise, ends.0, ends.1, t));
            let images = self.draw(&batch)?;
            each(Drawn { noise: &batch[..len], image: &images[..self.image_len()] })?;
        }
        Ok(())
    }

    fn draw(&mut self, noises: &[f32]) -> Result<Vec<f32>> {
        self.executor.write_input(0, "noise", noises)?;
        self.executor.run(&[0])?;
        self.executor.read_output(0, "images")
    }

    fn image_len(&self) -> usize {
        self.config.common.size.area() * self.config.common.channels
    }
}

/// The noise at `t` of the way from `a` to `b`.
fn between(kind: NoiseKind, a: &[f32], b: &[f32], t: f32) -> Vec<f32> {
    let dot = |a: &[f32], b: &[f32]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f32>();
    let angle = (dot(a, b) / (dot(a, a) * dot(b, b)).sqrt()).clamp(-1.0, 1.0).acos();
    let (from, to) = match kind {
        // Along nearly parallel noises the sphere is flat.
        NoiseKind::Normal if angle.sin() > 1e-3 => {
            (((1.0 - t) * angle).sin() / angle.sin(), (t * angle).sin() / angle.sin())
        }
        _ => (1.0 - t, t),
    };
    a.iter().zip(b).map(|(a, b)| from * a + to * b).collect()
}

/// Writes one image as a PNG of its own size.
///
/// # Errors
/// If it cannot be written.
pub fn save_single(image: &[f32], config: &DcganConfig, path: &Path) -> Result<()> {
    let image = Images { values: image, size: config.common.size, channels: config.common.channels };
    sheet::grid(image, Layout { columns: 1, padding: 0, scale: 1 })?.save_png(path)
}
