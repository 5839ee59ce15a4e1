// Convolution as an implicit matrix product: rows are pixels of y, columns output channels, and the contraction runs over
// (ky, kx, i).
// Equation: y[n,y,x,o] = sum over ky,kx,i of x[n, y*s+ky-p, x*s+kx-p, i] * w[ky,kx,i,o]
// Reference: reference/contraction/mod.rs `conv2d`.
// Layout: x NHWC, w HWIO, y [SPLIT_K] x NHWC; reduce/parts.wgsl adds the parts in order.
// One workgroup: TILE_M x TILE_N results of one part, through workgroup memory (lib/tile.wgsl).
// Text: XVEC (x as vec4: I divides by 4), VEC4 (w and y as vec4: O does), lib/tile.wgsl, lib/store.wgsl,
//     MIRRORED (x continued by mirroring it about its border pixels).
// Constants: lib/conv.wgsl, lib/tile.wgsl.
#import lib/input
#import lib/lane
#import lib/window
#define A_ALONG_K 1
#if VEC4
#define B_VEC 1
#end
#define B w

@group(0) @binding(0) var<storage, read> x: array<stored_input>;
@group(0) @binding(1) var<storage, read> w: array<stored_lane>;

fn begin(layer: u32) {
}

fn rows() -> u32 {
    return BATCH * SMALL_H * SMALL_W;
}

fn columns() -> u32 {
    return O;
}

fn depth() -> u32 {
    return KERNEL_H * KERNEL_W * I;
}

fn depth_of(layer: u32) -> u32 {
    return depth();
}

fn b_at(k: u32, n: u32) -> u32 {
    return k * O + n;
}

fn result_at(m: u32) -> u32 {
    return m * O;
}

#import lib/tile
