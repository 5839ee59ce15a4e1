//! The files of a site.

use super::Exported;
use crate::data::{Images, to_unit};
use crate::embedded::PAGE;
use crate::file;
use crate::gpu::lower::{Target, lower};
use crate::gpu::program::{Buffer, Program};
use crate::graph::{StateBuffer, Step};
use crate::report::{self, Layout, sheet};
use crate::tensor_file::Writer;
use crate::{Error, Result};
use serde::Serialize;
use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// Images in a row of a sheet.
const COLUMNS: usize = 8;

/// What the page knows of the model; `D` is what only one kind of model has.
#[derive(Serialize)]
pub struct Manifest<D> {
    /// Version of this layout.
    pub format: u32,
    pub kind: &'static str,
    pub title: String,
    /// Iterations done.
    pub step: u64,
    /// Height and width of the images.
    pub size: [usize; 2],
    pub channels: usize,
    /// Numbers in each state buffer.
    pub buffers: Vec<usize>,
    pub parts: Vec<Part>,
    pub checks: Vec<super::check::Line>,
    pub details: D,
}

/// Steps that are loaded together, and the state they need beside that of the parts before.
#[derive(Serialize)]
pub struct Part {
    pub name: &'static str,
    pub steps: Vec<String>,
}

/// Images on one PNG.
#[derive(Serialize)]
pub struct Sheet {
    pub file: String,
    pub count: usize,
    pub columns: usize,
    /// Height and width of one.
    pub size: [usize; 2],
}

/// Named tensors of a file.
pub type Tensors = Vec<(String, Vec<f32>)>;

/// A folder that a site is written into.
pub struct Files {
    folder: PathBuf,
    bytes: u64,
    /// State buffers whose numbers are written.
    buffers: BTreeSet<usize>,
    images: usize,
}

impl Files {
    /// Makes the folder.
    ///
    /// # Errors
    /// If it is there and not empty, or cannot be made.
    pub fn create(folder: &Path) -> Result<Self> {
        match fs::read_dir(folder).map(|mut entries| entries.next().is_some()) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(Error::io(folder)(error)),
            Ok(true) => Err(Error::Input(format!(
                "{}: not empty; choose another `out`, or remove it first",
                folder.display()
            ))),
            _ => Ok(Self { folder: folder.to_path_buf(), bytes: 0, buffers: BTreeSet::new(), images: 0 }),
        }
    }

    fn place(&self, name: &str) -> Result<PathBuf> {
        let path = self.folder.join(name);
        if let Some(parent) = path.parent() {
            fs::create_dir_all(parent).map_err(Error::io(parent))?;
        }
        Ok(path)
    }

    fn write(&mut self, name: &str, bytes: &[u8]) -> Result<()> {
        self.bytes += bytes.len() as u64;
        file::write_atomic(&self.place(name)?, bytes)
    }

    fn json(&mut self, name: &str, value: &impl Serialize) -> Result<()> {
        let bytes = serde_json::to_vec(value).map_err(|error| Error::Input(format!("{name}: {error}")))?;
        self.write(name, &bytes)
    }

    /// Writes a safetensors file of vectors.
    pub fn tensors(&mut self, name: &str, tensors: &Tensors) -> Result<()> {
        let mut writer = Writer::default();
        tensors.iter().for_each(|(tensor, numbers)| writer.f32(tensor, &[numbers.len()], numbers));
        let file = writer.bytes().map_err(|error| Error::Input(format!("{name}: {error}")))?;
        self.write(name, &file)
    }

    /// Writes the programs of `steps` for either kind of device, and of the state `values` what they work on and no part
    /// before has written. `kept` are the state buffers that a run keeps; the others begin as zeros.
    ///
    /// # Errors
    /// If a step needs more than WebGPU guarantees, or a file cannot be written.
    pub fn part(
        &mut self,
        name: &'static str,
        steps: &[Step],
        buffers: &[StateBuffer],
        (values, kept): (&[Vec<f32>], &[usize]),
    ) -> Result<Part> {
        let mut used = BTreeSet::new();
        for (folder, target) in [("hardware", Target::GPU), ("software", Target::SOFTWARE)] {
            for step in steps {
                let program = lower(step, buffers, &target).map_err(|error| {
                    Error::Device(format!("as much as every browser's WebGPU allows is not enough: {error}"))
                })?;
                used.extend(buffers_of(&program));
                self.json(&format!("programs/{folder}/{}.json", step.name), &program)?;
            }
        }
        used.retain(|buffer| {
            kept.contains(buffer) && buffers[*buffer].len > 0 && self.buffers.insert(*buffer)
        });
        let tensors =
            used.iter().map(|&buffer| (format!("buffer.{buffer}"), values[buffer].clone())).collect();
        self.tensors(&format!("state/{name}.safetensors"), &tensors)?;
        Ok(Part { name, steps: steps.iter().map(|step| step.name.clone()).collect() })
    }

    /// Writes `count` of `images`, evenly spaced, as one PNG.
    ///
    /// # Errors
    /// If it cannot be written.
    pub fn sheet(&mut self, name: &str, images: &Images, count: usize) -> Result<Sheet> {
        let count = count.min(images.len());
        let chosen = (0..count).map(|index| images.image(index * images.len() / count));
        let values: Vec<f32> = chosen.flatten().map(|&byte| to_unit(byte)).collect();
        let (size, channels) = (images.size(), images.channels());
        let layout = Layout { columns: COLUMNS, padding: 0, scale: 1 };
        let file = format!("images/{name}.png");
        let path = self.place(&file)?;
        sheet::grid(report::Images { values: &values, size, channels }, layout)?.save_png(&path)?;
        self.bytes += fs::metadata(&path).map_err(Error::io(path))?.len();
        self.images += count;
        Ok(Sheet { file, count, columns: COLUMNS.min(count), size: size.extents() })
    }

    /// Writes the page and what it knows of the model.
    ///
    /// # Errors
    /// If a file cannot be written.
    pub fn finish<D: Serialize>(mut self, manifest: &Manifest<D>) -> Result<Exported> {
        for (name, content) in PAGE {
            self.write(name, content)?;
        }
        self.json("model.json", manifest)?;
        let trains = manifest.parts.len() > 1;
        Ok(Exported { bytes: self.bytes, images: self.images, trains })
    }
}

/// The state buffers a program touches.
fn buffers_of(program: &Program) -> impl Iterator<Item = usize> + '_ {
    let regions = program.dispatches.iter().flat_map(|dispatch| &dispatch.bindings);
    regions.filter_map(|region| match region.buffer {
        Buffer::State(buffer) => Some(buffer),
        _ => None,
    })
}
