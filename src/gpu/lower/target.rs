//! The device that is lowered for.

use super::tuning_table::TuningTable;
use super::variant::MatrixUnits;
use crate::real::Precision;

/// What lowering needs to know of the device.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    /// Whether contractions go straight to storage: always, or only for few channels.
    pub software: bool,
    /// Invocations that fill the device.
    pub invocations: usize,
    /// Largest binding in bytes.
    pub max_binding: u64,
    /// Largest buffer in bytes.
    pub max_buffer: u64,
    /// Most memory of a workgroup in bytes.
    pub workgroup_bytes: usize,
    /// Most invocations of a workgroup.
    pub workgroup_invocations: usize,
    /// How contractions are computed.
    pub precision: Precision,
    /// What multiplies matrices, for contractions in mixed precision.
    pub matrix: Option<MatrixUnits>,
    /// Fewest invocations that the device runs side by side.
    pub subgroup: usize,
    /// Kernels of contractions that were measured or pinned; the others get a default.
    pub choices: TuningTable,
}

impl Target {
    /// A GPU of unknown size, with WebGPU's guaranteed limits.
    pub const GPU: Self = Self {
        software: false,
        invocations: 16 * 1024,
        max_binding: 128 << 20,
        max_buffer: 256 << 20,
        workgroup_bytes: 16 << 10,
        workgroup_invocations: 256,
        precision: Precision::F32,
        matrix: None,
        subgroup: 32,
        choices: TuningTable::NONE,
    };
    /// A software driver on a processor's cores.
    pub const SOFTWARE: Self = Self {
        software: true,
        invocations: 256,
        max_binding: 128 << 20,
        max_buffer: 256 << 20,
        workgroup_bytes: 16 << 10,
        workgroup_invocations: 256,
        precision: Precision::F32,
        matrix: None,
        subgroup: 8,
        choices: TuningTable::NONE,
    };
}
