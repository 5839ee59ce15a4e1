//! What a run computes on, and why.

use crate::executor::Executor;
use crate::gpu::tune::{self, Table};
use crate::gpu::{AdapterSummary, Gpu, adapters};
use crate::graph::{StateBuffer, Step};
use crate::real::Precision;
use crate::reference::Reference;
use crate::{Error, Result};
use std::path::Path;

/// What can be chosen for any name of a device.
pub const AUTO: &str = "auto";
/// The name of the reference on the CPU.
pub const CPU: &str = "cpu";
/// The name of the best GPU, be it a software driver.
pub const GPU: &str = "gpu";

/// A device that is there.
#[derive(Clone)]
#[non_exhaustive]
pub enum Device {
    /// The reference, on all threads of the CPU.
    Cpu {
        /// Why it was chosen, in words.
        why: String,
        /// How it computes contractions.
        precision: Precision,
    },
    /// A device that wgpu reaches.
    Gpu(Gpu),
}

/// A line of `mewgan devices`, whose number can be passed to [`Device::open`] as well.
#[derive(Clone, Debug)]
pub struct Listed {
    /// What to pass to [`Device::open`].
    pub choice: String,
    /// What it is.
    pub description: String,
    /// Whether `auto` picks it.
    pub auto: bool,
}

impl Device {
    /// Opens the device of the user's `choice`: `auto` (a hardware GPU, else the CPU), `gpu`, `cpu`, a number of [`list`], or
    /// words of a GPU's name.
    ///
    /// # Errors
    /// If there is no such device, or the words are in the names of several.
    pub fn open(choice: &str) -> Result<Self> {
        Self::open_as(choice, 0)
    }

    /// As [`Device::open`], for process number `local`, from 0, of several on this machine: they take the GPUs of a choice in turn,
    /// as far as these are of a kind.
    ///
    /// # Errors
    /// As [`Device::open`].
    pub fn open_as(choice: &str, local: usize) -> Result<Self> {
        match &*choice.to_lowercase() {
            AUTO => match Gpu::open_as("", true, local) {
                Ok(gpu) => Ok(Self::Gpu(gpu)),
                Err(error) => Ok(Self::cpu(why_no_gpu(&adapters(), &error))),
            },
            CPU => Ok(Self::cpu("as chosen".into())),
            GPU => Gpu::open_as("", false, local).map(Self::Gpu),
            number if number.parse() == Ok(adapters().len()) => Self::open(CPU),
            _ => Gpu::open_as(choice, false, local).map(Self::Gpu),
        }
    }

    /// What it is and why it was chosen, in one line.
    pub fn describe(&self) -> String {
        match self {
            Self::Cpu { why, .. } => format!("{} ({why})", cpu()),
            Self::Gpu(gpu) => format!("GPU {}", gpu.summary()),
        }
    }

    fn cpu(why: String) -> Self {
        Self::Cpu { why, precision: Precision::F32 }
    }

    /// The same device, to compute contractions in this precision; single precision, where none is chosen.
    ///
    /// # Errors
    /// If its driver has no half precision and that is asked for.
    pub fn with_precision(self, precision: Precision) -> Result<Self> {
        match self {
            Self::Cpu { why, .. } => Ok(Self::Cpu { why, precision }),
            Self::Gpu(gpu) => gpu.with_precision(precision).map(Self::Gpu),
        }
    }

    /// How it computes contractions.
    pub fn precision(&self) -> Precision {
        match self {
            Self::Cpu { precision, .. } => *precision,
            Self::Gpu(gpu) => gpu.target().precision,
        }
    }

    /// The same device with the fastest kernels for `steps`, where none are pinned: known from an earlier run, or
    /// measured now. `progress` hears of
    /// that in lines for people. The CPU has none to choose from, and a software driver keeps its defaults.
    ///
    /// # Errors
    /// If the device fails.
    pub fn tuned(self, steps: &[Step], progress: &mut dyn FnMut(&str)) -> Result<Self> {
        match self {
            Self::Gpu(gpu) if !gpu.summary().software => {
                let kept = tune::kept_at(&gpu);
                tune::tuned(gpu, steps, kept.as_deref(), progress).map(Self::Gpu)
            }
            device => Ok(device),
        }
    }

    /// The same device with the kernels of the table kept at `path`, if there is one and it was made for this device.
    ///
    /// # Errors
    /// If the table cannot be read.
    pub fn pinned(self, path: &Path) -> Result<Self> {
        match (self, Table::read(path)?) {
            (Self::Gpu(gpu), Some(table)) if table.is_of(&gpu) => {
                Ok(Self::Gpu(gpu.with_tuning(table.kernels)))
            }
            (device, _) => Ok(device),
        }
    }

    /// The kernels that it takes for `steps`, for [`Device::pinned`]; the CPU has none.
    pub fn kernels(&self, steps: &[Step]) -> Option<Table> {
        match self {
            Self::Cpu { .. } => None,
            Self::Gpu(gpu) => Some(Table::of(gpu, steps)),
        }
    }

    /// Bytes of memory that `steps` over `buffers` would take.
    ///
    /// # Errors
    /// If a tensor is larger than the device can bind.
    pub fn planned_bytes(&self, buffers: &[StateBuffer], steps: &[Step]) -> Result<usize> {
        match self {
            // Memory that is never touched is never given by the system.
            Self::Cpu { .. } => Ok(Reference::<f32>::new(buffers, steps.to_vec())?.bytes()),
            Self::Gpu(gpu) => gpu.planned_bytes(buffers, steps),
        }
    }

    /// Makes `steps` ready over `buffers`.
    ///
    /// # Errors
    /// If the device is too small for them, or fails.
    pub fn executor(&self, buffers: &[StateBuffer], steps: Vec<Step>) -> Result<Box<dyn Executor>> {
        match self {
            Self::Cpu { precision, .. } => {
                Ok(Box::new(Reference::<f32>::new(buffers, steps)?.with_precision(*precision)))
            }
            Self::Gpu(gpu) => Ok(Box::new(gpu.executor(buffers, &steps)?)),
        }
    }
}

/// Why `auto` went on to the CPU when opening a hardware GPU gave `error`.
fn why_no_gpu(found: &[AdapterSummary], error: &Error) -> String {
    match found {
        [] => "no GPU driver found".into(),
        found if found.iter().all(|gpu| gpu.software) => {
            "no hardware GPU found; device gpu takes the software driver".into()
        }
        _ => format!("a GPU is there, but: {error}"),
    }
}

/// Every device that can be chosen, best first; their numbers count from 0.
pub fn list() -> Vec<Listed> {
    let gpus = adapters();
    let hardware = gpus.iter().position(|gpu| !gpu.software);
    let mut listed: Vec<Listed> = gpus
        .iter()
        .enumerate()
        .map(|(at, gpu)| Listed {
            choice: choice(&gpus, at),
            description: gpu.to_string(),
            auto: hardware == Some(at),
        })
        .collect();
    listed.push(Listed { choice: CPU.into(), description: cpu(), auto: hardware.is_none() });
    listed
}

/// What names the GPU at a place of the list: the best by `gpu`, others by name, namesakes by their number as well.
fn choice(gpus: &[AdapterSummary], at: usize) -> String {
    let name = &gpus[at].name;
    match gpus[..at].iter().filter(|gpu| gpu.name == *name).count() {
        _ if at == 0 => GPU.into(),
        0 => name.clone(),
        earlier => format!("{name}#{}", earlier + 1),
    }
}

fn cpu() -> String {
    let threads = rayon::current_num_threads();
    format!("CPU reference, {threads} thread{}", if threads == 1 { "" } else { "s" })
}
