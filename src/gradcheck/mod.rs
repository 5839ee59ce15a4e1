//! Whether a device computes what it should: the library half of `mewgpu gradcheck`.
//!
//! Every operation, at many shapes, is computed on the device and by the reference in f64, and so are its gradients: on a
//! GPU by every kernel there is for it. That the reference's gradients are derivatives is checked on the CPU device, by
//! central differences in f64.

mod cases;
mod difference;
pub mod numeric;
mod report;
mod trial;
pub mod variants;

pub use cases::{Case, Function, Work, all, names};
pub use difference::Difference;
pub use report::{Failure, Report, Row};
pub use trial::{Part, Trial, draw};

use crate::device::Device;
use crate::gpu::{Gpu, GpuExecutor};
use crate::{Error, Result};
use variants::Way;

/// Numbers of each gradient that are checked by differences.
const PLACES: usize = 32;

/// What was found of one case computed one way.
pub struct Finding {
    /// By what the value was computed.
    pub variant: String,
    /// All kernels that took part.
    pub kernels: String,
    /// Largest error allowed.
    pub tolerance: f64,
    /// The worst number of every result.
    pub differences: Vec<Difference>,
}

/// Checks `cases` on `device`. `progress` hears how many cases are done, of how many, and the name of the next.
///
/// # Errors
/// If the device fails or refuses a kernel; the message names the operation and the kernels.
pub fn check(device: &Device, cases: &[Case], progress: &dyn Fn(usize, usize, &str)) -> Result<Report> {
    let mut report = Report::new(device.describe());
    for (done, case) in cases.iter().enumerate() {
        progress(done, cases.len(), case.op);
        let findings = match device {
            Device::Cpu { .. } => on_cpu(case),
            Device::Gpu(gpu) => on_gpu(case, gpu),
        };
        findings?.iter().for_each(|finding| report.add(case, finding));
    }
    Ok(report)
}

/// The reference in f32, and its gradients in f64.
fn on_cpu(case: &Case) -> Result<Vec<Finding>> {
    let trial = case.trial()?;
    let finding = |variant: &str, tolerance, differences| Finding {
        variant: variant.to_owned(),
        kernels: format!("reference, {variant}"),
        tolerance,
        differences,
    };
    let rounded = Difference::all(&trial.reference::<f32>()?, &trial.reference::<f64>()?);
    let mut findings = vec![finding("f32", case.tolerance, rounded)];
    if case.derivatives {
        let slopes = numeric::differences(&trial, PLACES)?;
        findings.push(finding("central differences in f64", numeric::TOLERANCE, slopes));
    }
    Ok(findings)
}

/// Every kernel that can compute the case.
///
/// # Errors
/// If the device fails or refuses a kernel; the message names the operation and the kernels.
pub fn on_gpu(case: &Case, gpu: &Gpu) -> Result<Vec<Finding>> {
    let trial = case.trial()?;
    let expected = trial.reference::<f64>()?;
    let finding = |Way { variant, kernels, program }: Way| {
        let found = GpuExecutor::load(gpu.clone(), &trial.banks, vec![program])
            .and_then(|mut executor| trial.results(&mut executor))
            .map_err(|error| Error::Device(format!("{} {} by {kernels}: {error}", case.op, case.title())))?;
        let differences = Difference::all(&found, &expected);
        Ok(Finding { variant, kernels, tolerance: case.tolerance, differences })
    };
    variants::ways(&trial, gpu, case.every_kernel)?.into_iter().map(finding).collect()
}
