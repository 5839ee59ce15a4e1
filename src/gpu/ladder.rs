//! The ladder: one convolution by kernels from the naive to those that training takes, a rung at a time.
//!
//! Rungs 1 to 7 are `shaders/ladder/`, written to be read one after another; docs/kernels/conv2d.md climbs along. On top stand the
//! kernels that [`lower`] takes for the same convolution. All of them bind x, w and y, in that order.

use super::lower::{Contraction, Target, lower};
use super::preprocess::expand;
use super::program::{Buffer, Dispatch, Pipeline, Program, Region, Shader, WORKGROUP, grid};
use crate::Result;
use crate::graph::{Graph, Slot, StateBuffer, Step};
use crate::shape::Shape;

/// The name of every program's only output.
pub const OUTPUT: &str = "y";

/// A kernel under `shaders/ladder/`.
#[derive(Clone, Copy, Debug)]
pub struct Rung {
    /// Its place and what it adds, such as `4 registers`.
    pub name: &'static str,
    kernel: &'static str,
    /// Whether it reads and writes vec4 where channels divide by 4.
    vec4: bool,
    share: Share,
}

/// What one invocation or one workgroup computes.
#[derive(Clone, Copy, Debug)]
enum Share {
    /// An invocation: pixels x lanes of channels, held in registers.
    Registers([usize; 2]),
    /// A workgroup: so many pixels x as many channels.
    Workgroup(usize),
}

const fn rung(name: &'static str, kernel: &'static str, vec4: bool, share: Share) -> Rung {
    Rung { name, kernel, vec4, share }
}

/// The rungs, from the ground up.
pub const RUNGS: [Rung; 7] = [
    rung("1 naive", "ladder/1_naive", false, Share::Registers([1, 1])),
    rung("2 coalesced", "ladder/2_coalesced", false, Share::Registers([1, 1])),
    rung("3 vec4", "ladder/3_vec4", true, Share::Registers([1, 1])),
    rung("4 registers", "ladder/4_registers", true, Share::Registers([8, 2])),
    rung("5 tile", "ladder/5_tile", false, Share::Workgroup(16)),
    rung("6 tile and registers", "ladder/6_tile_registers", true, Share::Workgroup(64)),
    rung("7 prefetch", "ladder/7_prefetch", true, Share::Workgroup(64)),
];

/// The state buffer that programs read: x and w of a convolution, one after the other.
pub fn buffer(of: &Contraction) -> StateBuffer {
    let mut state_buffer = StateBuffer::default();
    let [x, w, _] = of.shapes();
    state_buffer.push("x", x);
    state_buffer.push("w", w);
    state_buffer
}

impl Rung {
    /// Its program for a convolution whose operands lie in state buffer 0, as [`buffer`] has them.
    ///
    /// # Errors
    /// If the kernel's text cannot be made (an error in this crate).
    pub fn program(&self, of: &Contraction) -> Result<Program> {
        let four = |channels: usize| self.vec4 && channels.is_multiple_of(4);
        let mut definitions =
            vec![("XVEC", u8::from(four(of.i)).to_string()), ("VEC4", u8::from(four(of.o)).to_string())];
        let pixels = of.batch * of.geometry.small[0] * of.geometry.small[1];
        let workgroups = match self.share {
            Share::Registers([down, across]) => {
                definitions.extend([("TM", down.to_string()), ("TN", across.to_string())]);
                let lanes = if four(of.o) { of.o / 4 } else { of.o };
                (pixels.div_ceil(down) * lanes.div_ceil(across)).div_ceil(WORKGROUP)
            }
            Share::Workgroup(tile) => pixels.div_ceil(tile) * of.o.div_ceil(tile),
        };
        let source = expand(self.kernel, &definitions)?;
        Ok(program(of, Shader { kernel: self.kernel.into(), source }, workgroups))
    }
}

/// The program that training takes on `target` for the same convolution.
///
/// # Errors
/// If an operand is larger than a binding may be.
pub fn production(of: &Contraction, target: &Target) -> Result<Program> {
    let state_buffer = buffer(of);
    let graph = Graph::new();
    let operand = |index: usize| {
        let (_, shape, offset) = &state_buffer.tensors[index];
        graph.state(Slot { buffer: 0, offset: *offset }, *shape)
    };
    let y = of.build(operand(0), operand(1))?;
    let step = Step::new("ladder", &graph, &[(OUTPUT, y)], vec![])?;
    lower(&step, std::slice::from_ref(&state_buffer), target)
}

fn program(of: &Contraction, shader: Shader, workgroups: usize) -> Program {
    let shapes = of.shapes();
    let size = |shape: Shape| (shape.len() * 4).next_multiple_of(16) as u64;
    let operands = buffer(of).tensors.into_iter().map(|(_, shape, offset)| Region {
        buffer: Buffer::State(0),
        offset: offset as u64 * 4,
        size: size(shape),
    });
    let constants = of.constants().map(|(name, value)| (name.to_owned(), value as f64)).into();
    let y = Region { buffer: Buffer::Result(0), offset: 0, size: size(shapes[2]) };
    Program {
        name: shader.kernel.clone(),
        shaders: vec![shader],
        pipelines: vec![Pipeline { shader: 0, constants }],
        pool: vec![],
        results: vec![y.size],
        input_bytes: 0,
        constants: vec![],
        inputs: vec![],
        outputs: vec![(OUTPUT.into(), y, shapes[2].len())],
        dispatches: vec![Dispatch {
            op: "conv2d".into(),
            pipeline: 0,
            bindings: operands.chain([y]).collect(),
            shapes: shapes.into(),
            counts: shapes.iter().map(|shape| vec![shape.len()]).collect(),
            members: 1,
            offsets: vec![vec![0]; 3],
            workgroups: grid(workgroups),
        }],
        exchanges: vec![],
    }
}
