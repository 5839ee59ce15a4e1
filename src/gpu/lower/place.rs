//! Where every value lives, and the finished program.

use super::call::{Call, Calls, Memory};
use super::merge::{Spot, merge};
use super::pool::pool;
use super::schedule::{Touched, in_levels};
use super::write::Writer;
use crate::Result;
use crate::gpu::program::{Buffer, Crossing, Program, Region};
use crate::graph::{Node, NodeId, Op, Slot, StateBuffer, Step, Update};
use crate::shape::Shape;
use std::collections::HashMap;

/// Gives every value a place and writes the calls down as a program. The first `nodes` calls compute nodes, the rest
/// are changes of state; what is `stored` is computed where its state buffer has it.
pub fn place(
    step: &Step,
    mut calls: Calls<'_>,
    nodes: usize,
    stored: &Stored,
    state_buffers: &[StateBuffer],
) -> Result<Program> {
    let mut fixed = given(step);
    fixed.extend(stored);
    let results = keep_results(step, &calls, &mut fixed);
    let levels = schedule(step, &mut calls, nodes, &fixed);
    let spot = |memory: Memory| match memory {
        Memory::State(slot, len) => Spot::Fixed(state(slot, len)),
        Memory::Scratch(index) => Spot::Pooled(memory, calls.scratch[index]),
        Memory::Node(id) => {
            let source = step.source(id);
            let pooled = || Spot::Pooled(Memory::Node(source), step.nodes[source].shape.len());
            fixed.get(&source).map_or_else(pooled, |&region| Spot::Fixed(region))
        }
    };
    let (groups, bundles) = merge(&calls.list, &levels, calls.target.max_binding, spot);
    let pooled = pool(&calls.list, &levels, &bundles, spot);
    let region = |memory: Memory| match spot(memory) {
        Spot::Fixed(region) => region,
        Spot::Pooled(value, _) => pooled.region(value),
    };
    // What has no shape counts as a vector.
    let shape = |memory: Memory| match memory {
        Memory::Node(id) => calls.shape(id),
        Memory::Scratch(index) => Shape::vector(calls.scratch[index]),
        Memory::State(_, len) => Shape::vector(len),
    };
    let mut writer = Writer::default();
    let mut exchanges = Vec::new();
    for group in &groups {
        let members: Vec<&Call> = group.iter().map(|&at| &calls.list[at]).collect();
        let Some(exchange) = members[0].exchange else {
            writer.dispatch(&members, region, shape)?;
            continue;
        };
        let placed = |memory: Memory| (region(memory), shape(memory).len());
        let (from, to) = (members[0].binding(0), members[0].writes[0]);
        let (from, to) = (placed(from), placed(to));
        exchanges.push(Crossing { after: writer.dispatches.len(), exchange, from, to });
    }
    let inputs: Vec<(String, u64, usize)> =
        step.inputs().map(|(id, name, shape)| (name.to_owned(), fixed[&id].offset, shape.len())).collect();
    debug_assert!(state_buffers.iter().all(|state_buffer| state_buffer.len.is_multiple_of(4)));
    let outputs = step
        .outputs
        .iter()
        .map(|(name, id)| (name.clone(), region(Memory::Node(*id)), calls.shape(*id).len()))
        .collect();
    Ok(Program {
        name: step.name.clone(),
        shaders: writer.shaders,
        pipelines: writer.pipelines,
        pool: pooled.sizes,
        results,
        input_bytes: step.inputs().map(|(_, _, shape)| Region::bytes(shape.len())).sum(),
        constants: constants(step),
        inputs,
        outputs,
        dispatches: writer.dispatches,
        exchanges,
    })
}

/// Gives the results that have no place yet one each, and returns the sizes of their buffers. Those of one length share a buffer, so that
/// equal calls can make them in one dispatch; but no call may read and write within one.
fn keep_results(step: &Step, calls: &Calls<'_>, fixed: &mut HashMap<NodeId, Region>) -> Vec<u64> {
    let mut buffers: Vec<Vec<NodeId>> = Vec::new();
    for &(_, id) in &step.outputs {
        let id = step.source(id);
        if fixed.contains_key(&id) || buffers.iter().flatten().any(|&kept| kept == id) {
            continue;
        }
        let among = |list: &[Memory], ids: &[NodeId]| {
            list.iter().any(|memory| matches!(*memory, Memory::Node(of) if ids.contains(&step.source(of))))
        };
        let can_join = |kept: &&mut Vec<NodeId>| {
            let all = [&kept[..], &[id]].concat();
            let entangled = |call: &Call| among(&call.reads, &all) && among(&call.writes, &all);
            calls.shape(kept[0]).len() == calls.shape(id).len() && !calls.list.iter().any(entangled)
        };
        match buffers.iter_mut().find(can_join) {
            Some(kept) => kept.push(id),
            None => buffers.push(vec![id]),
        }
    }
    let mut sizes = Vec::new();
    for (index, kept) in buffers.iter().enumerate() {
        let size = Region::bytes(calls.shape(kept[0]).len());
        for (offset, &id) in (0..).step_by(size as usize).zip(kept) {
            fixed.insert(id, Region { buffer: Buffer::Result(index), offset, size });
        }
        sizes.push(size * kept.len() as u64);
    }
    sizes
}

fn state(slot: Slot, len: usize) -> Region {
    let size = (len as u64 * 4).next_multiple_of(16);
    Region { buffer: Buffer::State(slot.buffer), offset: slot.offset as u64 * 4, size }
}

/// Places of inputs, constants and state.
fn given(step: &Step) -> HashMap<NodeId, Region> {
    let mut fixed = HashMap::new();
    let (mut input, mut constant) = (0, 0);
    for (id, node) in step.nodes.iter().enumerate() {
        let size = Region::bytes(node.shape.len());
        let next = |buffer, at: &mut u64| {
            let offset = *at;
            *at += size;
            Region { buffer, offset, size }
        };
        let region = match node.op {
            Op::Input(_) => next(Buffer::Inputs, &mut input),
            Op::Full(_) => next(Buffer::Constants, &mut constant),
            Op::State(slot) => state(slot, node.shape.len()),
            _ => continue,
        };
        fixed.insert(id, region);
    }
    fixed
}

fn constants(step: &Step) -> Vec<f64> {
    let mut numbers = Vec::new();
    for node in &step.nodes {
        if let Op::Full(value) = node.op {
            numbers.resize(numbers.len() + Region::bytes(node.shape.len()) as usize / 4, value);
        }
    }
    numbers
}

/// Values that are computed right where a state buffer stores them, by source.
pub type Stored = HashMap<NodeId, Region>;

/// What needs no copy to be stored: values that nothing but their store keeps, whose state buffer this step neither reads as state
/// nor touches before that store. Nor may a call read one of a state buffer's values while it writes another. `calls` compute the nodes.
pub fn stored(step: &Step, calls: &[Call]) -> Stored {
    let mut stored = Stored::new();
    for (at, update) in step.updates.iter().enumerate() {
        let &Update::Store { slot, value } = update else { continue };
        let source = step.source(value);
        let region = state(slot, step.nodes[value].shape.len());
        let is_source = |id: NodeId| step.source(id) == source;
        let keepers =
            step.updates.iter().flat_map(Update::nodes).chain(step.outputs.iter().map(|&(_, id)| id));
        let touched = |earlier: &Update| match *earlier {
            Update::Store { slot, value } => state(slot, step.nodes[value].shape.len()).meets(region),
            _ => earlier.buffers().contains(&slot.buffer),
        };
        let beside = |list: &[Memory]| {
            let in_state = |id: &NodeId| stored.get(id).is_some_and(|other| other.buffer == region.buffer);
            list.iter().any(|memory| matches!(memory, Memory::Node(id) if in_state(&step.source(*id))))
        };
        // One dispatch may not read a buffer that it writes.
        let conflicts = |call: &Call| {
            let of = |list: &[Memory]| {
                list.iter().any(|memory| matches!(*memory, Memory::Node(id) if is_source(id)))
            };
            (of(&call.reads) && beside(&call.writes)) || (of(&call.writes) && beside(&call.reads))
        };
        let is_state = |node: &Node| matches!(node.op, Op::State(of) if of.buffer == slot.buffer);
        let stays = step.is_given(source)
            || keepers.filter(|&id| is_source(id)).count() > 1
            || step.nodes.iter().any(is_state)
            || step.updates[..at].iter().any(touched)
            || calls.iter().any(conflicts);
        if !stays {
            stored.insert(source, region);
        }
    }
    stored
}

/// Puts the calls in order and returns their levels.
fn schedule(
    step: &Step,
    calls: &mut Calls<'_>,
    updates: usize,
    fixed: &HashMap<NodeId, Region>,
) -> Vec<usize> {
    let nodes = step.nodes.len();
    let touched = |memory: &Memory| match *memory {
        Memory::State(slot, len) => Touched::Region(state(slot, len)),
        Memory::Scratch(index) => Touched::Value(nodes + index),
        Memory::Node(id) => {
            let source = step.source(id);
            fixed.get(&source).map_or(Touched::Value(source), |region| Touched::Region(*region))
        }
    };
    let bytes = |memory: &Memory| match (touched(memory), *memory) {
        (Touched::Region(_), _) | (_, Memory::State(..)) => 0,
        (_, Memory::Node(id)) => Region::bytes(step.nodes[id].shape.len()),
        (_, Memory::Scratch(index)) => Region::bytes(calls.scratch[index]),
    };
    let kept = |call: &Call| call.reads.iter().map(bytes).sum();
    in_levels(&mut calls.list, updates, kept, |call| {
        (call.reads.iter().map(touched).collect(), call.writes.iter().map(touched).collect())
    })
}
