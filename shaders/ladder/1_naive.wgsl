// Rung 1, the equation.
// Equation: y[n,y,x,o] = sum over ky,kx,i of x[n, y*s+ky-p, x*s+kx-p, i] * w[ky,kx,i,o]
// Reference: reference/contraction/mod.rs `conv2d`.
// Layout: x NHWC, w HWIO, y NHWC.
// One invocation: one number of y.
// Constants: lib/conv.wgsl.
//
// Neighbouring invocations compute neighbouring pixels of one channel. What they read of x lies STRIDE_W * I numbers apart, what
// they store O numbers apart: memory hands out lines of 64 or 128 bytes, of which one number is used. Each multiply-add waits for
// two loads.
#import lib/grid
#import lib/conv

@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read> w: array<f32>;
@group(0) @binding(2) var<storage, read_write> y: array<f32>;

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) workgroups: vec3<u32>) {
    let pixels = BATCH * SMALL_H * SMALL_W;
    let index = invocation(id, workgroups);
    let pixel = index % pixels;
    let o = index / pixels;
    if o >= O {
        return;
    }
    let image = pixel / (SMALL_H * SMALL_W);
    let top = pixel / SMALL_W % SMALL_H * STRIDE_H - PAD_H;
    let left = pixel % SMALL_W * STRIDE_W - PAD_W;
    var sum = 0.0;
    for (var ky = 0u; ky < KERNEL_H; ky += 1u) {
        for (var kx = 0u; kx < KERNEL_W; kx += 1u) {
            // A row above or left of the image wraps round to a number larger than any extent.
            let row = top + ky;
            let column = left + kx;
            if (row < LARGE_H) & (column < LARGE_W) {
                let at = ((image * LARGE_H + row) * LARGE_W + column) * I;
                let tap = (ky * KERNEL_W + kx) * I * O + o;
                for (var i = 0u; i < I; i += 1u) {
                    sum += x[at + i] * w[tap + i * O];
                }
            }
        }
    }
    y[pixel * O + o] = sum;
}
