// Convolution into few channels, such as an image's three or a discriminator's one.
// Equation: y[n,y,x,o] = sum over ky,kx,i of x[n, y*s+ky-p, x*s+kx-p, i] * w[ky,kx,i,o]
// Reference: reference/contraction/mod.rs `conv2d`.
// Layout: x NHWC, w HWIO, y NHWC; I divides by 4.
// One invocation: P pixels of a row x all channels, over every LANES-th four of channels (lib/narrow.wgsl).
// Text: VEC4 (y as vec4: O divides by 4), MIRRORED (x continued by mirroring it about its border pixels), lib/narrow.wgsl,
//     lib/store.wgsl.
// Constants: lib/conv.wgsl, lib/narrow.wgsl.
#import lib/operand
#import lib/conv
#import lib/store
#define A_LINES (BATCH*LARGE_H)
#define A_WIDTH LARGE_W
#define C_FOURS (I/4u)
#define PIXEL_STEP STRIDE_W

@group(0) @binding(0) var<storage, read> x: array<stored4>;
@group(0) @binding(1) var<storage, read> w: array<stored4>;

fn begin(layer: u32) {
}

fn lines() -> u32 {
    return BATCH * SMALL_H;
}

fn width() -> u32 {
    return SMALL_W;
}

fn depth_y() -> u32 {
    return KERNEL_H;
}

fn there_x(tx: u32) -> bool {
    return true;
}

// A row above or left of the image wraps round to a number larger than any extent.
fn line_of(row: u32, ty: u32) -> u32 {
    let line = row % SMALL_H * STRIDE_H + ty - PAD_H;
#if MIRRORED
    return select(${A_LINES}, row / SMALL_H * SOURCE_H + mirror(line, TOP, SOURCE_H), line < LARGE_H);
#else
    return select(${A_LINES}, row / SMALL_H * LARGE_H + line, line < LARGE_H);
#end
}

fn first(column: u32) -> u32 {
    return column * STRIDE_W - PAD_W;
}

fn w_at(ty: u32, tx: u32, c: u32, n: u32) -> u32 {
    return ((ty * KERNEL_W + tx) * ${C_FOURS} + c) * O + n;
}

fn result_at(row: u32, column: u32) -> u32 {
    return (row * SMALL_W + column) * O;
}

#import lib/narrow
