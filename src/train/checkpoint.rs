//! Checkpoints: one safetensors file with everything a run needs to go on.
//!
//! Weights and running statistics stand under the names and in the layouts of PyTorch's `state_dict`, behind
//! `generator.` or `discriminator.`; Adam's moments the same way behind `optimizer.first.` and `optimizer.second.`. The
//! metadata has one entry, `mewgpu`, a JSON object: see [`Header`]. Equal states make equal bytes.

use super::config::DcganConfig;
use super::dcgan_steps::{DISCRIMINATOR, Dcgan, GENERATOR};
use crate::graph::Bank;
use crate::nn::Parameter;
use crate::report::file;
use crate::{Error, Result};
use safetensors::tensor::{Dtype, SafeTensors, TensorView, serialize};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};

const FORMAT: u32 = 1;
const KIND: &str = "dcgan";
const METADATA: &str = "mewgpu";
/// So many problems are named one by one.
const NAMED: usize = 8;

/// What a checkpoint says about itself.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Header {
    /// Version of this layout: 1.
    pub format: u32,
    /// What was trained: `dcgan`.
    pub kind: String,
    /// Iterations done.
    pub step: u64,
    /// Updates each optimizer has made, by network.
    pub updates: BTreeMap<String, u64>,
    /// The run's `config.toml`.
    pub config: String,
}

/// A checkpoint that is whole, its tensors not yet looked at.
#[derive(Debug)]
pub struct Checkpoint {
    path: PathBuf,
    bytes: Vec<u8>,
    header: Header,
}

/// A tensor's place: what its names start with, what it is, and where it lies.
struct Entry {
    prefix: String,
    parameter: Parameter,
    bank: usize,
    index: usize,
}

impl Checkpoint {
    /// Reads a file.
    ///
    /// # Errors
    /// If it cannot be read, is damaged, or is not a checkpoint of this format and kind.
    pub fn open(path: &Path) -> Result<Self> {
        let problem = |problem: String| Error::Checkpoint { path: path.to_path_buf(), problem };
        let bytes = std::fs::read(path).map_err(Error::io(path))?;
        let damaged = |error| problem(format!("damaged or cut short ({error})"));
        SafeTensors::deserialize(&bytes).map_err(damaged)?;
        let (_, metadata) = SafeTensors::read_metadata(&bytes).map_err(damaged)?;
        let text = metadata.metadata().as_ref().and_then(|entries| entries.get(METADATA));
        let text = text.ok_or_else(|| {
            problem("not a checkpoint of mewgpu: its metadata has no entry \"mewgpu\"".into())
        })?;
        let header: Header = serde_json::from_str(text)
            .map_err(|error| problem(format!("its metadata cannot be understood ({error})")))?;
        if header.format != FORMAT || header.kind != KIND {
            return Err(problem(format!(
                "a checkpoint of kind {:?}, format {}; expected {KIND:?}, format {FORMAT}",
                header.kind, header.format
            )));
        }
        Ok(Self { path: path.to_path_buf(), bytes, header })
    }

    /// Iterations done.
    pub fn step(&self) -> u64 {
        self.header.step
    }

    /// The settings of the run that wrote it.
    ///
    /// # Errors
    /// If they cannot be understood.
    pub fn config(&self) -> Result<DcganConfig> {
        DcganConfig::from_toml(&self.header.config, &self.path)
    }

    /// The numbers of all banks of [`Dcgan::banks`], the gradients 0.
    ///
    /// # Errors
    /// If tensors are missing, unexpected, or of another shape or type than `dcgan` has; the text names them.
    pub fn banks(&self, dcgan: &Dcgan) -> Result<Vec<Vec<f32>>> {
        let failed = |problem| Error::Checkpoint { path: self.path.clone(), problem };
        let tensors = SafeTensors::deserialize(&self.bytes).map_err(|error| failed(error.to_string()))?;
        let mut found: BTreeMap<&str, TensorView> = tensors.iter().collect();
        let banks = dcgan.banks();
        let mut values: Vec<Vec<f32>> = banks.iter().map(|bank| vec![0.0; bank.len]).collect();
        let mut problems = Vec::new();
        for Entry { prefix, parameter, bank, index } in entries(dcgan) {
            let mut numbers = Vec::new();
            for (leaf, shape) in parameter.torch_entries() {
                let name = format!("{prefix}.{leaf}");
                match found.remove(name.as_str()) {
                    None => problems.push(format!("{name} is missing")),
                    Some(tensor) if tensor.dtype() != Dtype::F32 || tensor.shape() != shape => {
                        problems.push(format!(
                            "{name} is {:?} {:?}, expected F32 {shape:?}",
                            tensor.dtype(),
                            tensor.shape()
                        ));
                    }
                    Some(tensor) => numbers.push(numbers_of(tensor.data())),
                }
            }
            if problems.is_empty() {
                banks[bank]
                    .view_mut(&mut values[bank], index)
                    .copy_from_slice(&parameter.from_torch(&numbers));
            }
        }
        problems.extend(found.keys().map(|name| format!("{name} is unexpected")));
        if problems.is_empty() { Ok(values) } else { Err(failed(summary(&problems))) }
    }
}

/// Writes a checkpoint of `banks` (as [`Dcgan::banks`]; the gradients are not looked at) to `path`, under a temporary name
/// first.
///
/// # Errors
/// If the file cannot be written.
pub fn write(path: &Path, dcgan: &Dcgan, config: &DcganConfig, step: u64, values: &[Vec<f32>]) -> Result<()> {
    let banks: Vec<Bank> = dcgan.banks();
    let mut tensors = Vec::new();
    for Entry { prefix, parameter, bank, index } in entries(dcgan) {
        for (leaf, shape, numbers) in parameter.to_torch(banks[bank].view(&values[bank], index)) {
            let bytes: Vec<u8> = numbers.iter().flat_map(|number| number.to_le_bytes()).collect();
            tensors.push((format!("{prefix}.{leaf}"), shape, bytes));
        }
    }
    let header = Header {
        format: FORMAT,
        kind: KIND.into(),
        step,
        updates: [(&dcgan.generator.name, step), (&dcgan.discriminator.name, step / config.d_every)]
            .map(|(name, updates)| (name.clone(), updates))
            .into(),
        config: config.to_toml()?,
    };
    let failed = |problem: String| Error::Checkpoint {
        path: path.to_path_buf(),
        problem: format!("not written: {problem}"),
    };
    let header = serde_json::to_string(&header).map_err(|error| failed(error.to_string()))?;
    let views = tensors.iter().map(|(name, shape, bytes)| {
        TensorView::new(Dtype::F32, shape.clone(), bytes).map(|view| (name.as_str(), view))
    });
    let views =
        views.collect::<std::result::Result<Vec<_>, _>>().map_err(|error| failed(error.to_string()))?;
    let metadata = HashMap::from([(METADATA.to_owned(), header)]);
    let bytes = serialize(views, Some(metadata)).map_err(|error| failed(error.to_string()))?;
    file::replace(path, &bytes)
}

fn entries(dcgan: &Dcgan) -> Vec<Entry> {
    let mut entries = Vec::new();
    for (network, of) in [(&dcgan.generator, GENERATOR), (&dcgan.discriminator, DISCRIMINATOR)] {
        let (parameters, running, name) = (network.parameters(), network.running(), &network.name);
        let groups = [
            (name.clone(), &parameters, of.parameters),
            (name.clone(), &running, of.running),
            (format!("optimizer.first.{name}"), &parameters, of.first),
            (format!("optimizer.second.{name}"), &parameters, of.second),
        ];
        for (prefix, group, bank) in groups {
            entries.extend(group.iter().enumerate().map(|(index, parameter)| Entry {
                prefix: prefix.clone(),
                parameter: parameter.clone(),
                bank,
                index,
            }));
        }
    }
    entries
}

fn numbers_of(bytes: &[u8]) -> Vec<f32> {
    bytes.as_chunks().0.iter().map(|&chunk| f32::from_le_bytes(chunk)).collect()
}

fn summary(problems: &[String]) -> String {
    let rest = problems.len().saturating_sub(NAMED);
    let named = problems[..problems.len() - rest].join("; ");
    let rest = if rest > 0 { format!("; and {rest} more") } else { String::new() };
    format!("does not fit these networks: {named}{rest}")
}
