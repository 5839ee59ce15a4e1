// Rung 3, four numbers a load.
// Equation: y[n,y,x,o] = sum over ky,kx,i of x[n, y*s+ky-p, x*s+kx-p, i] * w[ky,kx,i,o]
// Reference: reference/contraction/mod.rs `conv2d`.
// Layout: x NHWC, w HWIO, y NHWC.
// One invocation: one lane of channels of one pixel.
// Text: XVEC (x as vec4: I divides by 4), VEC4 (w and y as vec4: O does).
// Constants: lib/conv.wgsl.
//
// What changed: x is read as vec4 along i, w and y as vec4 along o. Sixteen multiply-adds (four of a four) wait for five loads,
// where rung 2 made thirty-two: a four of x meets four channels of the result. Where channels do not divide by four, lanes are
// single numbers and the kernel is rung 2 again.
#import lib/input
#import lib/lane
#import lib/grid
#import lib/conv

@group(0) @binding(0) var<storage, read> x: array<input>;
@group(0) @binding(1) var<storage, read> w: array<lane>;
@group(0) @binding(2) var<storage, read_write> y: array<lane>;

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) workgroups: vec3<u32>) {
    let lanes = O / LANE;
    let pixels = BATCH * SMALL_H * SMALL_W;
    let index = invocation(id, workgroups);
    let pixel = index / lanes;
    let o = index % lanes;
    if pixel >= pixels {
        return;
    }
    let image = pixel / (SMALL_H * SMALL_W);
    let top = pixel / SMALL_W % SMALL_H * STRIDE_H - PAD_H;
    let left = pixel % SMALL_W * STRIDE_W - PAD_W;
    var sum = lane(0);
    for (var ky = 0u; ky < KERNEL_H; ky += 1u) {
        for (var kx = 0u; kx < KERNEL_W; kx += 1u) {
            let row = top + ky;
            let column = left + kx;
            if (row < LARGE_H) & (column < LARGE_W) {
                let at = ((image * LARGE_H + row) * LARGE_W + column) * (I / STEP);
                let tap = (ky * KERNEL_W + kx) * I * lanes + o;
                for (var c = 0u; c < I / STEP; c += 1u) {
                    let four = x[at + c];
                    let k = tap + c * STEP * lanes;
#if XVEC
#for j in 4
                    sum += four[${j}] * w[k + ${j}u * lanes];
#end
#else
                    sum += four * w[k];
#end
                }
            }
        }
    }
    y[pixel * lanes + o] = sum;
}
