//! What a run computes on, and why.

use crate::executor::Executor;
use crate::graph::{Bank, Step};
use crate::reference::Reference;
use crate::{Error, Result};

/// What can be chosen for any name of a device.
pub const AUTO: &str = "auto";
const CPU: &str = "cpu";
const NO_GPU: &str = "this build reaches no GPU";

/// A device that is there.
#[derive(Clone, Debug)]
pub enum Device {
    /// The reference, on all threads of the CPU.
    Cpu {
        /// Why it was chosen, in words.
        why: &'static str,
    },
}

/// A line of `mewgpu devices`.
#[derive(Clone, Debug)]
pub struct Listed {
    /// What to pass as `--device`.
    pub choice: String,
    /// What it is.
    pub description: String,
    /// Whether `auto` picks it.
    pub auto: bool,
}

impl Device {
    /// Opens the device of the user's `choice`: `auto` (a hardware GPU, else the CPU), `gpu`, `cpu`, or a part of a
    /// GPU's name.
    ///
    /// # Errors
    /// If there is no such device.
    pub fn open(choice: &str) -> Result<Self> {
        match choice {
            AUTO => Ok(Self::Cpu { why: NO_GPU }),
            CPU => Ok(Self::Cpu { why: "as chosen" }),
            other => Err(Error::Device(format!(
                "device {other}: {NO_GPU}; choose auto or cpu, and see what there is with: mewgpu devices"
            ))),
        }
    }

    /// What it is and why it was chosen, in one line.
    pub fn describe(&self) -> String {
        match self {
            Self::Cpu { why } => format!("{} ({why})", cpu()),
        }
    }

    /// Makes `steps` ready over `banks`.
    ///
    /// # Errors
    /// If the device is too small for them, or fails.
    pub fn executor(&self, banks: &[Bank], steps: Vec<Step>) -> Result<Box<dyn Executor>> {
        match self {
            Self::Cpu { .. } => Ok(Box::new(Reference::<f32>::new(banks, steps))),
        }
    }
}

/// Every device that can be chosen.
pub fn list() -> Vec<Listed> {
    vec![Listed { choice: CPU.into(), description: cpu(), auto: true }]
}

fn cpu() -> String {
    let threads = rayon::current_num_threads();
    format!("CPU reference, {threads} thread{}", if threads == 1 { "" } else { "s" })
}
