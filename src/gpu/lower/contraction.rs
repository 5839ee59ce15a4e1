//! The three contractions: the calls that compute them.

use super::call::{Call, Calls, Memory};
use super::choices::choose;
use super::fuse::Epilogue;
use super::pointwise::lanes;
use super::product::{Contraction, Kind, Product};
use super::variant::{Form, Tile, Variant};
use crate::graph::NodeId;
use crate::shape::ConvGeometry;

pub fn conv2d(calls: &mut Calls<'_>, g: &ConvGeometry, id: NodeId, epilogue: &Epilogue) {
    contraction(calls, Kind::Conv2d, g, id, epilogue);
}

pub fn conv_transpose2d(calls: &mut Calls<'_>, g: &ConvGeometry, id: NodeId, epilogue: &Epilogue) {
    contraction(calls, Kind::ConvTranspose2d, g, id, epilogue);
}

pub fn weight_grad(calls: &mut Calls<'_>, g: &ConvGeometry, id: NodeId) {
    let plain = Epilogue { base: id, result: id, bias: None, activation: None };
    contraction(calls, Kind::WeightGrad, g, id, &plain);
}

fn contraction(calls: &mut Calls<'_>, kind: Kind, g: &ConvGeometry, id: NodeId, epilogue: &Epilogue) {
    let [a, b] = [0, 1].map(|index| calls.operand(id, index));
    let of = Contraction::new(kind, g, calls.shape(a), calls.shape(b));
    let len = calls.shape(id).len();
    let Variant { form, parts } = choose(&of, calls.target);
    let call = match form {
        Form::Direct { rows, lanes } => direct(&of, [rows, lanes], parts, len),
        Form::Tiled(tile) => tiled(&of, tile, parts, len),
    };
    // A transposed convolution straight from storage stores number by number.
    let fours = calls.shape(id).channels().is_multiple_of(4);
    let vec4 = fours && !(kind == Kind::ConvTranspose2d && matches!(form, Form::Direct { .. }));
    let call = call.flag("VEC4", vec4).read(Memory::Node(a)).read(Memory::Node(b));
    if parts == 1 {
        finish(calls, call, epilogue);
        return;
    }
    // An epilogue has to wait for the sum of all parts.
    let partial = calls.scratch(parts * len);
    calls.push(end(call, calls.shape(id).channels()).define("ACT", "identity").write(partial));
    let count = if fours { len / 4 } else { len };
    let sum = Call::new("reduce/parts")
        .flag("VEC4", fours)
        .constant("PARTS", parts)
        .constant("COUNT", count)
        .threads(count)
        .read(partial);
    finish(calls, sum, epilogue);
}

/// Gives `call`, which reads its own operands already, the epilogue that `lib/store.wgsl` applies and its result.
fn finish(calls: &mut Calls<'_>, call: Call, epilogue: &Epilogue) {
    let channels = calls.shape(epilogue.base).channels();
    let first = call.reads.len();
    let call = epilogue
        .activate(call)
        .flag("BIAS", epilogue.bias.is_some())
        .define("BIAS_AT", first)
        .read_if(epilogue.bias.map(Memory::Node));
    calls.push(end(call, channels).write(Memory::Node(epilogue.result)));
}

/// What `lib/store.wgsl` needs of every call.
fn end(call: Call, channels: usize) -> Call {
    let result = call.reads.len();
    call.define("Y_AT", result).constant("CHANNELS", channels)
}

/// The constants of `lib/conv.wgsl`, and whether the picture is read in fours.
fn geometry(call: Call, of: &Contraction) -> Call {
    let &Contraction { kind, geometry: g, batch, i, o } = of;
    let read = if kind == Kind::ConvTranspose2d { o } else { i };
    call.flag("XVEC", read.is_multiple_of(4))
        .constant("BATCH", batch)
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

/// Straight from storage: `rows` x `lanes` of results an invocation; from one part to the next are `len` numbers.
fn direct(of: &Contraction, [rows, lanes_each]: [usize; 2], parts: usize, len: usize) -> Call {
    let Product { rows: all, layers, .. } = of.product();
    let (i_lanes, _) = lanes(of.i);
    let (o_lanes, _) = lanes(of.o);
    let call = match of.kind {
        Kind::Conv2d => {
            let threads = all.div_ceil(rows) * o_lanes.div_ceil(lanes_each);
            Call::new("conv/conv2d_direct").threads(threads)
        }
        Kind::ConvTranspose2d => {
            let threads = all.div_ceil(rows) * of.i.div_ceil(lanes_each) * layers;
            Call::new("conv/conv_transpose2d_direct").constant("PIXELS", all).threads(threads)
        }
        Kind::WeightGrad => {
            let tiles = of.geometry.taps() * i_lanes.div_ceil(rows) * o_lanes.div_ceil(lanes_each);
            Call::new("conv/conv2d_weight_grad_direct")
                .constant("PARTS", parts)
                .constant("RESULT", len)
                .threads(tiles * parts)
        }
    };
    geometry(call, of).define("TM", rows).define("TN", lanes_each)
}

/// Through workgroup memory, as `lib/tile.wgsl` has it; from one part to the next are `len` numbers.
fn tiled(of: &Contraction, tile: Tile, parts: usize, len: usize) -> Call {
    let product = of.product();
    let [tiles_m, tiles_n] = tile.grid(&product);
    let call = Call::new(match of.kind {
        Kind::Conv2d => "conv/conv2d_tiled",
        Kind::ConvTranspose2d => "conv/conv_transpose2d_tiled",
        Kind::WeightGrad => "conv/conv2d_weight_grad_tiled",
    });
    geometry(call, of)
        .define("TILE_M", tile.rows)
        .define("TILE_N", tile.columns)
        .define("QM", tile.down)
        .define("QN", tile.across)
        .define("SLICE", tile.slice)
        .define("SLOTS", tile.slots())
        .constant("TILES_M", tiles_m)
        .constant("TILES_N", tiles_n)
        .constant("LAYERS", product.layers)
        .constant("PARTS", parts)
        .constant("SHARE", tile.share(&product, parts))
        .constant("RESULT", len)
        .workgroups(tiles_m * tiles_n * product.layers * parts)
}
