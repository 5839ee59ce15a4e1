//! Translation of one image tile by tile, through windows of one size.

use super::tiling::{Tile, tiles};
use super::{IN_TILES, Put, executor, part};
use crate::Result;
use crate::data::Pixels;
use crate::device::Device;
use crate::executor::Executor;
use crate::graph::{StateBuffer, Step};

/// What translates images through windows of one size.
pub struct Tiled {
    device: Device,
    buffers: Vec<StateBuffer>,
    state: Vec<(usize, Vec<f32>)>,
    /// A step for every norm that is measured, then the one that translates.
    steps: Vec<Step>,
    /// Height and width of a window.
    pub window: [usize; 2],
    halo: usize,
    /// MiB that an executor may take.
    most: u64,
    /// The executor of the steps from one on.
    ready: Option<(usize, Box<dyn Executor>)>,
}

impl Tiled {
    /// Makes `steps`, those of [`Translating::tiles`](super::Translating::tiles), ready for windows and their halo.
    ///
    /// # Errors
    /// If the device fails, or they need more than `most` MiB.
    pub fn new(
        device: &Device,
        buffers: Vec<StateBuffer>,
        state: Vec<(usize, Vec<f32>)>,
        steps: Vec<Step>,
        (window, halo): ([usize; 2], usize),
        most: u64,
    ) -> Result<Self> {
        let device = device.clone();
        let mut tiled = Self { device, buffers, state, steps, window, halo, most, ready: None };
        // None may turn out too large when others are done.
        (0..tiled.steps.len()).try_for_each(|step| tiled.executor(step).map(drop))?;
        Ok(tiled)
    }

    /// Translates an image, mirrored up to the size `padded`.
    ///
    /// # Errors
    /// If the device fails.
    pub fn translate(&mut self, image: &Pixels, padded: [usize; 2], put: &mut Put) -> Result<()> {
        let tiles = tiles(padded, self.window, self.halo);
        let mut norms = Vec::new();
        for step in 0..self.steps.len() - 1 {
            let moments = self.measured(step, image, &tiles, &norms)?;
            norms.push(moments);
        }
        let last = self.steps.len() - 1;
        self.write_norms(last, &norms)?;
        let [height, width] = image.size;
        for tile in &tiles {
            let translation = self.run(last, image, tile, &["translation"])?.remove(0);
            let channels = translation.len() / (self.window[0] * self.window[1]);
            let [rows, columns] = &tile.own;
            let (left, right) = (tile.start[1] + columns.start, (tile.start[1] + columns.end).min(width));
            for row in rows.clone().filter(|row| tile.start[0] + row < height && left < right) {
                let from = (row * self.window[1] + columns.start) * channels;
                put(0, [tile.start[0] + row, left], &translation[from..][..(right - left) * channels]);
            }
        }
        Ok(())
    }

    /// Mean and variance over the whole image, `[2, channels]`, of what the norm of `step` reads.
    fn measured(
        &mut self,
        step: usize,
        image: &Pixels,
        tiles: &[Tile],
        norms: &[Vec<f32>],
    ) -> Result<Vec<f32>> {
        self.write_norms(step, norms)?;
        let own = self.steps[step].inputs().find(|(_, name, _)| *name == "own").map(|(.., shape)| shape.0);
        let [_, height, width, _] = own.unwrap_or([1; 4]);
        // Pixels of the window to one that the norm reads.
        let pitch = [self.window[0] / height, self.window[1] / width];
        let mut moments = Moments::default();
        for tile in tiles {
            let [rows, columns] = [0, 1].map(|axis| {
                let own = &tile.own[axis];
                own.start / pitch[axis]..own.end / pitch[axis]
            });
            let counts = |at: usize| rows.contains(&(at / width)) && columns.contains(&(at % width));
            let own: Vec<f32> = (0..height * width).map(|at| if counts(at) { 1.0 } else { 0.0 }).collect();
            let count = (rows.len() * columns.len()) as f64;
            let (at, executor) = self.executor(step)?;
            executor.write_input(at, "own", &own)?;
            executor.write_input(at, "share", &[(1.0 / count) as f32])?;
            let found = self.run(step, image, tile, &["mean", "variance"])?;
            moments.add(count, &found[0], &found[1]);
        }
        Ok(moments.rows())
    }

    /// The outputs of `step` at a tile's window.
    fn run(&mut self, step: usize, image: &Pixels, tile: &Tile, outputs: &[&str]) -> Result<Vec<Vec<f32>>> {
        let values = part(image, tile.start, self.window);
        let (at, executor) = self.executor(step)?;
        executor.write_input(at, "images", &values)?;
        executor.run(&[at])?;
        outputs.iter().map(|output| executor.read_output(at, output)).collect()
    }

    fn write_norms(&mut self, step: usize, norms: &[Vec<f32>]) -> Result<()> {
        let (at, executor) = self.executor(step)?;
        let mut all = norms.iter().enumerate();
        all.try_for_each(|(index, moments)| executor.write_input(at, &format!("norm.{index}"), moments))
    }

    /// What runs `step`, and its index there. On a GPU all steps share their memory; on the CPU each has its own, so that only
    /// one is kept.
    fn executor(&mut self, step: usize) -> Result<(usize, &mut dyn Executor)> {
        let (first, steps) = match self.device {
            Device::Cpu { .. } => (step, &self.steps[step..=step]),
            Device::Gpu(_) => (0, &self.steps[..]),
        };
        let ready = match self.ready.take().filter(|(of, _)| *of == first) {
            Some(ready) => ready,
            None => {
                let most = (self.most, IN_TILES);
                (first, executor(&self.device, &self.buffers, &self.state, steps.to_vec(), most)?)
            }
        };
        Ok((step - first, &mut *self.ready.insert(ready).1))
    }
}

/// Mean and summed squares about it of each channel, over the numbers seen so far (Chan 1979).
#[derive(Default)]
struct Moments {
    count: f64,
    mean: Vec<f64>,
    squares: Vec<f64>,
}

impl Moments {
    /// Takes `count` more numbers of each channel, of this mean and variance.
    fn add(&mut self, count: f64, mean: &[f32], variance: &[f32]) {
        self.mean.resize(mean.len(), 0.0);
        self.squares.resize(mean.len(), 0.0);
        let (before, all) = (self.count, self.count + count);
        for (channel, (&mean, &variance)) in mean.iter().zip(variance).enumerate() {
            let apart = f64::from(mean) - self.mean[channel];
            self.mean[channel] += apart * count / all;
            self.squares[channel] += f64::from(variance) * count + apart * apart * before * count / all;
        }
        self.count = all;
    }

    /// The means, then the variances.
    fn rows(&self) -> Vec<f32> {
        let variances = self.squares.iter().map(|squares| squares / self.count);
        self.mean.iter().copied().chain(variances).map(|number| number as f32).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::Moments;

    #[test]
    fn parts_have_the_moments_of_the_whole() {
        let parts: [&[f32]; 3] = [&[1.0, 5.0, 2.0], &[1000.0], &[-3.0, 4.0]];
        let mean = |part: &[f32]| part.iter().sum::<f32>() / part.len() as f32;
        let variance = |part: &[f32]| {
            let about = mean(part);
            part.iter().map(|x| (x - about).powi(2)).sum::<f32>() / part.len() as f32
        };
        let mut moments = Moments::default();
        for part in parts {
            moments.add(part.len() as f64, &[mean(part)], &[variance(part)]);
        }
        let whole = parts.concat();
        let [found_mean, found_variance] = moments.rows()[..] else { panic!("one channel") };
        assert!((found_mean - mean(&whole)).abs() < 1e-4, "{found_mean}");
        assert!((found_variance / variance(&whole) - 1.0).abs() < 1e-5, "{found_variance}");
    }
}
