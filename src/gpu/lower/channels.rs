//! Channels put together and taken apart.

use super::call::{Call, Calls, Memory};
use crate::graph::NodeId;

pub fn concat(calls: &mut Calls<'_>, id: NodeId) {
    let [x, z] = [0, 1].map(|index| calls.operand(id, index));
    let (a, b) = (calls.shape(x).channels(), calls.shape(z).channels());
    let vec4 = a.is_multiple_of(4) && b.is_multiple_of(4);
    let step = if vec4 { 4 } else { 1 };
    let count = calls.shape(id).len() / step;
    calls.push(
        Call::new("channels/concat")
            .flag("VEC4", vec4)
            .constant("COUNT", count)
            .constant("A", a / step)
            .constant("B", b / step)
            .read(Memory::Node(x))
            .read(Memory::Node(z))
            .write(Memory::Node(id))
            .threads(count),
    );
}

pub fn slice(calls: &mut Calls<'_>, from: usize, grad: bool, id: NodeId) {
    let x = calls.operand(id, 0);
    let channels = [calls.shape(x).channels(), calls.shape(id).channels()];
    let vec4 = channels.iter().chain([&from]).all(|count| count.is_multiple_of(4));
    let step = if vec4 { 4 } else { 1 };
    let (count, from) = (calls.shape(id).len() / step, from / step);
    let (skipped, zeros) = if grad { (0, from) } else { (from, 0) };
    calls.push(
        Call::new("channels/slice")
            .flag("VEC4", vec4)
            .constant("COUNT", count)
            .constant("X", channels[0] / step)
            .constant("Y", channels[1] / step)
            .constant("SKIPPED", skipped)
            .constant("ZEROS", zeros)
            .read(Memory::Node(x))
            .write(Memory::Node(id))
            .threads(count),
    );
}
