//! The rungs of the ladder, at a size of DCGAN and at one of CycleGAN.

use super::report::{Contraction, Group, Subject};
use crate::Result;
use crate::gpu::Gpu;
use crate::gpu::ladder::{RUNGS, buffer, production};
use crate::gpu::lower::{self, Kind};
use crate::gpu::program::Program;
use crate::gradcheck::variants::targets;
use crate::graph::StateBuffer;
use crate::shape::{ConvGeometry, ConvOptions};

/// The convolutions that are climbed, and a preset that needs each: batch, side of the image, channels in and out; kernel,
/// stride, padding.
const SIZES: [(&str, [usize; 4], [usize; 3]); 2] =
    [("dcgan course", [16, 32, 32, 64], [4, 2, 1]), ("cyclegan paper", [1, 64, 256, 256], [3, 1, 1])];

/// Every rung at every size, and above them the kernels that training takes on GPUs and on software drivers; with the state buffer that
/// holds their operands.
///
/// # Errors
/// If an operand is larger than the device can bind.
pub fn programs(gpu: &Gpu) -> Result<(Vec<(Subject, Program)>, StateBuffer)> {
    let mut programs = Vec::new();
    let mut len = 0;
    for (preset, [batch, side, i, o], [kernel, stride, padding]) in SIZES {
        let geometry = ConvGeometry::conv2d([side; 2], [kernel; 2], ConvOptions::new(stride, padding))?;
        let of = lower::Contraction { kind: Kind::Conv2d, geometry, batch, i, o };
        len = len.max(buffer(&of).len);
        for rung in &RUNGS {
            programs.push((subject(rung.name.to_owned(), preset, &of), rung.program(&of)?));
        }
        for target in targets(gpu.target()) {
            let variant = target.resolved(&[of]).get(&of).map(|variant| variant.to_string());
            let name = format!("8 production, {}", variant.unwrap_or_default());
            programs.push((subject(name, preset, &of), production(&of, &target)?));
        }
    }
    Ok((programs, StateBuffer { tensors: vec![], len }))
}

fn subject(name: String, preset: &str, of: &lower::Contraction) -> Subject {
    let &lower::Contraction { geometry, batch, i, o, .. } = of;
    let shapes = of.shapes();
    let [x, w, y] = shapes.map(|shape| shape.0.map(|extent| extent.to_string()).join("x"));
    let variant = format!("{x} {w} s{} p{} -> {y}", geometry.stride[0], geometry.padding[0]);
    Subject {
        used_by: vec![preset.to_owned()],
        flops: 2 * of.multiply_adds() as u64,
        bytes: shapes.iter().map(|shape| 4 * shape.len() as u64).sum(),
        contraction: Some(Contraction { op: "conv2d".into(), batch, geometry, inputs: i, outputs: o }),
        ..Subject::new(Group::Ladder, name, variant)
    }
}
