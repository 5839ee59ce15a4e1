//! Pointwise functions, sums, and operations that move pixels.

use super::call::{Call, Calls, Memory};
use crate::graph::{Binary, NodeId, Unary};
use crate::shape::Shape;

/// Elements one invocation adds up before partial sums are worth it.
const LONG_SUM: usize = 128;
/// Most partial sums of one result.
const MAX_PARTS: usize = 1024;

/// Lanes along the channels: how many, and whether they are fours.
pub fn lanes(channels: usize) -> (usize, bool) {
    if channels.is_multiple_of(4) { (channels / 4, true) } else { (channels, false) }
}

pub fn unary(calls: &mut Calls<'_>, unary: Unary, x: Memory, y: Memory) {
    let len = calls.len(y);
    let (count, vec4) = lanes(len);
    let call = Call::new("pointwise/unary").flag("VEC4", vec4).constant("COUNT", count);
    let call = match unary {
        Unary::Affine { scale, offset } => {
            call.define("F", "affine").number("SCALE", scale).number("OFFSET", offset)
        }
        Unary::LeakyRelu { slope } => call.define("F", "leaky_relu").number("ACT_SLOPE", slope),
        Unary::Tanh => call.define("F", "tanh_bounded"),
        Unary::Sigmoid => call.define("F", "sigmoid"),
        Unary::Softplus => call.define("F", "softplus"),
        Unary::Square => call.define("F", "square"),
        Unary::Abs => call.define("F", "abs"),
    };
    calls.push(call.read(x).write(y).threads(count));
}

pub fn binary(calls: &mut Calls<'_>, binary: Binary, id: NodeId) {
    let (a, b) = (calls.operand(id, 0), calls.operand(id, 1));
    let (shape, sa, sb) = (calls.shape(id), calls.shape(a), calls.shape(b));
    let same = sa == sb;
    let channels = if same { shape.len() } else { shape.channels() };
    let whole = sa.channels() == sb.channels();
    let (width, vec4) = if whole { lanes(channels) } else { (channels, false) };
    let step = if vec4 { 4 } else { 1 };
    let count = shape.len() / step;
    let mut call =
        Call::new("pointwise/binary").flag("VEC4", vec4).flag("BROADCAST", !same).constant("COUNT", count);
    call = match binary {
        Binary::Add => call.define("F", "add"),
        Binary::Sub => call.define("F", "sub"),
        Binary::Mul => call.define("F", "mul"),
        Binary::LeakyReluGrad { slope } => call.define("F", "leaky_relu_grad").number("SLOPE", slope),
        Binary::TanhGrad => call.define("F", "tanh_grad"),
        Binary::SigmoidGrad => call.define("F", "sigmoid_grad"),
        Binary::AbsGrad => call.define("F", "abs_grad"),
    };
    if !same {
        let [_, h, w, _] = shape.0;
        call = call.constant("H", h).constant("W", w).constant("C", width);
        let names = [["A0", "A1", "A2", "A3"], ["B0", "B1", "B2", "B3"]];
        for (names, operand) in names.iter().zip([sa, sb]) {
            for (axis, (name, stride)) in names.iter().zip(operand.broadcast_strides()).enumerate() {
                call = call.constant(name, if axis < 3 { stride / step } else { stride });
            }
        }
    }
    calls.push(call.read(Memory::Node(a)).read(Memory::Node(b)).write(Memory::Node(id)).threads(count));
}

pub fn broadcast(calls: &mut Calls<'_>, id: NodeId) {
    let x = calls.operand(id, 0);
    let [_, h, w, c] = calls.shape(id).0;
    let [s0, s1, s2, s3] = calls.shape(x).broadcast_strides();
    let count = calls.shape(id).len();
    calls.push(
        Call::new("pointwise/broadcast")
            .constant("COUNT", count)
            .constant("H", h)
            .constant("W", w)
            .constant("C", c)
            .constant("X0", s0)
            .constant("X1", s1)
            .constant("X2", s2)
            .constant("X3", s3)
            .read(Memory::Node(x))
            .write(Memory::Node(id))
            .threads(count),
    );
}

pub fn sum(calls: &mut Calls<'_>, id: NodeId) {
    let x = calls.operand(id, 0);
    let (from, to) = (calls.shape(x), calls.shape(id));
    sum_axes(calls, Memory::Node(x), from, Memory::Node(id), to);
}

/// Sums `x` of shape `from` to shape `to`, by partial sums where the sum is long.
pub fn sum_axes(calls: &mut Calls<'_>, x: Memory, from: Shape, y: Memory, to: Shape) {
    let summed = from.len() / to.len();
    let parts = parts(summed, to.len(), calls.target.invocations);
    if parts == 1 {
        calls.push(sum_call(x, from, to, 1).write(y));
        return;
    }
    let partial = calls.scratch(parts * to.len());
    calls.push(sum_call(x, from, to, parts).write(partial));
    sum_parts(calls, partial, parts, y, to.len());
}

/// Adds `parts` runs of `len` numbers each.
pub fn sum_parts(calls: &mut Calls<'_>, partial: Memory, parts: usize, y: Memory, len: usize) {
    calls.push(sum_call(partial, Shape([parts, 1, 1, len]), Shape([1, 1, 1, len]), 1).write(y));
}

/// Into how many parts a sum of `summed` elements for each of `results` is cut to keep a device busy.
pub fn parts(summed: usize, results: usize, invocations: usize) -> usize {
    if summed < 2 * LONG_SUM {
        return 1;
    }
    (invocations / results)
        .clamp(1, MAX_PARTS)
        .max(summed.div_ceil(4096))
        .min(summed / LONG_SUM)
        .min(MAX_PARTS)
}

fn sum_call(x: Memory, from: Shape, to: Shape, parts: usize) -> Call {
    let kept = from.channels() == to.channels();
    let vec4 = kept && from.channels().is_multiple_of(4);
    let step = if vec4 { 4 } else { 1 };
    let [n, h, w, c] = from.0;
    let strides = [h * w * c / step, w * c / step, c / step, 1];
    let extent = |axis: usize, summed: bool| {
        let lanes = if axis == 3 { from.0[3] / step } else { from.0[axis] };
        if (to.0[axis] == 1 && from.0[axis] != 1) == summed { lanes } else { 1 }
    };
    let results = to.len() / step;
    debug_assert_eq!(n * h * w * c, from.len());
    Call::new("reduce/sum")
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
        .constant("S3", strides[3])
        .read(x)
        .threads(parts * results)
}

/// The extents every spatial kernel reads, those of the smaller picture.
fn spatial(kernel: &'static str, picture: Shape, result: Shape) -> Call {
    let [_, h, w, c] = picture.0;
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
    calls.push(
        spatial(kernel, small, calls.shape(id))
            .constant("YH", padded.0[1])
            .constant("YW", padded.0[2])
            .constant("TOP", top)
            .constant("LEFT", left)
            .read(Memory::Node(x))
            .write(Memory::Node(id)),
    );
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

pub fn shift(calls: &mut Calls<'_>, back: bool, id: NodeId) {
    let (x, offsets) = (calls.operand(id, 0), calls.operand(id, 1));
    calls.push(
        spatial("spatial/shift", calls.shape(id), calls.shape(id))
            .number("SIGN", if back { -1.0 } else { 1.0 })
            .read(Memory::Node(x))
            .read(Memory::Node(offsets))
            .write(Memory::Node(id)),
    );
}

pub fn select_rows(calls: &mut Calls<'_>, id: NodeId) {
    let [a, b, rows] = [0, 1, 2].map(|index| calls.operand(id, index));
    let shape = calls.shape(id);
    calls.push(
        Call::new("rows/select")
            .constant("LEN", shape.len() / shape.0[0])
            .constant("COUNT", shape.len())
            .constant("A_ROWS", calls.shape(a).0[0])
            .read(Memory::Node(a))
            .read(Memory::Node(b))
            .read(Memory::Node(rows))
            .write(Memory::Node(id))
            .threads(shape.len()),
    );
}
