// A convolution's gradient to its weights as an implicit matrix product: rows are (ky, kx, i), columns o, and the contraction
// runs over the pixels of gy.
// Equation: y[ky,kx,i,o] = sum over n,a,b of x[n, a*s+ky-p, b*s+kx-p, i] * gy[n,a,b,o]
// Reference: reference/contraction/weight_grad.rs `conv2d_weight_grad`.
// Layout: x NHWC, gy NHWC, y [SPLIT_K] x HWIO; reduce/parts.wgsl adds the parts in order.
// One workgroup: TILE_M x TILE_N results of one part, through workgroup memory (lib/tile.wgsl).
// Text: XVEC (x as vec4: I divides by 4), VEC4 (gy and y as vec4: O does), lib/tile.wgsl, lib/store.wgsl,
//     MIRRORED (x continued by mirroring it about its border pixels).
// Constants: lib/conv.wgsl, lib/tile.wgsl.
#import lib/input
#import lib/lane
#import lib/window
#if VEC4
#define B_VEC 1
#end
#define B gy

@group(0) @binding(0) var<storage, read> x: array<stored_input>;
@group(0) @binding(1) var<storage, read> gy: array<stored_lane>;

fn begin(layer: u32) {
}

fn rows() -> u32 {
    return KERNEL_H * KERNEL_W * I;
}

fn columns() -> u32 {
    return O;
}

fn depth() -> u32 {
    return BATCH * SMALL_H * SMALL_W;
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
