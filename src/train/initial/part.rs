//! The tensors of one network in a file.

use super::names::{Naming, biases_before_batch_norms, instance_norms, is_unet, others, unwrapped};
use crate::nn::{Layer, Network, Parameter, ParameterKind};
use crate::tensor_file::{TensorFile, TensorInfo};
use crate::{Error, Result};
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

/// What a checkpoint of ours holds besides the networks.
const BESIDE: [&str; 3] = ["optimizer.", "average.", "pool."];

/// A network, and the tensors of a file that are for it.
pub struct Part<'f> {
    pub network: &'f Network,
    path: &'f Path,
    file: &'f TensorFile,
    naming: Naming,
    /// By the names that they have once wrappers and the network's name are taken away: their own name, and what they are.
    tensors: BTreeMap<String, (String, &'f TensorInfo)>,
    /// Whether there are running statistics among them.
    running: bool,
    /// Our names of biases that are 0 where the file has none.
    zero: Vec<String>,
}

/// The parts of `file` for the network called `only`, or for all whose names its tensors stand behind, and the names of tensors
/// that belong to none, in words.
///
/// # Errors
/// If it is for none of `networks`.
pub fn parts<'f>(
    path: &'f Path,
    file: &'f TensorFile,
    only: Option<&str>,
    networks: &[&'f Network],
) -> Result<(Vec<Part<'f>>, Vec<String>)> {
    let all = file.tensors();
    let joins = |network: &&Network| network.layers.iter().any(|layer| matches!(layer, Layer::Skip(_)));
    if is_unet(all.keys().map(String::as_str)) && !networks.iter().any(joins) {
        return Err(Error::Input(format!(
            "{}: a U-Net of the published CycleGAN or pix2pix (unet_128, unet_256), which is none of this run's networks; train \
             pix2pix with them, or take weights of a generator by residual blocks (resnet_9blocks, resnet_6blocks) for `generator` resnet",
            path.display()
        )));
    }
    let known = || networks.iter().map(|network| network.name.as_str()).collect::<Vec<_>>().join(", ");
    if let Some(only) = only {
        let is_meant = |network: &&&Network| network.name == only || others(&network.name).contains(&only);
        let Some(network) = networks.iter().find(is_meant) else {
            return Err(Error::Input(format!(
                "`init` {only}={}: this run has no network {only}; choose one of {}",
                path.display(),
                known()
            )));
        };
        let mut tensors = behind(&all, network);
        if tensors.is_empty() {
            tensors = all.iter().map(|(name, info)| (unwrapped(name), (name.clone(), *info))).collect();
        }
        return Ok((vec![Part::new(network, path, file, tensors)], Vec::new()));
    }
    let parts: Vec<Part<'_>> = networks
        .iter()
        .map(|network| (network, behind(&all, network)))
        .filter(|(_, tensors)| !tensors.is_empty())
        .map(|(network, tensors)| Part::new(network, path, file, tensors))
        .collect();
    if parts.is_empty() {
        let first = all.keys().next().map_or_else(String::new, |name| format!(" (its first is {name})"));
        return Err(Error::Input(format!(
            "{0}: its tensors{first} do not say which network they belong to, by names that begin with one of {1}; where it is one \
             network's state_dict, say whose: `init` {2}={0}",
            path.display(),
            known(),
            networks[0].name
        )));
    }
    let claimed: BTreeSet<&String> =
        parts.iter().flat_map(|part| part.tensors.values().map(|(name, _)| name)).collect();
    let unclaimed = all.keys().filter(|name| !claimed.contains(name));
    let unclaimed = unclaimed.filter(|name| !BESIDE.iter().any(|beside| name.starts_with(beside)));
    let unclaimed = unclaimed.map(|name| format!("{}: {name} is unexpected", path.display())).collect();
    Ok((parts, unclaimed))
}

/// The tensors whose names begin with one of the network's.
fn behind<'f>(
    all: &BTreeMap<String, &'f TensorInfo>,
    network: &Network,
) -> BTreeMap<String, (String, &'f TensorInfo)> {
    let names = [network.name.as_str()].into_iter().chain(others(&network.name).iter().copied());
    let prefixes: Vec<String> = names.map(|name| format!("{name}.")).collect();
    let rest = |name: &str| {
        let name = unwrapped(name);
        prefixes.iter().find_map(|prefix| name.strip_prefix(prefix.as_str())).map(unwrapped)
    };
    all.iter().filter_map(|(name, &info)| Some((rest(name)?, (name.clone(), info)))).collect()
}

impl<'f> Part<'f> {
    fn new(
        network: &'f Network,
        path: &'f Path,
        file: &'f TensorFile,
        tensors: BTreeMap<String, (String, &'f TensorInfo)>,
    ) -> Self {
        let naming = Naming::of(tensors.iter().map(|(name, (_, info))| (name.as_str(), info.shape.len())));
        let running = network.running().iter().any(|tensor| {
            let is_there = |(name, _): (String, _)| tensors.contains_key(&naming.name(&name));
            tensor.kind == ParameterKind::NormRunning && tensor.torch_entries().into_iter().any(is_there)
        });
        let absent = |own: &String| !tensors.contains_key(&naming.name(own));
        let zero = biases_before_batch_norms(network).into_iter().filter(absent).collect();
        Self { network, path, file, naming, tensors, running, zero }
    }

    pub fn is_of(&self, network: &Network) -> bool {
        self.network.name == network.name
    }

    /// Where it comes from, in words.
    pub fn describe(&self) -> String {
        let batch_norm = self.network.running().iter().any(|of| of.kind == ParameterKind::NormRunning);
        let without = if batch_norm && !self.running { " (no running statistics in it)" } else { "" };
        format!("{} from {}{without}", self.network.name, self.path.display())
    }

    /// Whether a tensor is taken: all but running statistics that the file does not keep.
    fn takes(&self, tensor: &Parameter) -> bool {
        self.running || tensor.kind != ParameterKind::NormRunning
    }

    /// What is missing, unexpected or not as the network has it.
    pub fn problems(&mut self) -> Vec<String> {
        let mut rest: BTreeMap<&String, &(String, &TensorInfo)> = self.tensors.iter().collect();
        let mut problems = Vec::new();
        let (mut trained, running) = (self.network.parameters(), self.network.running());
        trained.extend(running);
        for (own, shape) in trained.iter().filter(|of| self.takes(of)).flat_map(Parameter::torch_entries) {
            if self.zero.contains(&own) {
                continue;
            }
            let name = self.naming.name(&own);
            match rest.remove(&name) {
                None => problems.push(format!("{name} is missing")),
                Some((name, found)) if !TensorFile::has_floats(found) => problems.push(format!(
                    "{name} is {:?}, expected F32, F16 or BF16 (.float() makes it the first)",
                    found.dtype
                )),
                Some((name, found)) if found.shape != shape => {
                    problems.push(format!("{name} is {:?}, expected {shape:?}", found.shape));
                }
                Some(_) => {}
            }
        }
        let unused: BTreeSet<String> = instance_norms(self.network)
            .iter()
            .flat_map(|module| ["running_mean", "running_var"].map(|leaf| format!("{module}.{leaf}")))
            .map(|own| self.naming.name(&own))
            .collect();
        let counted = |name: &str| name.ends_with(".num_batches_tracked");
        let unexpected = rest.into_iter().filter(|(name, _)| !counted(name) && !unused.contains(*name));
        problems.extend(unexpected.map(|(_, (name, _))| format!("{name} is unexpected")));
        let (path, network) = (self.path.display(), &self.network.name);
        problems.iter().map(|problem| format!("{path}, {network}: {problem}")).collect()
    }

    /// A tensor's numbers, in the graph's layout, once there are no [`Part::problems`]; none where it is not taken.
    ///
    /// # Errors
    /// If the file cannot be read or holds what is no number.
    pub fn numbers(&self, tensor: &Parameter) -> Result<Option<Vec<f32>>> {
        if !self.takes(tensor) {
            return Ok(None);
        }
        let read = |(own, shape): (String, Vec<usize>)| {
            if self.zero.contains(&own) {
                return Ok(vec![0.0; shape.iter().product()]);
            }
            let (name, info) = &self.tensors[&self.naming.name(&own)];
            let numbers = self.file.floats(info).map_err(Error::io(self.path))?;
            match numbers.iter().position(|number| !number.is_finite()) {
                None => Ok(numbers),
                Some(at) => Err(Error::Input(format!(
                    "{}: {name} has {} at place {at}; take weights from before training diverged",
                    self.path.display(),
                    numbers[at]
                ))),
            }
        };
        let entries = tensor.torch_entries().into_iter().map(read).collect::<Result<Vec<_>>>()?;
        Ok(Some(tensor.from_torch(&entries)))
    }
}
