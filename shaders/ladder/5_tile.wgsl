// Rung 5, a tile in workgroup memory.
// Equation: y[n,y,x,o] = sum over ky,kx,i of x[n, y*s+ky-p, x*s+kx-p, i] * w[ky,kx,i,o]
// Reference: reference/contraction/mod.rs `conv2d`.
// Layout: x NHWC, w HWIO, y NHWC.
// One invocation: one number of y.
// One workgroup: 16 pixels x 16 channels.
// Constants: lib/conv.wgsl.
//
// What changed, from rung 2: the convolution is read as a matrix product, y = A * w, in which row m of A is a pixel of y and column k
// a tap and channel (ky, kx, i); A is never written down. A workgroup computes 16 x 16 numbers of y and stages 16 columns of A and 16
// rows of w at a time: each number comes from storage once and serves 16 invocations. An invocation makes two loads from storage for 16
// multiply-adds, where rung 2 made 32; but each multiply-add still waits for two loads, now from workgroup memory, and every slice for two
// barriers. A division a load finds the tap of k.
#import lib/conv

@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read> w: array<f32>;
@group(0) @binding(2) var<storage, read_write> y: array<f32>;

const TILE = 16u;

var<workgroup> a: array<f32, TILE * TILE>;
var<workgroup> b: array<f32, TILE * TILE>;

// The element of A in row m, column k; 0 outside the image and the product.
fn element(m: u32, k: u32) -> f32 {
    let image = m / (SMALL_H * SMALL_W);
    let tap = k / I;
    // A row above or left of the image wraps round to a number larger than any extent.
    let row = m / SMALL_W % SMALL_H * STRIDE_H - PAD_H + tap / KERNEL_W;
    let column = m % SMALL_W * STRIDE_W - PAD_W + tap % KERNEL_W;
    let inside = (image < BATCH) & (tap < KERNEL_H * KERNEL_W) & (row < LARGE_H) & (column < LARGE_W);
    let at = ((image * LARGE_H + row) * LARGE_W + column) * I + k % I;
    return select(0.0, x[select(0u, at, inside)], inside);
}

@compute @workgroup_size(TILE * TILE)
fn main(
    @builtin(workgroup_id) id: vec3<u32>,
    @builtin(num_workgroups) workgroups: vec3<u32>,
    @builtin(local_invocation_index) t: u32,
) {
    let depth = KERNEL_H * KERNEL_W * I;
    let across = (O + TILE - 1u) / TILE;
    let index = id.y * workgroups.x + id.x;
    let down = t / TILE;
    let right = t % TILE;
    let m = index / across * TILE + down;
    let n = index % across * TILE + right;
    var sum = 0.0;
    for (var k = 0u; k < depth; k += TILE) {
        let inside = (k + down < depth) & (n < O);
        a[t] = element(m, k + right);
        b[t] = select(0.0, w[select(0u, (k + down) * O + n, inside)], inside);
        workgroupBarrier();
        for (var s = 0u; s < TILE; s += 1u) {
            sum += a[down * TILE + s] * b[s * TILE + right];
        }
        workgroupBarrier();
    }
    if m < BATCH * SMALL_H * SMALL_W && n < O {
        y[m * O + n] = sum;
    }
}
