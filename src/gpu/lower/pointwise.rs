//! Expressions by themselves, sums, and operations that move pixels.

use super::call::{Call, Calls, Memory, Split};
use super::expression::{Fused, in_fours};
use super::fuse::Fusion;
use super::lanes::{cooperative, lanes};
use crate::graph::NodeId;
use crate::shape::{ConvGeometry, Shape};

/// Parts that a workgroup adds together rather than each invocation alone.
const MANY_PARTS: usize = 32;
/// Elements of a sum from which on it is made of parts, of at least half as many each.
pub const LONG_SUM: usize = 256;
/// Most partial sums of one result.
const MAX_PARTS: usize = 1024;

/// An expression by itself.
pub fn map(calls: &mut Calls<'_>, fused: &Fused, to: Memory) {
    let shape = match to {
        Memory::Node(id) => calls.shape(id),
        _ => calls.shape(fused.leaves[0]),
    };
    let vec4 = in_fours(calls, fused, shape);
    let count = shape.len() / if vec4 { 4 } else { 1 };
    let call = Call::new("pointwise/map").flag("VEC4", vec4).constant("COUNT", count);
    let call = calls.fuse(call, "EPILOGUE", fused, shape, vec4).write(to).threads(count);
    calls.push(call);
}

/// Sums the operand of `id`, computed as it is loaded, by partial sums where the sum is long; `epilogue` of it is `result`.
pub fn sum(calls: &mut Calls<'_>, fusion: &Fusion, id: NodeId, result: NodeId, epilogue: &Fused) {
    let x = calls.operand(id, 0);
    let (from, to) = (calls.shape(x), calls.shape(id));
    let parts = parts(from.len() / to.len(), to.len(), calls.target.invocations);
    let whole = Fused::value(id);
    let (load, last) = (fusion.load(x), Memory::Node(result));
    if parts == 1 {
        sum_call(calls, [&load, epilogue], [from, to], 1, last);
        return;
    }
    let partial = calls.scratch(parts * to.len());
    sum_call(calls, [&load, &whole], [from, to], parts, partial);
    add_parts(calls, &[partial], parts, last, to, epilogue);
}

/// The sum of the sums `terms`, equal in shape.
pub fn sum_of_sums(calls: &mut Calls<'_>, fusion: &Fusion, terms: &[NodeId], result: NodeId) {
    let (from, to) = (calls.shape(calls.operand(terms[0], 0)), calls.shape(result));
    let parts = parts(from.len() / to.len(), to.len(), calls.target.invocations);
    let mut partials = Vec::new();
    for &term in terms {
        let load = fusion.load(calls.operand(term, 0));
        let partial = calls.scratch(parts * to.len());
        sum_call(calls, [&load, &Fused::value(term)], [from, to], parts, partial);
        partials.push(partial);
    }
    add_parts(calls, &partials, parts, Memory::Node(result), to, &Fused::value(result));
}

/// Adds `parts` tensors of shape `to` from each of `partials`, one after another; `epilogue` of the sum is `y`.
pub fn add_parts(
    calls: &mut Calls<'_>,
    partials: &[Memory],
    parts: usize,
    y: Memory,
    to: Shape,
    epilogue: &Fused,
) {
    let vec4 = in_fours(calls, epilogue, to);
    let count = to.len() / if vec4 { 4 } else { 1 };
    let call = Call::new("reduce/parts")
        .flag("VEC4", vec4)
        .define("TERMS", partials.len())
        .constant("PARTS", parts)
        .constant("COUNT", count);
    let call = partials.iter().fold(call, |call, partial| call.read(*partial));
    let call = calls.fuse(call, "EPILOGUE", epilogue, to, vec4).write(y);
    if let (&[from], Memory::Node(id)) = (partials, y) {
        calls.splits.insert(id, Split { from, parts, epilogue: epilogue.clone() });
    }
    calls.push(if parts < MANY_PARTS || calls.target.software {
        call.threads(count)
    } else {
        let (lanes, threads) = cooperative(count);
        call.flag("COOPERATIVE", true)
            .define("LANES", lanes)
            .define("THREADS", threads)
            .workgroups(count.div_ceil(lanes))
    });
}

/// Into how many parts a sum of `summed` elements for each of `results` is cut to keep a device busy.
pub fn parts(summed: usize, results: usize, invocations: usize) -> usize {
    if summed < LONG_SUM {
        return 1;
    }
    (invocations / results)
        .clamp(1, MAX_PARTS)
        .max(summed.div_ceil(4096))
        .min(summed / (LONG_SUM / 2))
        .min(MAX_PARTS)
}

fn sum_call(
    calls: &mut Calls<'_>,
    [load, epilogue]: [&Fused; 2],
    [from, to]: [Shape; 2],
    parts: usize,
    y: Memory,
) {
    let kept = from.channels() == to.channels();
    let vec4 = kept && from.channels().is_multiple_of(4);
    let step = if vec4 { 4 } else { 1 };
    let [_, h, w, c] = from.0;
    let strides = [h * w * c / step, w * c / step, c / step, 1];
    let extent = |axis: usize, summed: bool| {
        let lanes = if axis == 3 { from.0[3] / step } else { from.0[axis] };
        if (to.0[axis] == 1 && from.0[axis] != 1) == summed { lanes } else { 1 }
    };
    let results = to.len() / step;
    let call = Call::new("reduce/sum")
        .flag("VEC4", vec4)
        .constant("PARTS", parts)
        .constant("KEPT", results)
        .constant("SUMMED", from.len() / to.len())
        .constant("K1", extent(1, false))
        .constant("K2", extent(2, false))
        .constant("K3", extent(3, false))
        .constant("R1", extent(1, true))
        .constant("R2", extent(2, true))
        .constant("R3", extent(3, true))
        .constant("S0", strides[0])
        .constant("S1", strides[1])
        .constant("S2", strides[2])
        .constant("S3", strides[3]);
    let call = calls.fuse(call, "LOAD", load, from, vec4);
    let call = calls.fuse(call, "EPILOGUE", epilogue, to, vec4).write(y).threads(parts * results);
    calls.push(call);
}

/// The extents every spatial kernel reads, those of the smaller image.
fn spatial(kernel: &'static str, image: Shape, result: Shape) -> Call {
    let [_, h, w, c] = image.0;
    let (c, vec4) = lanes(c);
    let count = result.len() / if vec4 { 4 } else { 1 };
    Call::new(kernel)
        .flag("VEC4", vec4)
        .constant("COUNT", count)
        .constant("H", h)
        .constant("W", w)
        .constant("C", c)
        .threads(count)
}

pub fn reflection_pad(calls: &mut Calls<'_>, [top, _, left, _]: [usize; 4], grad: bool, id: NodeId) {
    let x = calls.operand(id, 0);
    let (small, padded, kernel) = if grad {
        (calls.shape(id), calls.shape(x), "spatial/reflection_pad_grad")
    } else {
        (calls.shape(x), calls.shape(id), "spatial/reflection_pad")
    };
    let mut call = spatial(kernel, small, calls.shape(id))
        .constant("YH", padded.0[1])
        .constant("YW", padded.0[2])
        .constant("TOP", top)
        .constant("LEFT", left);
    let mut from = Memory::Node(x);
    if grad {
        // Parts of what nobody else reads need not be added first.
        let alone = |split: &Split| split.epilogue.is_value();
        let split = if calls.is_read_beside(x, id) { None } else { calls.take_split(x, alone) };
        let parts = split.as_ref().map_or(1, |split| split.parts);
        from = split.map_or(from, |split| split.from);
        let step = if lanes(padded.channels()).1 { 4 } else { 1 };
        call = call.constant("SPLIT", parts).constant("LEN", padded.len() / step);
    }
    calls.push(call.read(from).write(Memory::Node(id)));
}

pub fn upsample(calls: &mut Calls<'_>, [fy, fx]: [usize; 2], grad: bool, id: NodeId) {
    let x = calls.operand(id, 0);
    let (small, kernel) = if grad {
        (calls.shape(id), "spatial/upsample_nearest_grad")
    } else {
        (calls.shape(x), "spatial/upsample_nearest")
    };
    calls.push(
        spatial(kernel, small, calls.shape(id))
            .constant("FY", fy)
            .constant("FX", fx)
            .read(Memory::Node(x))
            .write(Memory::Node(id)),
    );
}

pub fn blur(calls: &mut Calls<'_>, id: NodeId) {
    let (x, shape) = (calls.operand(id, 0), calls.shape(id));
    calls.push(spatial("spatial/blur", shape, shape).read(Memory::Node(x)).write(Memory::Node(id)));
}

pub fn translate(calls: &mut Calls<'_>, back: bool, id: NodeId) {
    let (x, offsets) = (calls.operand(id, 0), calls.operand(id, 1));
    calls.push(
        spatial("spatial/translate", calls.shape(id), calls.shape(id))
            .number("SIGN", if back { -1.0 } else { 1.0 })
            .read(Memory::Node(x))
            .read(Memory::Node(offsets))
            .write(Memory::Node(id)),
    );
}

pub fn max_pool(calls: &mut Calls<'_>, kernel: &'static str, g: &ConvGeometry, id: NodeId) {
    let [x, other] = [0, 1].map(|index| calls.operand(id, index));
    calls.push(
        spatial(kernel, calls.shape(x), calls.shape(id))
            .constant("YH", g.small[0])
            .constant("YW", g.small[1])
            .constant("KERNEL_H", g.kernel[0])
            .constant("KERNEL_W", g.kernel[1])
            .constant("STRIDE_H", g.stride[0])
            .constant("STRIDE_W", g.stride[1])
            .constant("PADDING_H", g.padding[0])
            .constant("PADDING_W", g.padding[1])
            .read(Memory::Node(x))
            .read(Memory::Node(other))
            .write(Memory::Node(id)),
    );
}

pub fn gather_rows(calls: &mut Calls<'_>, id: NodeId) {
    let [a, b, rows] = [0, 1, 2].map(|index| calls.operand(id, index));
    let shape = calls.shape(id);
    calls.push(
        Call::new("rows/gather")
            .constant("LEN", shape.len() / shape.0[0])
            .constant("COUNT", shape.len())
            .constant("A_ROWS", calls.shape(a).0[0])
            .constant("LAST", calls.shape(a).0[0] + calls.shape(b).0[0] - 1)
            .read(Memory::Node(a))
            .read(Memory::Node(b))
            .read(Memory::Node(rows))
            .write(Memory::Node(id))
            .threads(shape.len()),
    );
}
