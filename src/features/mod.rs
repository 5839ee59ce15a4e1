//! A network from an ONNX file that gives images features, by which sets of images are compared: FID, KID, precision and recall.

mod spec;

use crate::data::{OnImage, to_byte, with_channels};
use crate::evaluate::{Comparison, Figure, Set};
use crate::quality::{Coverage, Features, KernelDistance, coverage, frechet_distance, kernel_distance};
use crate::tensor_file::{TensorFile, Writer};
use crate::{Error, Result, file, machine};
use image::imageops::{self, FilterType};
use image::{ImageBuffer, Luma, Rgb};
use rayon::prelude::*;
use spec::Spec;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::{fs, io};
use tract_onnx::Onnx;
use tract_onnx::data_resolver::{MmapDataResolver, ModelDataResolver};
use tract_onnx::prelude::*;

/// The longest network that is read, in bytes.
const LONGEST: u64 = 1 << 31;
/// Draws the parts of the sets that the spread of KID is taken over.
const SEED: u64 = 0;
/// The tensor of a file of kept features.
const FEATURES: &str = "features";

/// A network that gives features.
pub struct FeatureNetwork {
    path: PathBuf,
    spec: Spec,
    plan: Arc<TypedRunnableModel>,
    /// Of the network, its weights in other files, and what it wants to see.
    hash: u64,
}

impl FeatureNetwork {
    /// The network in the ONNX file at `path`. What it wants to see stands in a file beside it, of the same name but `.toml`:
    /// `size` (a side, or `"WIDTHxHEIGHT"`), `mean` and `std` of each channel for values from 0 to 1, and perhaps `layout`
    /// (`nchw`, or `nhwc`) and the name of the `output`.
    ///
    /// # Errors
    /// If one of the files cannot be read, or the network cannot be run on such images.
    pub fn open(path: &Path) -> Result<Self> {
        let spec = Spec::of(path)?;
        let content = file::bytes(path, LONGEST)?;
        let (plan, weights) = plan(path, &content, &spec).map_err(|error| fail(path, &error))?;
        let about = format!("{spec:?}{weights}").into_bytes();
        let hash = file::fnv1a(content.into_iter().chain(about));
        Ok(Self { path: path.to_path_buf(), spec, plan, hash })
    }

    /// The features of images: resized to what the network takes as clean-fid does, with the bicubic filter of PIL on numbers that are not
    /// rounded; the images themselves are rounded to bytes first, as saved ones are.
    ///
    /// # Errors
    /// If the network fails, or gives an image more than one vector.
    pub fn features(&self, set: &Set, on_image: OnImage<'_>) -> Result<Features> {
        let (values, len) = self.values(set, on_image)?;
        Features::new(&values, len)
    }

    /// As [`FeatureNetwork::features`], for images that will be compared with again: kept in the user's cache.
    fn kept(&self, set: &Set, on_image: OnImage<'_>) -> Result<Features> {
        let numbers = set.values.iter().flat_map(|value| value.to_le_bytes());
        let shape = [set.size.height, set.size.width, set.channels].into_iter().flat_map(usize::to_le_bytes);
        let key = file::fnv1a(self.hash.to_le_bytes().into_iter().chain(shape).chain(numbers));
        let Some(folder) = machine::cache() else { return self.features(set, on_image) };
        let path = folder.join("features").join(format!("{key:016x}.safetensors"));
        if let Some((values, len)) = read(&path).filter(|(values, len)| values.len() == set.len() * len) {
            file::used_cache(&path);
            return Features::new(&values, len);
        }
        let (values, len) = self.values(set, on_image)?;
        let features = Features::new(&values, len)?;
        file::write_bounded_cache(&path, size_of_val(&values[..]) as u64, |path| {
            let mut writer = Writer::default();
            writer.f32(FEATURES, &[values.len() / len, len], &values);
            writer.text("network", self.path.display().to_string());
            fs::write(path, writer.bytes().map_err(io::Error::other)?)
        });
        Ok(features)
    }

    /// Numbers of the features of all images, and how many each has.
    fn values(&self, set: &Set, on_image: OnImage<'_>) -> Result<(Vec<f32>, usize)> {
        let (done, count) = (AtomicUsize::new(0), set.len());
        on_image(0, count);
        let one = |image: &[f32]| -> Result<Vec<f32>> {
            let features = self.run(&self.resized(image, set));
            on_image(done.fetch_add(1, Ordering::Relaxed) + 1, count);
            features
        };
        let images = set.values.par_chunks_exact(set.size.area() * set.channels);
        let features = images.map(one).collect::<Result<Vec<_>>>()?;
        let len = features.first().map_or(0, Vec::len);
        Ok((features.concat(), len))
    }

    /// The pixels of an image as the network wants them, from 0 to 1.
    fn resized(&self, image: &[f32], set: &Set) -> Vec<f32> {
        let channels = self.spec.channels();
        let bytes = with_channels(image, set.channels, channels);
        let pixels: Vec<f32> = bytes.into_iter().map(|value| f32::from(to_byte(value)) / 255.0).collect();
        let [height, width] = self.spec.size.extents().map(|side| side as u32);
        let [rows, columns] = set.size.extents().map(|side| side as u32);
        // Catmull-Rom is the cubic with a = -0.5.
        let filter = FilterType::CatmullRom;
        let resized = match channels {
            1 => ImageBuffer::<Luma<f32>, _>::from_raw(columns, rows, pixels)
                .map(|image| imageops::resize(&image, width, height, filter).into_raw()),
            _ => ImageBuffer::<Rgb<f32>, _>::from_raw(columns, rows, pixels)
                .map(|image| imageops::resize(&image, width, height, filter).into_raw()),
        };
        resized.unwrap_or_default()
    }

    /// The vector of an image.
    fn run(&self, pixels: &[f32]) -> Result<Vec<f32>> {
        let run = || -> TractResult<Tensor> {
            let input = Tensor::from_shape(&self.spec.shape(), &self.spec.input(pixels))?;
            let mut outputs = self.plan.run(tvec!(input.into()))?;
            Ok(outputs.remove(0).into_tensor().cast_to::<f32>()?.into_owned())
        };
        let features = run().map_err(|error| fail(&self.path, &error))?;
        if features.shape().iter().filter(|&&extent| extent != 1).count() > 1 {
            return Err(Error::Input(format!(
                "{}: gives an image numbers of shape {:?}, not one vector; name another output",
                self.path.display(),
                features.shape()
            )));
        }
        let features = features.to_plain_array_view::<f32>().map_err(|error| fail(&self.path, &error))?;
        Ok(features.iter().copied().collect())
    }
}

impl std::fmt::Debug for FeatureNetwork {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("FeatureNetwork")
            .field("path", &self.path)
            .field("spec", &self.spec)
            .finish_non_exhaustive()
    }
}

impl Comparison for FeatureNetwork {
    fn figures(&self, found: &Set, real: &Set, on_image: OnImage<'_>) -> Result<Vec<Figure>> {
        let of = self.path.file_stem().unwrap_or_default().to_string_lossy();
        let [real_features, found] = [self.kept(real, on_image)?, self.features(found, on_image)?];
        let KernelDistance { value, deviation } = kernel_distance(&found, &real_features, SEED)?;
        let Coverage { precision, recall } = coverage(&found, &real_features)?;
        Ok(vec![
            Figure::new(format!("FID ({of})"), frechet_distance(&found, &real_features)?),
            Figure::new(format!("KID x 1000 ({of})"), 1e3 * value)
                .beside(1e3 * deviation, "its standard deviation over halves"),
            Figure::new(format!("precision ({of})"), precision),
            Figure::new(format!("recall ({of})"), recall),
        ])
    }
}

/// Reads weights that a network has in other files, as PyTorch exports them, and hashes what it has read.
#[derive(Default)]
struct Weights(Mutex<u64>);

impl ModelDataResolver for Weights {
    fn read_bytes_from_path(
        &self,
        bytes: &mut Vec<u8>,
        path: &Path,
        offset: usize,
        len: Option<usize>,
    ) -> TractResult<()> {
        MmapDataResolver.read_bytes_from_path(bytes, path, offset, len)?;
        let mut hash = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        *hash = file::fnv1a(hash.to_le_bytes().into_iter().chain(bytes.iter().copied()));
        Ok(())
    }
}

/// The network in the `content` of the file at `path`, ready to run on one image, and the hash of its weights in other files.
fn plan(path: &Path, mut content: &[u8], spec: &Spec) -> TractResult<(Arc<TypedRunnableModel>, u64)> {
    let weights = Arc::new(Weights::default());
    let onnx = Onnx { provider: weights.clone(), ..onnx() };
    let proto = onnx.proto_model_for_read(&mut content)?;
    let parsed = onnx.parse(&proto, path.parent().and_then(Path::to_str))?;
    if !parsed.unresolved_inputs.is_empty() {
        return Err(TractError::msg(format!("nothing gives {}", parsed.unresolved_inputs.join(", "))));
    }
    let mut network = parsed.model;
    if let Some(output) = &spec.output {
        network.select_outputs_by_name([output])?;
    }
    let plan =
        network.with_input_fact(0, f32::fact(spec.shape()).into())?.into_optimized()?.into_runnable()?;
    let weights = *weights.0.lock().unwrap_or_else(PoisonError::into_inner);
    Ok((plan, weights))
}

fn fail(path: &Path, error: &TractError) -> Error {
    Error::Input(format!("{}: {error:#}", path.display()))
}

/// Kept features, and how many an image has.
fn read(path: &Path) -> Option<(Vec<f32>, usize)> {
    let file = TensorFile::open(path).ok()?;
    let tensors = file.tensors();
    let tensor = tensors.get(FEATURES)?;
    let [_, len] = tensor.shape[..] else { return None };
    Some((file.floats(tensor).ok()?, len))
}
