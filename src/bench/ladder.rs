//! The rungs of the ladder, at a size of DCGAN and at one of CycleGAN.

use super::report::{self, Group, Subject};
use crate::Result;
use crate::gpu::Gpu;
use crate::gpu::ladder::{self, RUNGS};
use crate::gpu::lower::{Contraction, Kind, Target};
use crate::gpu::program::Program;
use crate::graph::Bank;
use crate::shape::{ConvGeometry, ConvOptions, Shape};

/// The presets whose convolutions are climbed, and these: batch, side of the picture, channels, kernel, stride, padding.
const SIZES: [(&str, [usize; 4], [usize; 3]); 2] =
    [("dcgan course", [16, 32, 32, 64], [4, 2, 1]), ("cyclegan paper", [1, 64, 256, 256], [3, 1, 1])];

/// A convolution that is climbed, and the preset that needs it.
pub struct Climb {
    of: Contraction,
    preset: &'static str,
}

/// Both.
///
/// # Errors
/// If a kernel does not fit its picture (an error in this crate).
pub fn climbs() -> Result<Vec<Climb>> {
    let climb = |(preset, [batch, side, i, o], [kernel, stride, padding])| {
        let options = ConvOptions::new(stride, padding);
        let geometry = ConvGeometry::conv2d([side; 2], [kernel; 2], options)?;
        Ok(Climb { of: Contraction { kind: Kind::Conv2d, geometry, batch, i, o }, preset })
    };
    SIZES.into_iter().map(climb).collect()
}

impl Climb {
    /// The rungs, by name; above them the kernels that training takes: straight from storage, as on software drivers, and by
    /// tiles in workgroup memory, as on GPUs.
    pub fn subjects(&self, gpu: &Gpu) -> Vec<Subject> {
        let rungs = RUNGS.iter().map(|rung| rung.name.to_owned());
        rungs.chain(self.targets(gpu).iter().map(|target| self.top(target))).map(|name| self.subject(name)).collect()
    }
