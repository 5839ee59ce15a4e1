//! Operations by themselves, each of the shapes of a layer of the presets, or of those that a user gives.

use super::cases;
use crate::gpu::lower::{Contraction, MatrixUnits, Target, Variant, candidates, lower};
use crate::gpu::program::Program;
use crate::graph::{Binary, Graph, Node, Op, StateBuffer, Step, Unary, Var, gradients};
use crate::real::Precision;
use crate::shape::{ConvOptions, Shape};
use crate::{Error, Result};

/// What a user may choose of an operation beside its shapes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Settings {
    /// Of a convolution.
    pub conv: ConvOptions,
    /// Of reflection_pad2d: pixels on each side.
    pub reflection: usize,
    /// Of upsample_nearest2d: how often rows and columns are repeated; of max_pool2d: rows and columns of a window.
    pub scale: [usize; 2],
    /// How contractions are computed.
    pub precision: Precision,
}

impl Settings {
    /// Those of a layer that halves or doubles images.
    pub const DEFAULT: Self =
        Self { conv: ConvOptions::new(2, 1), reflection: 3, scale: [2; 2], precision: Precision::F32 };
}

/// A function of some operands.
pub type Function = for<'g> fn(&[Var<'g>], &Settings) -> Result<Var<'g>>;

/// Updates of state of some shapes, and the state.
pub type Change = fn(&[Shape]) -> Result<(Step, Vec<StateBuffer>)>;

/// What an example computes.
#[derive(Clone, Copy)]
pub enum Work {
    /// A function of its operands.
    Value(Function),
    /// A function of each number.
    Unary(Unary),
    /// A function of each pair of numbers.
    Binary(Binary),
    /// Of the gradients of a function, the operations of these names.
    Gradient(Function, &'static [&'static str]),
    /// Updates of state.
    Updates(Change),
    /// What no lowering makes.
    Programs(fn(&[Shape], &Settings) -> Result<Vec<Program>>),
}

/// An operation by itself.
#[derive(Clone, Copy)]
pub struct Example {
    /// The operation.
    pub name: &'static str,
    /// Its operands; of a gradient, those of the operation that it is a gradient of.
    pub operands: &'static [&'static str],
    /// Their shapes, where none are given.
    pub shapes: &'static [[usize; 4]],
    /// What it computes.
    pub work: Work,
}

/// A program that computes an example.
pub struct KernelVariant {
    /// The variant of its contraction, where it has one.
    pub variant: Option<Variant>,
    /// The program.
    pub program: Program,
}

/// The most numbers of an operand, and of anything made from it.
const MOST: [usize; 2] = [1 << 28, 1 << 31];

/// A GPU of which nothing is known but that it has 32 KiB of workgroup memory, as nearly all have, and in mixed precision matrix units
/// of either size; and a software driver; with memory for anything.
fn targets(precision: Precision) -> Vec<Target> {
    let roomy = |target| Target { max_binding: u64::MAX, max_buffer: u64::MAX, precision, ..target };
    let gpu = roomy(Target { workgroup_bytes: 32 << 10, ..Target::GPU });
    let units = if precision.is_single() { &[][..] } else { &UNITS };
    let with_units = units.iter().map(|&units| Target { matrix: Some(units), ..gpu.clone() });
    with_units.chain([gpu.clone(), roomy(Target::SOFTWARE)]).collect()
}

/// Matrix units of either size, of GPUs whose subgroups are all of one.
const UNITS: [MatrixUnits; 2] =
    [MatrixUnits { size: 16, subgroup: [32; 2] }, MatrixUnits { size: 8, subgroup: [32; 2] }];

impl Example {
    /// Every way to compute it on operands of `shapes`: first that of a GPU where nothing was measured, then by its other
    /// variants, then those of software drivers.
    ///
    /// # Errors
    /// If the shapes or settings do not fit it, or are too large.
    pub fn ways(&self, shapes: &[Shape], settings: &Settings) -> Result<Vec<KernelVariant>> {
        if shapes.len() != self.operands.len() {
            return Err(Error::Input(format!(
                "{} takes {} shapes, of {}, not {}",
                self.name,
                self.operands.len(),
                self.operands.join(", "),
                shapes.len()
            )));
        }
        if let Some(shape) = shapes.iter().find(|shape| size(**shape).is_none_or(|size| size > MOST[0])) {
            let [most, _] = MOST;
            return Err(Error::Input(format!("an operand of {shape} has no or more than {most} numbers")));
        }
        let (step, buffers) = match self.work {
            Work::Value(function) => (value(self.name, shapes, |v| function(v, settings))?, vec![]),
            Work::Unary(of) => (value(self.name, shapes, |v| Ok(v[0].unary(of)))?, vec![]),
            Work::Binary(of) => (value(self.name, shapes, |v| v[0].binary(of, v[1]))?, vec![]),
            Work::Gradient(function, kept) => {
                (part(gradient(self.name, shapes, settings, function)?, kept), vec![])
            }
            Work::Updates(updates) => updates(shapes)?,
            Work::Programs(programs) => {
                let way = |program| KernelVariant { variant: None, program };
                return Ok(programs(shapes, settings)?.into_iter().map(way).collect());
            }
        };
        if let Some(node) = step.nodes.iter().find(|node| size(node.shape).is_none_or(|size| size > MOST[1]))
        {
            return Err(Error::Input(format!("{} of {} is too large to be lowered", self.name, node.shape)));
        }
        let mut ways = Vec::new();
        for target in targets(settings.precision) {
            let Some(of) = Contraction::all(std::slice::from_ref(&step)).pop() else {
                ways.push(KernelVariant { variant: None, program: lower(&step, &buffers, &target)? });
                continue;
            };
            let known = |variant: &Variant| ways.iter().all(|way| way.variant != Some(*variant));
            let variants: Vec<Variant> = candidates(&of, &target).into_iter().filter(known).collect();
            for variant in variants {
                let mut target = target.clone();
                target.choices.set(of, variant);
                ways.push(KernelVariant {
                    variant: Some(variant),
                    program: lower(&step, &buffers, &target)?,
                });
            }
        }
        Ok(ways)
    }

    /// Its own shapes.
    pub fn own_shapes(&self) -> Vec<Shape> {
        self.shapes.iter().map(|shape| Shape(*shape)).collect()
    }
}

/// All of them. Where several need the same kernel, the first shows it.
pub fn all() -> impl Iterator<Item = Example> {
    cases::CASES.into_iter().chain(cases::functions())
}

/// How many numbers a tensor of `shape` has, where that is more than none and can be counted.
fn size(shape: Shape) -> Option<usize> {
    let size = shape.0.iter().try_fold(1_usize, |size, &extent| size.checked_mul(extent));
    size.filter(|&size| size > 0)
}

fn operands<'g>(graph: &'g Graph, shapes: &[Shape]) -> Vec<Var<'g>> {
    shapes.iter().enumerate().map(|(at, shape)| graph.input(&at.to_string(), *shape)).collect()
}

fn value(
    name: &str,
    shapes: &[Shape],
    function: impl for<'g> Fn(&[Var<'g>]) -> Result<Var<'g>>,
) -> Result<Step> {
    let graph = Graph::new();
    let y = function(&operands(&graph, shapes))?;
    Step::new(name, &graph, &[("y", y)], vec![])
}

/// The gradients of a function to its operands.
fn gradient(name: &str, shapes: &[Shape], settings: &Settings, function: Function) -> Result<Step> {
    let graph = Graph::new();
    let operands = operands(&graph, shapes);
    let y = function(&operands, settings)?;
    let found = gradients(y.mul(graph.input("gy", y.shape()))?.sum(), &operands)?;
    let names: Vec<String> = (0..found.len()).map(|at| format!("d{at}")).collect();
    let outputs: Vec<(&str, Var<'_>)> = names.iter().map(String::as_str).zip(found).collect();
    Step::new(name, &graph, &outputs, vec![])
}

/// The operations of `step` that are named in `kept`, alone: what else they read is given.
fn part(step: Step, kept: &[&str]) -> Step {
    let keeps = |node: &Node| kept.contains(&node.op.name());
    let given = |(id, node): (usize, &Node)| match keeps(node) {
        true => node.clone(),
        false => Node { op: Op::Input(id.to_string()), operands: vec![], shape: node.shape },
    };
    let nodes: Vec<Node> = step.nodes.iter().enumerate().map(given).collect();
    let read = |id: &usize| nodes.iter().any(|node| node.operands.contains(id));
    let last = (0..nodes.len()).filter(|id| keeps(&step.nodes[*id]) && !read(id));
    let outputs = last.map(|id| (id.to_string(), id)).collect();
    Step { nodes, outputs, ..step }
}
