// Transposed convolution into few channels, also a convolution's gradient to an image, by phases (lib/phase.wgsl).
// Equation: y[n, a*s+ky-p, b*s+kx-p, i] += x[n,a,b,o] * w[ky,kx,i,o], over all a,b,ky,kx,o
// Reference: reference/contraction/mod.rs `conv_transpose2d`.
// Layout: x NHWC (O channels), w HWIO, y NHWC (I channels); O divides by 4.
// One invocation: P pixels of a row of one phase x all channels, over every LANES-th four of channels (lib/narrow.wgsl).
// Text: VEC4 (y as vec4: I divides by 4), lib/narrow.wgsl, lib/store.wgsl.
// Constants: lib/conv.wgsl, lib/narrow.wgsl.
#import lib/operand
#import lib/conv
#import lib/phase
#import lib/store
#define A_LINES (BATCH*SMALL_H)
#define A_WIDTH SMALL_W
#define C_FOURS (O/4u)
#define PIXEL_STEP 1u
#define W_ALONG 1

@group(0) @binding(0) var<storage, read> x: array<stored4>;
@group(0) @binding(1) var<storage, read> w: array<stored4>;

// This invocation's phase.
var<private> vertical: Phase;
var<private> horizontal: Phase;

fn begin(layer: u32) {
    vertical = phase(layer / STRIDE_W, STRIDE_H, PAD_H, KERNEL_H, LARGE_H);
    horizontal = phase(layer % STRIDE_W, STRIDE_W, PAD_W, KERNEL_W, LARGE_W);
}

fn lines() -> u32 {
    return BATCH * vertical.count;
}

fn width() -> u32 {
    return horizontal.count;
}

fn depth_y() -> u32 {
    return vertical.taps;
}

// Taps are taken from the last to the first: so the columns they meet go up.
fn tap_x(u: u32) -> u32 {
    return ${TAPS}u - 1u - u;
}

fn there_x(u: u32) -> bool {
    return tap_x(u) < horizontal.taps;
}

// A row above or left of the image wraps round to a number larger than any extent.
fn line_of(row: u32, ty: u32) -> u32 {
    let line = vertical.start + row % vertical.count - ty;
    return select(${A_LINES}, row / vertical.count * SMALL_H + line, line < SMALL_H);
}

fn first(column: u32) -> u32 {
    return horizontal.start + column - (${TAPS}u - 1u);
}

fn w_at(ty: u32, u: u32, c: u32, n: u32) -> u32 {
    let ky = vertical.residue + ty * STRIDE_H;
    let kx = horizontal.residue + tap_x(u) * STRIDE_W;
    return ((ky * KERNEL_W + kx) * I + n) * ${C_FOURS} + c;
}

fn result_at(row: u32, column: u32) -> u32 {
    let y = vertical.first + row % vertical.count * STRIDE_H;
    return ((row / vertical.count * LARGE_H + y) * LARGE_W + horizontal.first + column * STRIDE_W) * I;
}

#import lib/narrow
