//! The three contractions: which kernel, which tile, into how many parts.

use super::call::{Call, Calls, Memory};
use super::expression::Fused;
use super::pointwise::{lanes, sum_parts};
use crate::graph::NodeId;
use crate::shape::{ConvGeometry, Shape};

/// Side of the tile in `lib/tile.wgsl`, and the slice of the contraction it stages.
const TILE: usize = 64;
const SLICE: usize = 16;

/// Fewest result channels for which a 64-wide tile is not mostly empty.
const WIDE: usize = 16;

/// The constants of `lib/conv.wgsl`.
fn geometry(call: Call, g: &ConvGeometry, batch: usize, i: usize, o: usize) -> Call {
    call.constant("BATCH", batch)
        .constant("LARGE_H", g.large[0])
        .constant("LARGE_W", g.large[1])
        .constant("SMALL_H", g.small[0])
        .constant("SMALL_W", g.small[1])
        .constant("KERNEL_H", g.kernel[0])
        .constant("KERNEL_W", g.kernel[1])
        .constant("STRIDE_H", g.stride[0])
        .constant("STRIDE_W", g.stride[1])
        .constant("PAD_H", g.padding[0])
        .constant("PAD_W", g.padding[1])
        .constant("I", i)
        .constant("O", o)
}

/// The largest of `tiles` (rows, lanes) whose grid still has `invocations`, else the last.
fn register_tile(rows: usize, lanes: usize, invocations: usize, tiles: &[[usize; 2]]) -> [usize; 2] {
    let fits = |[tm, tn]: &&[usize; 2]| rows.div_ceil(*tm) * lanes.div_ceil(*tn) >= invocations;
    let [tm, tn] = *tiles.iter().find(fits).unwrap_or(&tiles[tiles.len() - 1]);
    [tm, tn.min(lanes)]
}

pub fn conv2d(calls: &mut Calls<'_>, g: &ConvGeometry, id: NodeId, result: NodeId, epilogue: &Fused) {
    let (x, w) = (calls.operand(id, 0), calls.operand(id, 1));
    let [kernel_h, kernel_w, i, o] = calls.shape(w).0;
    let batch = calls.shape(x).0[0];
    let pixels = batch * g.small[0] * g.small[1];
    let (lanes, vec4) = lanes(o);
    let tiled = !calls.target.software && o >= WIDE && pixels >= TILE;
    debug_assert_eq!(g.kernel, [kernel_h, kernel_w]);
    let call = Call::new(if tiled { "conv/conv2d_tiled" } else { "conv/conv2d_direct" });
    let call = geometry(call, g, batch, i, o).flag("XVEC", i.is_multiple_of(4)).flag("VEC4", vec4);
    let call = if tiled {
        call.workgroups(pixels.div_ceil(TILE) * o.div_ceil(TILE))
    } else {
        let tiles = [[8, 4], [4, 4], [4, 2], [2, 2], [2, 1], [1, 1]];
        let [tm, tn] = register_tile(pixels, lanes, calls.target.invocations, &tiles);
        call.define("TM", tm).define("TN", tn).threads(pixels.div_ceil(tm) * lanes.div_ceil(tn))
    };
    finish(calls, call, [x, w], result, epilogue, vec4);
}

pub fn conv_transpose2d(
    calls: &mut Calls<'_>,
    g: &ConvGeometry,
    id: NodeId,
    result: NodeId,
    epilogue: &Fused,
) {
    let (x, w) = (calls.operand(id, 0), calls.operand(id, 1));
    let [_, _, i, o] = calls.shape(w).0;
    let batch = calls.shape(x).0[0];
    let phases = g.stride[0] * g.stride[1];
    // Pixels of the largest phase.
    let pixels = batch * g.large[0].div_ceil(g.stride[0]) * g.large[1].div_ceil(g.stride[1]);
    let tiled = !calls.target.software && i >= WIDE && pixels >= TILE;
    let call = Call::new(if tiled { "conv/conv_transpose2d_tiled" } else { "conv/conv_transpose2d_direct" });
    let call = geometry(call, g, batch, i, o).flag("XVEC", o.is_multiple_of(4)).constant("PIXELS", pixels);
    let call = if tiled {
        call.flag("VEC4", i.is_multiple_of(4)).workgroups(pixels.div_ceil(TILE) * i.div_ceil(TILE) * phases)
    } else {
        let tiles = [[8, 16], [4, 16], [4, 8], [4, 4], [2, 2], [1, 1]];
        let [tm, tn] = register_tile(pixels * phases, i, calls.target.invocations, &tiles);
        call.define("TM", tm).define("TN", tn).threads(pixels.div_ceil(tm) * i.div_ceil(tn) * phases)
    };
    finish(calls, call, [x, w], result, epilogue, tiled && i.is_multiple_of(4));
}

/// Adds what the two share: operands, and the result with what is fused behind.
fn finish(
    calls: &mut Calls<'_>,
    call: Call,
    [x, w]: [NodeId; 2],
    result: NodeId,
    epilogue: &Fused,
    vec4: bool,
) {
    let call = call.read(Memory::Node(x)).read(Memory::Node(w));
    let call = calls.fuse(call, "EPILOGUE", epilogue, calls.shape(result), vec4);
    calls.push(call.write(Memory::Node(result)));
}

/// The sum of the gradients `terms`, equal in shape, of one weight.
pub fn weight_grad(calls: &mut Calls<'_>, g: &ConvGeometry, terms: &[NodeId], id: NodeId) {
    let (x, len) = (calls.operand(terms[0], 0), calls.shape(id).len());
    let (call, parts) = weight_grad_call(calls, g, calls.shape(x).0[0], calls.shape(id));
    let direct = parts == 1 && terms.len() == 1;
    let mut partials = Vec::new();
    for &term in terms {
        let partial = if direct { Memory::Node(id) } else { calls.scratch(parts * len) };
        let operands = [0, 1].map(|index| Memory::Node(calls.operand(term, index)));
        calls.push(call.clone().read(operands[0]).read(operands[1]).write(partial));
        partials.push(partial);
    }
    if !direct {
        sum_parts(calls, &partials, parts, Memory::Node(id), len);
    }
}

/// The call without its memory, and into how many parts it cuts the gradient.
fn weight_grad_call(calls: &Calls<'_>, g: &ConvGeometry, batch: usize, weight: Shape) -> (Call, usize) {
    let [_, _, i, o] = weight.0;
    let (o_lanes, vec4) = lanes(o);
    let (i_lanes, xvec) = lanes(i);
    let invocations = calls.target.invocations;
    let tiled = !calls.target.software && o >= WIDE;
    let call =
        Call::new(if tiled { "conv/conv2d_weight_grad_tiled" } else { "conv/conv2d_weight_grad_direct" });
    let call = geometry(call, g, batch, i, o).flag("XVEC", xvec).flag("VEC4", vec4);
    if tiled {
        let pixels = batch * g.small[0] * g.small[1];
        let tiles = [(g.taps() * i).div_ceil(TILE), o.div_ceil(TILE)];
        // A workgroup is 256 invocations; a part should still be worth its reduction.
        let wanted = (invocations / 256).div_ceil(tiles[0] * tiles[1]);
        let share = pixels.div_ceil(wanted).next_multiple_of(SLICE).max(4 * SLICE);
        let parts = pixels.div_ceil(share);
        let call = call.constant("PARTS", parts).constant("SHARE", share);
        (call.workgroups(tiles[0] * tiles[1] * parts), parts)
    } else {
        let rows = batch * g.small[0];
        let [tm, tn] = if xvec { [2, 4] } else { [4, 4] };
        let (tm, tn) = (tm.min(i_lanes), tn.min(o_lanes));
        let tiles = g.taps() * i_lanes.div_ceil(tm) * o_lanes.div_ceil(tn);
        let parts = invocations.div_ceil(tiles).min(rows);
        (call.constant("PARTS", parts).define("TM", tm).define("TN", tn).threads(tiles * parts), parts)
    }
}
