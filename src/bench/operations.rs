//! Single operations: every contraction of the presets, and the largest norms and pointwise functions of each.

use super::report::{Contraction, Group, Subject};
use crate::Result;
use crate::gpu::Gpu;
use crate::gpu::lower;
use crate::gpu::program::Program;
use crate::graph::{Node, NodeId, Op, Per, Slot, StateBuffer, Step};
use crate::models::system::System;
use crate::shape::Shape;

/// Tensors smaller than this in all, in bytes, say nothing of how fast memory is moved.
const SMALL: u64 = 256 * 1024;

/// An operation by itself.
#[derive(Clone)]
pub struct Operation {
    /// What it is.
    pub subject: Subject,
    /// A step of nothing else.
    pub step: Step,
}

/// The operations of all presets, each once, contractions by kind and size.
pub fn all(systems: &[System]) -> Vec<Operation> {
    let mut found: Vec<Operation> = Vec::new();
    for system in systems {
        for (step, id) in nodes(system) {
            let Some(subject) = subject(step, id) else { continue };
            match found.iter_mut().find(|other| other.subject.name == subject.name) {
                Some(Operation { subject, .. }) if subject.used_by.contains(&system.name) => {}
                Some(Operation { subject, .. }) => subject.used_by.push(system.name.clone()),
                None => found.push(Operation {
                    subject: Subject { used_by: vec![system.name.clone()], ..subject },
                    step: alone(step, id),
                }),
            }
        }
    }
    found.sort_by_key(|Operation { subject, .. }| {
        let kind = subject.name.split(' ').next().unwrap_or_default().to_owned();
        (subject.group.name(), kind, subject.flops, subject.bytes)
    });
    found
}

/// Every contraction of a system, and of every other kind of operation that with the most bytes.
fn nodes(system: &System) -> Vec<(&Step, NodeId)> {
    let all = system
        .phases
        .iter()
        .map(|phase| &phase.step)
        .flat_map(|step| (0..step.nodes.len()).map(move |id| (step, id)));
    let mut chosen: Vec<(&Step, NodeId)> = Vec::new();
    for (step, id) in all {
        let kind = |step: &Step, id: NodeId| (step.nodes[id].op.name(), per(&step.nodes[id].op));
        let same = |&(other, other_id): &(&Step, NodeId)| kind(other, other_id) == kind(step, id);
        match chosen.iter().position(same) {
            Some(at) if step.flops(id) == 0 => {
                if chosen[at].0.bytes(chosen[at].1) < step.bytes(id) {
                    chosen[at] = (step, id);
                }
            }
            _ => chosen.push((step, id)),
        }
    }
    chosen
}

fn per(op: &Op) -> Option<Per> {
    match op {
        Op::Moments(per)
        | Op::Normalize { per, .. }
        | Op::NormalizeGradSums { per, .. }
        | Op::NormalizeGrad { per, .. } => Some(*per),
        _ => None,
    }
}

/// What the node is called and counts; none where it is not measured by itself.
fn subject(step: &Step, id: NodeId) -> Option<Subject> {
    let node = &step.nodes[id];
    let group = match node.op {
        Op::Input(_) | Op::State(_) | Op::Full(_) | Op::Reshape | Op::Detach => return None,
        // Their operands name rows and pixels.
        Op::GatherRows | Op::Translate { .. } => return None,
        Op::Conv2d(_) | Op::ConvTranspose2d(_) | Op::Conv2dWeightGrad(_) => Group::Contractions,
        _ if per(&node.op).is_some() => Group::Norms,
        _ => Group::Pointwise,
    };
    let bytes = step.bytes(id);
    if group != Group::Contractions && bytes < SMALL {
        return None;
    }
    let operands = node.operands.iter().map(|&operand| size(step.nodes[operand].shape));
    let mut name = [node.op.name().to_owned()].into_iter().chain(operands).collect::<Vec<_>>().join(" ");
    match per(&node.op) {
        Some(Per::Batch) => name.push_str(" per batch"),
        Some(Per::Instance) => name.push_str(" per instance"),
        None => {}
    }
    let contraction = contraction(step, id);
    if let Some(Contraction { geometry: g, .. }) = &contraction {
        name.push_str(&format!(" s{} p{}", g.stride[0], g.padding[0]));
    }
    name.push_str(&format!(" -> {}", size(node.shape)));
    Some(Subject { flops: step.flops(id), bytes, contraction, ..Subject::new(group, name, "") })
}

fn size(shape: Shape) -> String {
    shape.0.map(|extent| extent.to_string()).join("x")
}

fn contraction(step: &Step, id: NodeId) -> Option<Contraction> {
    let node = &step.nodes[id];
    let shape = |index: usize| step.nodes[node.operands[index]].shape;
    let (geometry, weight) = match node.op {
        Op::Conv2d(g) | Op::ConvTranspose2d(g) => (g, shape(1)),
        Op::Conv2dWeightGrad(g) => (g, node.shape),
        _ => return None,
    };
    let [_, _, inputs, outputs] = weight.0;
    Some(Contraction { op: node.op.name().into(), batch: shape(0).0[0], geometry, inputs, outputs })
}

/// A step of nothing but this node. Its operands lie in state buffer 0, one after another; nobody reads the result, so that nothing
/// is copied and the memory of one is that of all.
fn alone(step: &Step, id: NodeId) -> Step {
    let node = &step.nodes[id];
    let mut buffer = StateBuffer::default();
    let mut nodes: Vec<Node> = Vec::new();
    for &operand in &node.operands {
        let shape = step.nodes[operand].shape;
        let slot = Slot { buffer: 0, offset: buffer.len };
        buffer.push("", shape);
        nodes.push(Node { op: Op::State(slot), operands: vec![], shape });
    }
    nodes.push(Node { operands: (0..node.operands.len()).collect(), ..node.clone() });
    Step { name: node.op.name().into(), nodes, outputs: vec![], updates: vec![] }
}

/// The state buffer that holds the operands of whichever of these steps runs, each of one operation.
pub fn buffer<'s>(steps: impl IntoIterator<Item = &'s Step>) -> StateBuffer {
    let len = |step: &Step| {
        let operands = &step.nodes[..step.nodes.len() - 1];
        let mut buffer = StateBuffer::default();
        for node in operands {
            buffer.push("", node.shape);
        }
        buffer.len
    };
    StateBuffer { tensors: vec![], len: steps.into_iter().map(len).max().unwrap_or(0) }
}

/// Every way `gpu` can compute an operation, the one it would take first: contractions by every kernel that may suit them,
/// everything else by its own.
///
/// # Errors
/// If a tensor is larger than the device can bind.
pub fn candidates(
    gpu: &Gpu,
    operation: &Operation,
    buffers: &[StateBuffer],
) -> Result<Vec<(Subject, Program)>> {
    let step = &operation.step;
    let own = gpu.target();
    let Some(contraction) = lower::Contraction::of(step, step.nodes.len() - 1) else {
        let program = lower::lower(step, buffers, own)?;
        let subject = Subject { variant: kernels(&program), ..operation.subject.clone() };
        return Ok(vec![(Subject { chosen: true, ..subject }, program)]);
    };
    let settled = own.resolved(&[contraction]).get(&contraction);
    let mut variants = lower::candidates(&contraction, own);
    variants.sort_by_key(|variant| Some(*variant) != settled);
    let program = |variant: lower::Variant| {
        let mut target = own.clone();
        target.choices.set(contraction, variant);
        let chosen = Some(variant) == settled;
        let subject = Subject { variant: variant.to_string(), chosen, ..operation.subject.clone() };
        Ok((subject, lower::lower(step, buffers, &target)?))
    };
    variants.into_iter().map(program).collect()
}

/// The kernels of a program and how many workgroups run them.
fn kernels(program: &Program) -> String {
    let kernels = program.dispatches.iter().map(|dispatch| {
        let kernel = program.kernel(dispatch);
        let kernel = kernel.rsplit('/').next().unwrap_or(kernel);
        format!("{kernel} x{}", dispatch.workgroups.iter().product::<u32>())
    });
    kernels.collect::<Vec<_>>().join(", ")
}
