//! `mewgan translate`

use super::{Done, Normalise, Target, has_extension, say};
use crate::data::{Image, ImageFile, find, is_archive, to_byte, to_unit};
use crate::device::Device;
use crate::models::cyclegan::Domain;
use crate::models::cyclegan::translation::Translator;
use crate::nn::torch::image_to_torch;
use crate::report::Sheet;
use crate::shape::Shape;
use crate::tensor_file::{self, Tensor, Tensors};
use crate::train::checkpoint::Checkpoint;
use crate::{Error, Result};
use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// Images at once, where nothing else is said, have about this many pixels together.
const PIXELS: usize = 1 << 19;

/// Images keep their size and their name, as PNG; those of a folder their subfolder. Sides that do not divide by 4 are
/// reflected up to it and cropped back; transparent parts are put over white.
#[derive(Args)]
pub struct Translate {
    /// The run's folder, or a checkpoint file.
    run: PathBuf,
    /// Images, folders or .zip files of images, or bundled sets such as builtin:noto/faces.
    #[arg(required = true, value_name = "IMAGE|DIR|ZIP|builtin:SET")]
    inputs: Vec<String>,
    /// Translate images like those of the other set to images like those of this one.
    #[arg(long, value_enum)]
    to: Target,
    /// The folder of the translations. Where it ends in .safetensors, numbers in [-1, 1] as PyTorch lays them out: image.NAME
    /// and translation.NAME of every image.
    #[arg(long, value_name = "DIR|FILE.safetensors")]
    out: PathBuf,
    /// Replace files that are there already.
    #[arg(long)]
    force: bool,
    /// Go on without images that cannot be read.
    #[arg(long)]
    skip_bad: bool,
    /// What batch norms normalise by: the running statistics, or the images of one size translated together, as in
    /// training.
    #[arg(long, default_value = "running")]
    statistics: Normalise,
    /// Images of one size translated together; as many as make half a million pixels where it is not given.
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..=4096))]
    batch: Option<u32>,
    /// The step of the checkpoint; the newest where it is not given.
    #[arg(long, value_name = "STEP")]
    checkpoint: Option<u64>,
    /// What to compute on.
    #[arg(long, default_value = "auto", value_name = "auto|gpu|cpu|NAME")]
    device: String,
}

impl Translate {
    pub fn run(self) -> Done {
        let to: Domain = self.to.into();
        let checkpoint = Checkpoint::of_run(&self.run, self.checkpoint)?;
        let jobs = jobs(&self.inputs, &self.out)?;
        let as_numbers = has_extension(&self.out, "safetensors");
        let mut targets = jobs.keys().map(PathBuf::as_path).chain(as_numbers.then_some(&*self.out));
        if let Some(taken) = targets.find(|path| path.exists())
            && !self.force
        {
            return Err(Error::Input(format!(
                "{}: there already; choose another --out, or pass --force to replace it",
                taken.display()
            )));
        }
        let device = Device::open(&self.device)?;
        say(device.describe());
        let mut translator = Translator::new(&checkpoint, device, to, self.statistics.into())?;
        let channels = translator.config().common.channels;
        let style = ProgressStyle::with_template("{bar:24} {pos}/{len} images  {eta} left")
            .map_err(|error| Error::Device(format!("progress bar: {error}")))?;
        // Drawn on a terminal only.
        let bar = ProgressBar::new(jobs.len() as u64).with_style(style);
        let mut waiting = BTreeMap::<[usize; 2], Vec<(Job, Image)>>::new();
        let mut numbers = BTreeMap::new();
        let mut translate = |of: Vec<(Job, Image)>| {
            let (jobs, images): (Vec<Job>, Vec<Image>) = of.into_iter().unzip();
            let translations = translator.translate(&images).map_err(|error| named(&jobs, &error))?;
            for (((path, _), image), translation) in jobs.iter().zip(images).zip(translations) {
                if as_numbers {
                    let name = path.strip_prefix(&self.out).unwrap_or(path).with_extension("");
                    let values: Vec<f32> = image.bytes.iter().map(|&byte| to_unit(byte)).collect();
                    numbers.insert(format!("image.{}", name.display()), tensor(&values, &image));
                    numbers.insert(format!("translation.{}", name.display()), tensor(&translation, &image));
                } else {
                    let bytes = translation.into_iter().map(to_byte).collect();
                    save(Image { bytes, ..image }, path)?;
                }
                bar.inc(1);
            }
            Ok(())
        };
        let mut count = jobs.len();
        let mut skipped = Vec::new();
        for (path, file) in jobs {
            let image = match file.read(channels) {
                Err(error @ Error::Unreadable { .. }) if self.skip_bad => {
                    skipped.push(error);
                    continue;
                }
                image => image?,
            };
            let size = Translator::padded(image.size);
            let usual = (PIXELS / (size[0] * size[1])).max(1);
            let batch = self.batch.map_or(usual, |batch| batch as usize);
            let group = waiting.entry(size).or_default();
            group.push(((path, file), image));
            if group.len() == batch {
                translate(std::mem::take(group))?;
            }
        }
        waiting.into_values().filter(|group| !group.is_empty()).try_for_each(translate)?;
        if as_numbers {
            tensor_file::write(&self.out, &Tensors::F32(numbers))?;
        }
        bar.finish_and_clear();
        count -= skipped.len();
        if let Some(first) = skipped.first() {
            say(format_args!("{} images skipped (the first: {first})", skipped.len()));
        }
        let (step, out) = (checkpoint.step(), self.out.display());
        say(format_args!("{count} images translated to {} by step {step}, in {out}", to.name()));
        Ok(ExitCode::SUCCESS)
    }
}

/// Where a translation goes, and the image that is translated.
type Job = (PathBuf, ImageFile);

/// What went wrong with the images of `jobs`, the first of them named.
fn named(jobs: &[Job], error: &Error) -> Error {
    let more = if jobs.len() > 1 { format!(" and {} more", jobs.len() - 1) } else { String::new() };
    let first = jobs.first().map(|(_, file)| file.path.display().to_string()).unwrap_or_default();
    Error::Input(format!("{first}{more}: {error}"))
}

/// Every image to translate and where its translation goes, in the order of their names.
fn jobs(inputs: &[String], out: &Path) -> Result<BTreeMap<PathBuf, ImageFile>> {
    let mut jobs = BTreeMap::<PathBuf, ImageFile>::new();
    for input in inputs {
        let path = Path::new(input);
        let files =
            if path.is_file() && !is_archive(path) { vec![ImageFile::at(path)] } else { find(input)? };
        for file in files {
            let target = out.join(&file.name).with_extension("png");
            if let (Ok(target), Ok(source)) = (target.canonicalize(), file.path.canonicalize())
                && target == source
            {
                return Err(Error::Input(format!(
                    "{}: its translation would replace it; choose another --out",
                    source.display()
                )));
            }
            if let Some(other) = jobs.get(&target) {
                return Err(Error::Input(format!(
                    "{} and {} would both become {}; rename one, or translate them into two folders",
                    other.path.display(),
                    file.path.display(),
                    target.display()
                )));
            }
            jobs.insert(target, file);
        }
    }
    Ok(jobs)
}

/// The numbers of an image of the size of `image`, `[1, channels, h, w]`.
fn tensor(values: &[f32], image: &Image) -> Tensor<f32> {
    let ([h, w], channels) = (image.size, image.channels);
    let values = image_to_torch(values, Shape([1, h, w, channels]));
    Tensor { shape: vec![1, channels, h, w], values }
}

fn save(image: Image, path: &Path) -> Result<()> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder).map_err(Error::io(folder))?;
    }
    let Image { bytes, size: [height, width], channels } = image;
    Sheet { width, height, channels, bytes }.save_png(path)
}
