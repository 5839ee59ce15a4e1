//! What several test files need: a GPU, or a failure that says how to get one.

pub mod damage;
pub mod fixtures;
pub mod networks;
pub mod program;
pub mod runs;
#[cfg(unix)]
pub mod signals;

use mewgan::gpu::Gpu;
use mewgan::gpu::lower::Target;
use mewgan::gradcheck::variants::targets;
use std::sync::OnceLock;

/// The best device there is, software drivers included.
///
/// # Panics
/// Without any: a GPU test never passes by not running. The message names the remedy.
pub fn gpu() -> Gpu {
    static GPU: OnceLock<Gpu> = OnceLock::new();
    GPU.get_or_init(|| Gpu::open("", false).unwrap_or_else(|error| panic!("{error}"))).clone()
}

/// The device with the kernels of each kind of device, named.
pub fn variants() -> Vec<(&'static str, Gpu)> {
    let gpu = gpu();
    let named =
        |target: Target| (if target.software { "direct" } else { "tiled" }, gpu.clone().with_target(target));
    targets(gpu.target()).into_iter().map(named).collect()
}
