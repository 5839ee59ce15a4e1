//! The three contractions: the calls that compute them.

use super::call::{Call, Calls, Memory};
use super::candidates::choose;
use super::expression::Fused;
use super::fuse::Fusion;
use super::gemm::{Contraction, GemmShape, Kind};
use super::lanes::lanes;
use super::narrow::Narrow;
use super::pointwise::add_parts;
use super::variant::{Block, Form, Matrix, MatrixUnits, Variant};
use crate::graph::{NodeId, Op};
use crate::real::Precision;
use crate::shape::{ConvGeometry, Shape};

/// The kernel of the nodes `terms`, equal in shape, whose sum is taken, with `epilogue` of it stored as `result`.
pub fn contraction(
    calls: &mut Calls<'_>,
    fusion: &Fusion,
    (kind, g): (Kind, &ConvGeometry),
    terms: &[NodeId],
    result: NodeId,
    epilogue: &Fused,
) {
    let of = found(calls, kind, g, terms[0]);
    let Variant { form, split_k } = choose(&of, calls.target);
    let shape = calls.shape(result);
    let (call, vec4) = call(&of, form, split_k, shape);
    let call = call.flag("MIXED", calls.target.precision == Precision::Mixed);
    if let ([term], 1) = (terms, split_k) {
        let call = operands(calls, fusion, call, *term);
        return calls.push(calls.fuse(call, "EPILOGUE", epilogue, shape, vec4).write(Memory::Node(result)));
    }
    // An epilogue has to wait for the sum of all parts.
    let mut partials = Vec::new();
    for &term in terms {
        let partial = calls.scratch(split_k * shape.len());
        let call = operands(calls, fusion, call.clone(), term);
        calls.push(calls.fuse(call, "EPILOGUE", &Fused::value(term), shape, vec4).write(partial));
        partials.push(partial);
    }
    add_parts(calls, &partials, split_k, Memory::Node(result), shape, epilogue);
}

fn found(calls: &Calls<'_>, kind: Kind, g: &ConvGeometry, id: NodeId) -> Contraction {
    let [a, b] = [0, 1].map(|index| calls.shape(calls.operand(id, index)));
    Contraction::new(kind, g, a, b)
}

/// The call for a result of `shape`, without its memory, and whether it stores as vec4.
fn call(of: &Contraction, form: Form, split_k: usize, shape: Shape) -> (Call, bool) {
    let vec4 = shape.channels().is_multiple_of(4);
    match form {
        // A transposed convolution straight from storage counts channels, not lanes.
        Form::Direct { rows, lanes } if of.kind == Kind::ConvTranspose2d => {
            let vec4 = vec4 && lanes.is_multiple_of(4);
            let block = if vec4 { 4 } else { 1 };
            let call = direct(of, [rows, lanes], split_k, shape.len());
            (call.define("TN", lanes / block).define("BLOCK", block).flag("VEC4", vec4), vec4)
        }
        Form::Direct { rows, lanes } => {
            let call = direct(of, [rows, lanes], split_k, shape.len());
            (call.define("TN", lanes).flag("VEC4", vec4), vec4)
        }
        Form::Tiled(tile) => {
            let call = tiled(of, tile.block(), tile.invocations(), split_k, shape.len());
            let call = call.define("QM", tile.down).define("QN", tile.across);
            (call.flag("PAIRS", tile.across > 1).flag("VEC4", vec4), vec4)
        }
        Form::Matrix(matrix) => {
            let call = tiled(of, matrix.block(), matrix.invocations(), split_k, shape.len());
            (by_matrices(call, matrix).flag("VEC4", vec4), vec4)
        }
        Form::Narrow { pixels } => (narrow(of, pixels, split_k, shape.len()).flag("VEC4", vec4), vec4),
    }
}

/// Gives a call the operands of node `id`. Of an image that is padded on the way it reads the image.
fn operands(calls: &Calls<'_>, fusion: &Fusion, call: Call, id: NodeId) -> Call {
    let [x, w] = [0, 1].map(|index| calls.operand(id, index));
    let call = match calls.step.nodes[x].op {
        Op::ReflectionPad([top, _, left, _]) if fusion.absorbed(x) => {
            let source = calls.operand(x, 0);
            let [_, h, w, _] = calls.shape(source).0;
            call.flag("MIRRORED", true)
                .constant("SOURCE_H", h)
                .constant("SOURCE_W", w)
                .constant("TOP", top)
                .constant("LEFT", left)
                .read(Memory::Node(source))
        }
        _ => call.read(Memory::Node(x)),
    };
    call.read(Memory::Node(w))
}

/// The constants of `lib/conv.wgsl`, and whether the image is read as vec4.
fn geometry(call: Call, of: &Contraction) -> Call {
    let read = if of.kind == Kind::ConvTranspose2d { of.o } else { of.i };
    let call = call.flag("XVEC", read.is_multiple_of(4));
    of.constants().into_iter().fold(call, |call, (name, value)| call.constant(name, value))
}

/// Straight from storage: `rows` x `lanes` of results an invocation; from one part to the next are `len` numbers.
fn direct(of: &Contraction, [rows, lanes_each]: [usize; 2], split_k: usize, len: usize) -> Call {
    let GemmShape { m, batch, .. } = of.gemm();
    let (i_lanes, _) = lanes(of.i);
    let (o_lanes, _) = lanes(of.o);
    let call = match of.kind {
        Kind::Conv2d => {
            let threads = m.div_ceil(rows) * o_lanes.div_ceil(lanes_each);
            Call::new("conv/conv2d_direct").threads(threads)
        }
        Kind::ConvTranspose2d => {
            let threads = m.div_ceil(rows) * of.i.div_ceil(lanes_each) * batch;
            Call::new("conv/conv_transpose2d_direct").constant("PIXELS", m).threads(threads)
        }
        Kind::WeightGrad => {
            let tiles = of.geometry.taps() * i_lanes.div_ceil(rows) * o_lanes.div_ceil(lanes_each);
            Call::new("conv/conv2d_weight_grad_direct")
                .constant("SPLIT_K", split_k)
                .constant("PART_LEN", len)
                .threads(tiles * split_k)
        }
    };
    geometry(call, of).define("TM", rows)
}

/// What `lib/matrix.wgsl` takes beside what a tile does.
fn by_matrices(call: Call, matrix: Matrix) -> Call {
    let MatrixUnits { size, subgroup: [smallest, largest] } = matrix.units;
    let [down, across] = matrix.patches();
    call.define("SIZE", size)
        .define("PATCHES_M", down)
        .define("PATCHES_N", across)
        .define("FRAGMENTS_M", matrix.patch[0] / size)
        .define("FRAGMENTS_N", matrix.patch[1] / size)
        .define("STEPS", matrix.slice / size)
        .define("SUBGROUP", smallest)
        .define("ROUNDS", largest / smallest)
        .flag("SEVERAL", largest > smallest)
}

/// A result of few channels: `pixels` of a row at a time; from one part to the next are `len` numbers.
fn narrow(of: &Contraction, pixels: usize, split_k: usize, len: usize) -> Call {
    let narrow = Narrow::new(of, pixels);
    let [lines, blocks] = narrow.grid;
    let call = match of.kind {
        Kind::Conv2d => Call::new("conv/conv2d_narrow"),
        Kind::ConvTranspose2d => Call::new("conv/conv_transpose2d_narrow"),
        Kind::WeightGrad => Call::new("conv/conv2d_weight_grad_narrow"),
    };
    let call = geometry(call, of)
        .define("P", pixels)
        .define("N", narrow.channels)
        .define("N_FOURS", narrow.channels / 4)
        .define("SPAN", narrow.span)
        .define("TAPS", narrow.taps);
    if of.kind == Kind::WeightGrad {
        let call = call.constant("SPLIT_K", split_k).constant("PART_LEN", len);
        return call.threads(narrow.threads(of) * split_k);
    }
    call.define("LANES", narrow.lanes)
        .constant("LAYERS", of.gemm().batch)
        .constant("LINES", lines)
        .constant("BLOCKS", blocks)
        .threads(narrow.threads(of))
}

/// Through workgroup memory, as `lib/tile.wgsl` has it. A workgroup has so many `invocations`; from one part to the next are `len` numbers.
fn tiled(of: &Contraction, tile: Block, invocations: usize, split_k: usize, len: usize) -> Call {
    let gemm = of.gemm();
    let [tiles_m, tiles_n] = tile.grid(&gemm);
    let call = Call::new(match of.kind {
        Kind::Conv2d => "conv/conv2d_tiled",
        Kind::ConvTranspose2d => "conv/conv_transpose2d_tiled",
        Kind::WeightGrad => "conv/conv2d_weight_grad_tiled",
    });
    geometry(call, of)
        .define("TILE_M", tile.rows)
        .define("TILE_N", tile.columns)
        .define("SLICE", tile.slice)
        .define("A_EACH", tile.staged(tile.rows, invocations))
        .define("B_EACH", tile.staged(tile.columns, invocations))
        .constant("TILES_M", tiles_m)
        .constant("TILES_N", tiles_n)
        .constant("LAYERS", gemm.batch)
        .constant("SPLIT_K", split_k)
        .constant("SHARE", tile.share(&gemm, split_k))
        .constant("PART_LEN", len)
        .workgroups(tiles_m * tiles_n * gemm.batch * split_k)
}
