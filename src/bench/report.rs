//! What was measured, as it is kept.

use crate::measure::peaks::{Peak, Peaks};
use crate::measure::{self, Spread};
use crate::real::Precision;
use crate::shape::ConvGeometry;
use serde::Serialize;

/// Everything measured on one device in one run.
#[derive(Clone, Debug, Serialize)]
pub struct Report {
    /// The program and its version.
    pub program: String,
    /// The device, in words.
    pub device: String,
    /// How contractions were computed.
    pub precision: Precision,
    /// The products its matrix units offer; empty where there are none, or none that wgpu reaches.
    pub matrix_units: Vec<String>,
    /// What the device can do.
    pub peaks: Peaks,
    /// One thing measured twice, in turn with everything else: how far the second time is from the first, as a ratio. What
    /// differs by no more than this does not differ.
    pub control: Spread,
    /// The figures.
    pub rows: Vec<Row>,
    /// What was left out because it would take too long.
    pub left_out: Vec<LeftOut>,
}

/// The kind of a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Group {
    /// What the device can do.
    Peaks,
    /// One thing measured twice.
    Control,
    /// The three contractions.
    Contractions,
    /// One convolution by kernels from the naive on.
    Ladder,
    /// Normalisations.
    Norms,
    /// Pointwise functions, sums, and operations that move pixels.
    Pointwise,
    /// Whole training iterations.
    Steps,
}

impl Group {
    /// All of them, in the order of the table.
    pub const ALL: [Self; 7] = [
        Self::Peaks,
        Self::Control,
        Self::Contractions,
        Self::Ladder,
        Self::Norms,
        Self::Pointwise,
        Self::Steps,
    ];

    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Peaks => "peaks",
            Self::Control => "control",
            Self::Contractions => "contractions",
            Self::Ladder => "ladder",
            Self::Norms => "norms",
            Self::Pointwise => "pointwise",
            Self::Steps => "steps",
        }
    }
}

/// What is measured.
#[derive(Clone, Debug, Serialize)]
pub struct Subject {
    /// Its kind.
    pub group: Group,
    /// What is computed.
    pub name: String,
    /// By which kernels.
    pub variant: String,
    /// Whether that is what this device computes it by; contractions are measured by other kernels as well.
    pub chosen: bool,
    /// The presets that need it.
    pub used_by: Vec<String>,
    /// Floating-point operations of its contractions.
    pub flops: u64,
    /// Bytes it has to move: operands and results.
    pub bytes: u64,
    /// Of a contraction: its sizes.
    pub contraction: Option<Contraction>,
}

/// One thing measured.
#[derive(Clone, Debug, Serialize)]
pub struct Row {
    /// What it is.
    #[serde(flatten)]
    pub subject: Subject,
    /// The time it takes.
    pub seconds: Spread,
    /// Floating-point operations by the median time; none where it has no contraction.
    pub flops_per_second: Option<f64>,
    /// Bytes by the median time; none of whole iterations.
    pub bytes_per_second: Option<f64>,
    /// The share of the peak: of arithmetic where there is a contraction, else of copying. What fits in a cache can be
    /// faster than a copy that does not.
    pub share: Option<f64>,
    /// Of a whole iteration: where its time goes.
    pub iteration: Option<Iteration>,
}

/// The sizes of a contraction, whichever of the three.
#[derive(Clone, Debug, Serialize)]
pub struct Contraction {
    /// Which of the three.
    pub op: String,
    /// Images.
    pub batch: usize,
    /// Pixels, kernel, stride and padding of the convolution it belongs to.
    pub geometry: ConvGeometry,
    /// Channels of the convolution's operand.
    pub inputs: usize,
    /// Channels of the convolution's result.
    pub outputs: usize,
}

/// Where the time of an iteration goes, in seconds. The first three are the sums over operations run one by one: together
/// they may be more than the iteration, in which a device overlaps them.
#[derive(Clone, Debug, Serialize)]
pub struct Iteration {
    /// In contractions.
    pub contractions: f64,
    /// In normalisations and their gradients.
    pub norms: f64,
    /// In everything else: pointwise functions, sums, optimizers.
    pub rest: f64,
    /// Recording and submitting, on the host; 0 on the CPU device, which does neither.
    pub host: f64,
    /// The rest of the iteration: the host waits for the device.
    pub waiting: f64,
    /// Dispatches (on the CPU: operations) of each of its steps.
    pub dispatches: Vec<(String, usize)>,
    /// Bytes of memory planned.
    pub memory: usize,
}

/// A row that was not measured.
#[derive(Clone, Debug, Serialize)]
pub struct LeftOut {
    /// Its name.
    pub name: String,
    /// Why.
    pub why: String,
}

impl Subject {
    /// Something that computes and moves nothing worth counting.
    pub fn new(group: Group, name: impl Into<String>, variant: impl Into<String>) -> Self {
        Self {
            group,
            name: name.into(),
            variant: variant.into(),
            chosen: true,
            used_by: Vec::new(),
            flops: 0,
            bytes: 0,
            contraction: None,
        }
    }
}

impl From<Peak> for Subject {
    fn from(Peak { name, variant, flops, bytes }: Peak) -> Self {
        Self { flops, bytes, ..Self::new(Group::Peaks, name, variant) }
    }
}

impl measure::Subject for Subject {
    fn name(&self) -> &str {
        &self.name
    }
    fn is_basis(&self) -> bool {
        matches!(self.group, Group::Peaks | Group::Control)
    }
}

impl Row {
    /// A row with its rates, whose share is not known yet.
    pub fn new(subject: Subject, samples: &[f64]) -> Self {
        let seconds = Spread::of(samples);
        let rate = |count: u64| (count > 0).then(|| count as f64 / seconds.median);
        let (flops_per_second, bytes_per_second) = (rate(subject.flops), rate(subject.bytes));
        Self { subject, seconds, flops_per_second, bytes_per_second, share: None, iteration: None }
    }

    /// Notes the share of the peak that it reaches.
    pub(super) fn share_of(&mut self, peaks: &Peaks) {
        let flops = self.flops_per_second.map(|rate| rate / peaks.flops_per_second);
        self.share = flops.or(self.bytes_per_second.map(|rate| rate / peaks.bytes_per_second));
    }
}
