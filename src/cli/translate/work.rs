//! Images through the generator, batch by batch; what fails does not keep the others.

use super::jobs::Job;
use super::planes::{Alpha, Planes, Writing};
use crate::cli::follow::images::style;
use crate::cli::warn;
use crate::data::{Depth, Pixels};
use crate::models::translation::Translator;
use crate::nn::torch::image_to_torch;
use crate::shape::Shape;
use crate::tensor_file::Tensor;
use crate::{Error, Result};
use indicatif::ProgressBar;
use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};

/// Images at once, where nothing else is said, have about this many pixels together.
const PIXELS: usize = 1 << 19;
/// As many pixels wait for others of their size.
const WAITING: usize = 1 << 26;

/// How translations are kept.
pub struct Kept {
    /// As numbers under their names in this file, and not as images.
    pub numbers: Option<PathBuf>,
    pub depth: Option<Depth>,
    pub quality: u8,
    pub alpha: Alpha,
    /// Images at once.
    pub batch: Option<usize>,
}

/// An image that was not translated.
pub struct Failure {
    pub path: PathBuf,
    pub reason: String,
    /// Whether it could not be read.
    pub unreadable: bool,
}

/// How the work ended.
#[derive(PartialEq, Eq)]
pub enum Ended {
    All,
    Stopped,
}

/// Images on their way.
pub struct Work {
    translator: Translator,
    kept: Kept,
    bar: ProgressBar,
    /// What waits for others of its size.
    waiting: BTreeMap<[usize; 2], Vec<(Job, Planes)>>,
    pub done: usize,
    /// How many images were translated in tiles.
    pub tiled: usize,
    pub failed: Vec<Failure>,
    pub numbers: BTreeMap<String, Tensor<f32>>,
}

impl Work {
    pub fn new(translator: Translator, kept: Kept, images: usize) -> Result<Self> {
        // Drawn on a terminal only.
        let bar = ProgressBar::new(images as u64).with_style(style()?);
        let (waiting, numbers) = (BTreeMap::new(), BTreeMap::new());
        Ok(Self { translator, kept, bar, waiting, done: 0, tiled: 0, failed: Vec::new(), numbers })
    }

    /// Translates images until all are done, or `stop` is set: then what waits is left.
    ///
    /// # Errors
    /// If the device fails.
    pub fn translate(&mut self, jobs: Vec<Job>, stop: &AtomicBool) -> Result<Ended> {
        let stopped = || stop.load(Ordering::Relaxed);
        for job in jobs {
            if stopped() {
                return Ok(Ended::Stopped);
            }
            self.read(job)?;
        }
        while let Some((_, group)) = self.waiting.pop_first() {
            if stopped() {
                return Ok(Ended::Stopped);
            }
            self.batch(group)?;
        }
        self.bar.finish_and_clear();
        Ok(Ended::All)
    }

    /// Reads an image, and translates those of its size where they are enough.
    fn read(&mut self, job: Job) -> Result<()> {
        let decoded = match job.file.decode() {
            Ok(decoded) => decoded,
            Err(error) => {
                self.fail(&job, error);
                return Ok(());
            }
        };
        if let Some(warning) = decoded.warning {
            self.bar.suspend(|| warn(format_args!("{}: {warning}", job.file.path.display())));
        }
        let planes = Planes::new(decoded.image, self.translator.channels()[0]);
        let size = self.translator.padded(planes.colours.size);
        let usual = (PIXELS / (size[0] * size[1])).max(1);
        let group = self.waiting.entry(size).or_default();
        group.push((job, planes));
        if group.len() >= self.kept.batch.unwrap_or(usual) {
            let group = std::mem::take(group);
            self.batch(group)?;
        }
        let pixels = |(size, group): (&[usize; 2], &Vec<_>)| size[0] * size[1] * group.len();
        if self.waiting.iter().map(pixels).sum::<usize>() > WAITING {
            while let Some((_, group)) = self.waiting.pop_first() {
                self.batch(group)?;
            }
        }
        Ok(())
    }

    /// Translates images of one size, and keeps the translations.
    fn batch(&mut self, group: Vec<(Job, Planes)>) -> Result<()> {
        if group.is_empty() {
            return Ok(());
        }
        let (jobs, planes): (Vec<Job>, Vec<Planes>) = group.into_iter().unzip();
        let (images, alphas): (Vec<Pixels>, Vec<_>) =
            planes.into_iter().map(|Planes { colours, alpha }| (colours, alpha)).unzip();
        let done = match self.kept.numbers {
            Some(_) => self.as_numbers(&jobs, &images),
            None => self.as_images(&jobs, images, alphas),
        };
        if done.is_ok() && self.translator.window().is_some() {
            self.tiled += jobs.len();
        }
        match done {
            // Another image would meet the same.
            Err(error @ Error::Device(_)) => Err(error),
            Err(error) => {
                let reason = error.to_string();
                jobs.iter().for_each(|job| self.fail(job, Error::Input(reason.clone())));
                Ok(())
            }
            Ok(()) => Ok(()),
        }
    }

    fn as_images(&mut self, jobs: &[Job], images: Vec<Pixels>, alphas: Vec<Option<Pixels>>) -> Result<()> {
        let writings: Vec<Writing> =
            jobs.iter().map(|job| Writing { encoding: job.encoding, quality: self.kept.quality }).collect();
        let [_, writes] = self.translator.channels();
        let empty = |(image, writing): (&Pixels, &Writing)| {
            let depth = writing.depth(self.kept.depth.unwrap_or(image.depth()));
            Pixels::black(image.size, writes, depth)
        };
        let mut translations: Vec<Pixels> = images.iter().zip(&writings).map(empty).collect();
        self.translator
            .translate(&images, &mut |image, place, values| translations[image].put(place, values))?;
        drop(images);
        for (((job, writing), colours), alpha) in jobs.iter().zip(writings).zip(translations).zip(alphas) {
            let keeps = self.kept.alpha == Alpha::Keep && writing.has_alpha();
            // A network that writes transparency decides it.
            let planes = Planes { colours, alpha: alpha.filter(|_| keeps && writes < 4) };
            let folder = job
                .target
                .parent()
                .map_or(Ok(()), |folder| fs::create_dir_all(folder).map_err(Error::io(folder)));
            match folder.and_then(|()| writing.save(&planes, &job.target)) {
                Ok(()) => self.count(),
                Err(error) => self.fail(job, error),
            }
        }
        Ok(())
    }

    /// Keeps the numbers of images and translations.
    fn as_numbers(&mut self, jobs: &[Job], images: &[Pixels]) -> Result<()> {
        let [reads, writes] = self.translator.channels();
        let empty = |image: &Pixels| vec![0.0; image.size[0] * image.size[1] * writes];
        let mut translations: Vec<Vec<f32>> = images.iter().map(empty).collect();
        self.translator.translate(images, &mut |image, [row, column], values| {
            let at = (row * images[image].size[1] + column) * writes;
            translations[image][at..at + values.len()].copy_from_slice(values);
        })?;
        for ((job, image), translation) in jobs.iter().zip(images).zip(translations) {
            let out = self.kept.numbers.as_deref();
            let name = out.and_then(|out| job.target.strip_prefix(out).ok()).unwrap_or(&job.target);
            let name = name.with_extension("");
            self.numbers
                .insert(format!("image.{}", name.display()), tensor(&image.values(), image.size, reads));
            self.numbers
                .insert(format!("translation.{}", name.display()), tensor(&translation, image.size, writes));
            self.count();
        }
        Ok(())
    }

    fn count(&mut self) {
        self.done += 1;
        self.bar.inc(1);
    }

    fn fail(&mut self, job: &Job, error: Error) {
        self.bar.inc(1);
        let (reason, unreadable) = match error {
            Error::Unreadable { problem, .. } => (problem, true),
            error => (error.to_string(), false),
        };
        self.failed.push(Failure { path: job.file.path.clone(), reason, unreadable });
    }
}

/// The numbers of an image, `[1, channels, h, w]`.
fn tensor(values: &[f32], [h, w]: [usize; 2], channels: usize) -> Tensor<f32> {
    let values = image_to_torch(values, Shape([1, h, w, channels]));
    Tensor { shape: vec![1, channels, h, w], values }
}
