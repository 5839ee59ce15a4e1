//! Checkpoints: one safetensors file with everything a run needs to go on.
//!
//! Weights and running statistics stand under the names and in the layouts of PyTorch's `state_dict`, behind the network's
//! name, such as `generator.` or `G_XtoY.`; Adam's moments the same way behind `optimizer.first.` and `optimizer.second.`,
//! averages of weights behind `average.`; with loss scaling, the scale of each optimizer and its updates since it changed, under the name
//! of its first network behind `optimizer.loss_scale.` and `optimizer.loss_scale_updates.`. Kept images, such as `pool.X`, stand as `[n, h, w, c]`. The metadata has one
//! entry, `mewgan`, a JSON object: see [`Header`]. Equal states make equal bytes.

use super::config::{Record, RunConfig};
use super::model::{Model, Trained};
use super::run_folder::RunFolder;
use crate::file;
use crate::graph::StateBuffer;
use crate::nn::torch::TorchTensor;
use crate::nn::{Network, Parameter};
use crate::spelling::quoted;
use crate::tensor_file::{Dtype, TensorFile, TensorInfo, Writer};
use crate::{Error, Result};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

const FORMAT: u32 = 1;
const METADATA: &str = "mewgan";
/// What the names of averages of weights begin with.
const AVERAGE: &str = "average.";
/// So many problems are named one by one.
const NAMED: usize = 8;

/// What a checkpoint says about itself.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Header {
    /// Version of this layout: 1.
    pub format: u32,
    /// What was trained, by the model's name, such as `dcgan`.
    pub kind: String,
    /// Iterations done.
    pub step: u64,
    /// The sets of images that are trained on, by name; none in older files.
    #[serde(default)]
    pub sets: BTreeMap<String, ImageNames>,
    /// The run's `config.toml`.
    pub config: String,
}

/// What a run remembers of a set of images, to tell on resuming whether it is still the same.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ImageNames {
    /// How many images.
    pub count: u64,
    /// The 64-bit FNV-1a hash of their names in order, each ended by a line break, in hexadecimal.
    pub fnv1a: String,
}

impl ImageNames {
    /// Those of images called `names`.
    pub fn new(names: &[String]) -> Self {
        let bytes = names.iter().flat_map(|name| name.bytes().chain([b'\n']));
        Self { count: names.len() as u64, fnv1a: format!("{:016x}", file::fnv1a(bytes)) }
    }
}

/// A checkpoint that is whole, its tensors not yet read.
#[derive(Debug)]
pub struct Checkpoint {
    path: PathBuf,
    file: TensorFile,
    header: Header,
}

/// A tensor's place: what its names start with, what it is, and where it lies.
struct Entry {
    prefix: String,
    parameter: Parameter,
    buffer: usize,
    index: usize,
}

impl Checkpoint {
    /// Opens a file and reads what it says about itself; its tensors stay where they are.
    ///
    /// # Errors
    /// If it cannot be read, is damaged, or is not a checkpoint of this format.
    pub fn open(path: &Path) -> Result<Self> {
        let problem = |problem: String| Error::Checkpoint { path: path.to_path_buf(), problem };
        let file = TensorFile::open(path).map_err(problem)?;
        let text = file.text(METADATA).ok_or_else(|| {
            problem("not a checkpoint of mewgan: its metadata has no entry \"mewgan\"".into())
        })?;
        let header: Header = serde_json::from_str(text)
            .map_err(|error| problem(format!("its metadata cannot be understood ({})", quoted(error))))?;
        if header.format != FORMAT {
            return Err(problem(format!(
                "a checkpoint of kind {:?}, format {}; expected format {FORMAT}",
                header.kind, header.format
            )));
        }
        Ok(Self { path: path.to_path_buf(), file, header })
    }

    /// Reads a checkpoint of a run: `run` is its folder, or a checkpoint file. Of a folder the one of `step`, or the newest.
    ///
    /// # Errors
    /// As [`Checkpoint::open`], or if there is none of that step.
    pub fn of_run(run: &Path, step: Option<u64>) -> Result<Self> {
        if run.is_file() {
            return Self::open(run);
        }
        let checkpoints = RunFolder::open(run)?.checkpoints()?;
        let Some((newest, _)) = checkpoints.last() else {
            return Err(Error::Input(format!("{}: it has no checkpoint yet", run.display())));
        };
        let step = step.unwrap_or(*newest);
        match checkpoints.iter().find(|(at, _)| *at == step) {
            Some((_, path)) => Self::open(path).map_err(|error| match error {
                Error::Checkpoint { path, problem } if checkpoints.len() > 1 => {
                    let problem =
                        format!("{problem}; take another with `checkpoint`: {}", steps(&checkpoints, step));
                    Error::Checkpoint { path, problem }
                }
                error => error,
            }),
            None => Err(Error::Input(format!(
                "{}: no checkpoint of step {step}; there are {}",
                run.display(),
                steps(&checkpoints, step)
            ))),
        }
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// What was trained, by the model's name, such as `dcgan`.
    pub fn kind(&self) -> &str {
        &self.header.kind
    }

    /// Iterations done.
    pub fn step(&self) -> u64 {
        self.header.step
    }

    /// The sets of images that were trained on, by name.
    pub fn sets(&self) -> &BTreeMap<String, ImageNames> {
        &self.header.sets
    }

    /// The settings of the run that wrote it, its folders of images as they are found from here.
    ///
    /// # Errors
    /// If they are those of another kind of run, or cannot be understood.
    pub fn config<C: RunConfig>(&self) -> Result<C> {
        self.expect_kind(C::KIND)?;
        let mut config = C::from_toml(&self.header.config, &self.path)?;
        Record::beside(&self.path).find(&mut config);
        Ok(config)
    }

    /// Whether it has averages of weights.
    pub(super) fn has_averages(&self) -> bool {
        self.file.tensors().keys().any(|name| name.starts_with(AVERAGE))
    }

    /// Refuses one of another kind than `expected`.
    pub(super) fn expect_kind(&self, expected: &str) -> Result<()> {
        if self.header.kind == expected {
            return Ok(());
        }
        Err(self.failed(format!("a checkpoint of kind {:?}; expected {expected:?}", self.header.kind)))
    }

    /// What is wrong with it.
    pub(crate) fn failed(&self, problem: String) -> Error {
        Error::Checkpoint { path: self.path.clone(), problem }
    }

    /// The numbers of all state buffers of [`Model::buffers`]; those that are not kept, such as gradients, 0. Nothing is read, and no
    /// memory taken, before every name and shape is what `model` has.
    ///
    /// # Errors
    /// If tensors are missing, unexpected, of another shape or type than `model` has, or hold what is no number; the text
    /// names them.
    pub fn buffers(&self, model: &impl Model) -> Result<Vec<Vec<f32>>> {
        let (entries, buffers) = (entries(model), model.buffers());
        let leaves = |entry: &Entry| {
            let named = |(leaf, shape)| (format!("{}.{leaf}", entry.prefix), shape);
            entry.parameter.torch_entries().into_iter().map(named).collect::<Vec<_>>()
        };
        let mut expected: Vec<(String, Vec<usize>)> = entries.iter().flat_map(leaves).collect();
        let loose = model.loose();
        expected.extend(
            loose
                .iter()
                .map(|(name, buffer, index)| (name.clone(), buffers[*buffer].tensors[*index].1.0.to_vec())),
        );
        let tensors = self.file.tensors();
        let problems = differences(&tensors, &expected);
        if !problems.is_empty() {
            return Err(self.failed(summary(&problems)));
        }

        let read = |name: &str| self.numbers(name, tensors[name]);
        let mut values: Vec<Vec<f32>> = buffers.iter().map(|buffer| vec![0.0; buffer.len]).collect();
        for entry in &entries {
            let numbers = leaves(entry).iter().map(|(name, _)| read(name)).collect::<Result<Vec<_>>>()?;
            buffers[entry.buffer]
                .view_mut(&mut values[entry.buffer], entry.index)
                .copy_from_slice(&entry.parameter.from_torch(&numbers));
        }
        for (name, buffer, index) in &loose {
            buffers[*buffer].view_mut(&mut values[*buffer], *index).copy_from_slice(&read(name)?);
        }
        Ok(values)
    }

    /// The `state_dict` of one of `model`'s networks, under the names of its layers: `main.0.weight`. With `average`, its
    /// trained tensors are their averages.
    ///
    /// # Errors
    /// As [`Checkpoint::buffers`].
    pub fn state_dict(
        &self,
        model: &impl Model,
        network: &Network,
        average: bool,
    ) -> Result<Vec<TorchTensor>> {
        let (buffers, values) = (model.buffers(), self.buffers(model)?);
        let prefix = if average { format!("{AVERAGE}{}", network.name) } else { network.name.clone() };
        let of_network = |entry: &Entry| match entry.parameter.kind.is_trained() {
            true => entry.prefix == prefix,
            false => entry.prefix == network.name,
        };
        let tensors = entries(model).into_iter().filter(of_network).flat_map(|entry| {
            entry.parameter.to_torch(buffers[entry.buffer].view(&values[entry.buffer], entry.index))
        });
        Ok(tensors.collect())
    }

    /// The numbers of a tensor of float32.
    fn numbers(&self, name: &str, tensor: &TensorInfo) -> Result<Vec<f32>> {
        let numbers = self.file.floats(tensor).map_err(Error::io(&self.path))?;
        match numbers.iter().position(|number| !number.is_finite()) {
            None => Ok(numbers),
            Some(at) => Err(self.failed(format!(
                "damaged ({name} has {} at place {at}); remove it to continue from the one before",
                numbers[at]
            ))),
        }
    }
}

/// The steps of `checkpoints` but one.
fn steps(checkpoints: &[(u64, PathBuf)], but: u64) -> String {
    let steps = checkpoints.iter().filter(|(at, _)| *at != but).map(|(at, _)| at.to_string());
    steps.collect::<Vec<_>>().join(", ")
}

/// In which names, types and shapes `tensors` differ from those `expected`.
fn differences(tensors: &BTreeMap<String, &TensorInfo>, expected: &[(String, Vec<usize>)]) -> Vec<String> {
    let problem = |(name, shape): &(String, Vec<usize>)| match tensors.get(name) {
        None => Some(format!("{name} is missing")),
        Some(found) if found.dtype != Dtype::F32 || found.shape != *shape => {
            Some(format!("{name} is {:?} {:?}, expected F32 {shape:?}", found.dtype, found.shape))
        }
        Some(_) => None,
    };
    let known: BTreeSet<&String> = expected.iter().map(|(name, _)| name).collect();
    let unknown = tensors.keys().filter(|name| !known.contains(name));
    let unknown = unknown.map(|name| format!("{name} is unexpected"));
    expected.iter().filter_map(problem).chain(unknown).collect()
}

/// Writes a checkpoint of `values` (as [`Model::buffers`]; those that are not kept are not looked at) to `path`, under a
/// temporary name first.
///
/// # Errors
/// If the file cannot be written.
pub fn write<C: RunConfig>(
    path: &Path,
    model: &impl Model,
    config: &C,
    sets: &BTreeMap<String, ImageNames>,
    step: u64,
    values: &[Vec<f32>],
) -> Result<()> {
    let buffers: Vec<StateBuffer> = model.buffers();
    let mut writer = Writer::default();
    for Entry { prefix, parameter, buffer, index } in entries(model) {
        for (leaf, shape, numbers) in parameter.to_torch(buffers[buffer].view(&values[buffer], index)) {
            writer.f32(&format!("{prefix}.{leaf}"), &shape, &numbers);
        }
    }
    for (name, buffer, index) in model.loose() {
        let shape = buffers[buffer].tensors[index].1.0;
        writer.f32(&name, &shape, buffers[buffer].view(&values[buffer], index));
    }
    let header =
        Header { format: FORMAT, kind: C::KIND.into(), step, sets: sets.clone(), config: config.to_toml()? };
    let failed = |problem: String| Error::Checkpoint {
        path: path.to_path_buf(),
        problem: format!("not written: {problem}"),
    };
    writer.text(METADATA, serde_json::to_string(&header).map_err(|error| failed(error.to_string()))?);
    file::write_atomic(path, &writer.bytes().map_err(failed)?)
}

/// Every tensor that is kept in PyTorch's layout.
fn entries(model: &impl Model) -> Vec<Entry> {
    let mut entries = Vec::new();
    for Trained { networks, buffers, average } in model.trained() {
        let (mut first_parameter, mut first_running) = (0, 0);
        for (network, _) in networks {
            let (parameters, running, name) = (network.parameters(), network.running(), &network.name);
            let mut push = |prefix: String, group: &[Parameter], buffer: usize, first: usize| {
                entries.extend((first..).zip(group).map(|(index, parameter)| Entry {
                    prefix: prefix.clone(),
                    parameter: parameter.clone(),
                    buffer,
                    index,
                }));
            };
            push(name.clone(), &parameters, buffers.parameters, first_parameter);
            push(name.clone(), &running, buffers.running, first_running);
            for (state, buffer) in buffers.state() {
                push(format!("optimizer.{state}.{name}"), &parameters, buffer, first_parameter);
            }
            if let Some(average) = average {
                push(format!("{AVERAGE}{name}"), &parameters, average, first_parameter);
            }
            first_parameter += parameters.len();
            first_running += running.len();
        }
    }
    entries
}

fn summary(problems: &[String]) -> String {
    let rest = problems.len().saturating_sub(NAMED);
    let named = problems[..problems.len() - rest].join("; ");
    let rest = if rest > 0 { format!("; and {rest} more") } else { String::new() };
    format!(
        "does not fit these networks: {named}{rest}; a run continues only with the settings that its checkpoints were written with"
    )
}
