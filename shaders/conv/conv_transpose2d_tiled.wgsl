// Transposed convolution, also a convolution's gradient to its input, by phases (lib/phase.wgsl), each an implicit matrix
// product: rows are pixels of one phase of y, columns its channels, and the contraction runs over (ty, tx, o).
// Equation: y[n, a*s+ky-p, b*s+kx-p, i] += x[n,a,b,o] * w[ky,kx,i,o], over all a,b,ky,kx,o
// Reference: reference/contraction/mod.rs `conv_transpose2d`.
// Layout: x NHWC (O channels), w HWIO, y [SPLIT_K] x NHWC (I channels); reduce/parts.wgsl adds the parts in order.
// One workgroup: TILE_M x TILE_N results of one phase, which is the tile's layer, and one part, through workgroup memory
//     (lib/tile.wgsl).
// Text: XVEC (x and w as vec4: O divides by 4), VEC4 (y as vec4: I does), lib/tile.wgsl, lib/store.wgsl.
// Constants: lib/conv.wgsl, lib/tile.wgsl.
#import lib/input
#import lib/lane
#import lib/conv
#import lib/phase
#import lib/place
#define A_ALONG_K 1
#define A_H SMALL_H
#define A_W SMALL_W
#define A_C O
#define B_ALONG_K 1
#if XVEC
#define B_VEC 1
#end
#define B w

@group(0) @binding(0) var<storage, read> x: array<stored_input>;
@group(0) @binding(1) var<storage, read> w: array<stored_input>;

// This workgroup's phase.
var<private> vertical: Phase;
var<private> horizontal: Phase;

fn vertical_of(layer: u32) -> Phase {
    return phase(layer / STRIDE_W, STRIDE_H, PAD_H, KERNEL_H, LARGE_H);
}

fn horizontal_of(layer: u32) -> Phase {
    return phase(layer % STRIDE_W, STRIDE_W, PAD_W, KERNEL_W, LARGE_W);
}

fn begin(layer: u32) {
    vertical = vertical_of(layer);
    horizontal = horizontal_of(layer);
}

// Taps along a row. Where the stride divides the kernel they are as many in every phase: a division by a constant.
fn taps_x() -> u32 {
    return max(select(horizontal.taps, KERNEL_W / STRIDE_W, KERNEL_W % STRIDE_W == 0u), 1u);
}

fn rows() -> u32 {
    return BATCH * vertical.count * horizontal.count;
}

fn columns() -> u32 {
    return I;
}

fn depth() -> u32 {
    return vertical.taps * horizontal.taps * O;
}

fn depth_of(layer: u32) -> u32 {
    return vertical_of(layer).taps * horizontal_of(layer).taps * O;
}

fn pixel(index: u32) -> Place {
    let image = index / (vertical.count * horizontal.count);
    let row = vertical.start + index / horizontal.count % vertical.count;
    return place(image * SMALL_H, row, horizontal.start + index % horizontal.count, image < BATCH);
}

fn tap(index: u32) -> Place {
    let tap = index / O;
    return place(index % O, 0u - tap / taps_x(), 0u - tap % taps_x(), index < depth());
}

fn b_at(k: u32, n: u32) -> u32 {
    let tap = k / O;
    let ky = vertical.residue + tap / taps_x() * STRIDE_H;
    let kx = horizontal.residue + tap % taps_x() * STRIDE_W;
    return ((ky * KERNEL_W + kx) * I + n) * O + k % O;
}

fn result_at(m: u32) -> u32 {
    let image = m / (vertical.count * horizontal.count);
    let line = vertical.first + m / horizontal.count % vertical.count * STRIDE_H;
    let column = horizontal.first + m % horizontal.count * STRIDE_W;
    return ((image * LARGE_H + line) * LARGE_W + column) * I;
}

#import lib/tile
