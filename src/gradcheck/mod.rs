//! Whether a device computes what it should: the library half of `mewgan gradcheck`.
//!
//! Every operation, at many shapes, is computed on the device and by the reference in f64, and so are its gradients: on a
//! GPU by every kernel there is for it. Where the device has double precision, the same kernels run in it too, and their
//! gradients are checked against differences of their own values. On the CPU device those are differences of the
//! reference's values.
//!
//! In mixed precision the contractions are checked, against a reference that rounds their operands as well. Rounding has no slope: there
//! are no differences then, and no f64.
//!
//! Where it matters, operands are drawn from several magnitudes, and NaN and infinities must come out where the reference has
//! them.

mod cases;
mod difference;
pub mod numeric;
mod report;
mod trial;
pub mod variants;

pub use cases::{Case, Function, Work, all, exact, names};
pub use difference::Difference;
pub use report::{Failure, Report, Row, Wrong};
pub use trial::{Draw, Part, Trial, draw};

use crate::Result;
use crate::device::Device;
use crate::gpu::{Gpu, GpuExecutor};
use crate::real::Precision;
use serde::Serialize;
use variants::Lowered;

/// Numbers of each gradient that are checked by differences: on the CPU, and on a GPU, which waits for every one.
const PLACES: usize = 32;
const PLACES_ON_GPU: usize = 6;

/// Largest error in f64: it keeps 1e-16, and no sum of a case loses more than three digits.
pub const DOUBLE_TOLERANCE: f64 = 1e-12;

/// What is compared with what.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Check {
    /// What the device computes in f32, with the reference in f64.
    Single,
    /// What the device computes in f64, with the reference in f64.
    Double,
    /// Gradients in f64, with central differences of values in f64.
    Differences,
}

/// What one check of one case computed one way found.
pub struct Finding {
    /// Which check.
    pub check: Check,
    /// From which numbers.
    pub draw: Draw,
    /// By what the value was computed.
    pub variant: String,
    /// All kernels that took part.
    pub kernels: String,
    /// Largest error allowed.
    pub tolerance: f64,
    /// The worst number of every result; or why the device computed none.
    pub outcome: Result<Vec<Difference>>,
}

/// Checks `cases` on `device`. `progress` hears how many cases are done, of how many, and the name of the next. What a
/// device refuses to compute is part of the report.
///
/// # Errors
/// If the operands of a case are too large for the device.
pub fn check(device: &Device, cases: &[Case], progress: &dyn Fn(usize, usize, &str)) -> Result<Report> {
    let mut report = Report::new(device.describe());
    for (done, case) in cases.iter().enumerate() {
        progress(done, cases.len(), case.op);
        let findings = match device {
            Device::Cpu { precision, .. } => on_cpu(case, *precision),
            Device::Gpu(gpu) => on_gpu(case, gpu),
        };
        findings?.iter().for_each(|finding| report.add(case, finding));
    }
    Ok(report)
}

/// A case from some numbers, and what is right.
struct Drawn {
    draw: Draw,
    trial: Trial,
    expected: Vec<(Part, Vec<f64>)>,
}

fn drawn(case: &Case, precision: Precision) -> Result<Vec<Drawn>> {
    let of = |&draw: &Draw| {
        let trial = case.trial_from(draw)?.in_precision(precision);
        let expected = trial.reference::<f64>()?;
        Ok(Drawn { draw, trial, expected })
    };
    case.draws.iter().map(of).collect()
}

/// The reference in f32, and its gradients in f64.
fn on_cpu(case: &Case, precision: Precision) -> Result<Vec<Finding>> {
    let mut findings = Vec::new();
    for Drawn { draw, trial, expected } in drawn(case, precision)? {
        let finding = |check, tolerance, outcome| Finding {
            check,
            draw,
            variant: "reference".to_owned(),
            kernels: "reference".to_owned(),
            tolerance,
            outcome,
        };
        let rounded = trial.reference::<f32>().map(|found| case.differences(draw, &found, &expected));
        findings.push(finding(Check::Single, case.tolerance, rounded));
        if case.differs(draw) && precision.is_single() {
            let slopes = numeric::of_reference(&trial, PLACES);
            findings.push(finding(Check::Differences, numeric::TOLERANCE, slopes));
        }
    }
    Ok(findings)
}

/// Every kernel that can compute the case.
fn on_gpu(case: &Case, gpu: &Gpu) -> Result<Vec<Finding>> {
    let ways = variants::ways(&case.trial()?, gpu, case.every_kernel)?;
    let drawn = drawn(case, gpu.target().precision)?;
    Ok(ways.into_iter().flat_map(|way| one_way(case, &drawn, gpu, way)).collect())
}

fn one_way(case: &Case, drawn: &[Drawn], gpu: &Gpu, lowered: Lowered) -> Vec<Finding> {
    let Lowered { variant, kernels, program, in_double } = lowered;
    let finding = |check, draw, tolerance, outcome: Result<_>| Finding {
        check,
        draw,
        variant: variant.clone(),
        kernels: kernels.clone(),
        tolerance,
        outcome,
    };
    let mut findings = Vec::new();
    let Some(Drawn { draw: first, trial, .. }) = drawn.first() else { return findings };
    // One executor for all numbers: to make it is most of the work.
    match GpuExecutor::load_lowered(gpu.clone(), &trial.buffers, vec![program.clone()]) {
        Ok(mut executor) => findings.extend(drawn.iter().map(|Drawn { draw, trial, expected }| {
            let found = trial.results(&mut executor);
            let differences = found.map(|found| case.differences(*draw, &found, expected));
            finding(Check::Single, *draw, case.tolerance, differences)
        })),
        Err(error) => findings.push(finding(Check::Single, *first, case.tolerance, Err(error))),
    }
    if !in_double {
        return findings;
    }
    match GpuExecutor::load_lowered_in_double(gpu.clone(), &trial.buffers, vec![program]) {
        Ok(mut executor) => {
            for Drawn { draw, trial, expected } in drawn {
                let found = trial.results(&mut executor);
                if let (Ok(found), true) = (&found, case.differs(*draw)) {
                    let slopes = numeric::differences(trial, found, &mut executor, PLACES_ON_GPU);
                    findings.push(finding(Check::Differences, *draw, numeric::TOLERANCE, slopes));
                }
                let differences = found.map(|found| case.differences(*draw, &found, expected));
                findings.push(finding(Check::Double, *draw, DOUBLE_TOLERANCE, differences));
            }
        }
        Err(error) => findings.push(finding(Check::Double, *first, DOUBLE_TOLERANCE, Err(error))),
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::{Case, Gpu, Precision, Report, drawn, one_way, variants};

    /// A kernel that a device refuses is a failure of its own, and no others'.
    #[test]
    fn the_next_kernel_runs_where_one_was_refused() {
        let gpu = Gpu::open("", false).expect("make test installs a driver");
        let case = Case::new("square", &[[1, 1, 1, 8]], |v| Ok(v[0].square()));
        let trial = case.trial().unwrap();
        let drawn = drawn(&case, Precision::F32).unwrap();
        let mut report = Report::new("a device".to_owned());
        for name in ["broken", "sound"] {
            let mut way = variants::ways(&trial, &gpu, false).unwrap().remove(0);
            name.clone_into(&mut way.variant);
            if name == "broken" {
                way.program.shaders[0].source.push_str("fn broken( {}");
            }
            let findings = one_way(&case, &drawn, &gpu, way);
            findings.iter().for_each(|finding| report.add(&case, finding));
        }
        let [broken, sound] = &report.rows[..] else { panic!("{report}") };
        assert!(!broken.passed && broken.refused.is_some() && broken.forward.is_none(), "{report}");
        assert!(sound.passed && sound.refused.is_none() && sound.forward.is_some(), "{report}");
        assert!(!report.passed() && report.to_string().contains("refused: "), "{report}");
    }
}
