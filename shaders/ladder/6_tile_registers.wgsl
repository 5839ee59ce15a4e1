// Rung 6, both tiles; the product as 5_tile.wgsl.
// Equation: y[n,y,x,o] = sum over ky,kx,i of x[n, y*s+ky-p, x*s+kx-p, i] * w[ky,kx,i,o]
// Reference: reference/contraction/mod.rs `conv2d`.
// Layout: x NHWC, w HWIO, y NHWC.
// One invocation: 4 x 4 numbers of y.
// One workgroup: 64 pixels x 64 channels.
// Text: XVEC (x as vec4: I divides by 4), VEC4 (w and y as vec4: O does).
// Constants: lib/conv.wgsl.
//
// What changed: a workgroup computes 64 x 64 numbers of y, an invocation 4 x 4 of them in registers. Everything moves as vec4, four of A
// along k and four of w along o. Of a slice, an invocation loads one four of A and one of w from storage for 256 multiply-adds, and
// from workgroup memory 8 vec4s for every 64. The pixel whose vec4s an invocation stages is always the same, so that its
// place is worked out once.
#import lib/input
#import lib/lane
#import lib/conv

@group(0) @binding(0) var<storage, read> x: array<input>;
@group(0) @binding(1) var<storage, read> w: array<lane>;
@group(0) @binding(2) var<storage, read_write> y: array<lane>;

const TILE = 64u;
const SLICE = 16u;
const FOURS = TILE / 4u;
// Vec4s of A from one row to the next: an odd number, so that rows do not meet in one bank.
const PITCH = SLICE / 4u + 1u;

var<workgroup> a: array<real4, TILE * PITCH>;
var<workgroup> b: array<real4, SLICE * FOURS>;

// Row m of A: its image's first row among all, and its window's corner.
struct Pixel {
    base: u32,
    top: u32,
    left: u32,
    there: bool,
}

fn pixel_of(m: u32) -> Pixel {
    let image = m / (SMALL_H * SMALL_W);
    let top = m / SMALL_W % SMALL_H * STRIDE_H - PAD_H;
    return Pixel(image * LARGE_H, top, m % SMALL_W * STRIDE_W - PAD_W, image < BATCH);
}

// A's columns from k on, as many as a load gives, in a pixel's row; 0 outside the image and the product.
fn element(pixel: Pixel, k: u32) -> input {
    let tap = k / I;
    // A row above or left of the image wraps round to a number larger than any extent.
    let row = pixel.top + tap / KERNEL_W;
    let column = pixel.left + tap % KERNEL_W;
    let inside = pixel.there & (tap < KERNEL_H * KERNEL_W) & (row < LARGE_H) & (column < LARGE_W);
    let at = ((pixel.base + row) * LARGE_W + column) * I + k % I;
    return select(input(0), x[select(0u, at / STEP, inside)], inside);
}

fn a_four(pixel: Pixel, k: u32) -> real4 {
#if XVEC
    return element(pixel, k);
#else
    return real4(element(pixel, k), element(pixel, k + 1u), element(pixel, k + 2u), element(pixel, k + 3u));
#end
}

fn weight(k: u32, n: u32) -> lane {
    let inside = (k < KERNEL_H * KERNEL_W * I) & (n < O);
    return select(lane(0), w[select(0u, (k * O + n) / LANE, inside)], inside);
}

fn b_four(k: u32, n: u32) -> real4 {
#if VEC4
    return weight(k, n);
#else
    return real4(weight(k, n), weight(k, n + 1u), weight(k, n + 2u), weight(k, n + 3u));
#end
}

fn store(m: u32, n: u32, four: real4) {
    if m >= BATCH * SMALL_H * SMALL_W {
        return;
    }
#if VEC4
    if n < O {
        y[(m * O + n) / 4u] = four;
    }
#else
#for j in 4
    if n + ${j}u < O {
        y[m * O + n + ${j}u] = four[${j}];
    }
#end
#end
}

@compute @workgroup_size(FOURS * FOURS)
fn main(
    @builtin(workgroup_id) id: vec3<u32>,
    @builtin(num_workgroups) workgroups: vec3<u32>,
    @builtin(local_invocation_index) t: u32,
) {
    let across = (O + TILE - 1u) / TILE;
    let index = id.y * workgroups.x + id.x;
    let m0 = index / across * TILE;
    let n0 = index % across * TILE;
    let down = t / FOURS;
    let right = t % FOURS;
    // What this invocation stages: of A row t / 4, of w row `down`.
    let pixel = pixel_of(m0 + t / 4u);
#for i in 4
    var sum${i} = real4(0);
#end
    for (var k = 0u; k < KERNEL_H * KERNEL_W * I; k += SLICE) {
        a[t / 4u * PITCH + t % 4u] = a_four(pixel, k + t % 4u * 4u);
        b[t] = b_four(k + down, n0 + right * 4u);
        workgroupBarrier();
        for (var s = 0u; s < SLICE / 4u; s += 1u) {
#for i in 4
            let a${i} = a[(down * 4u + ${i}u) * PITCH + s];
#end
#for j in 4
            let b${j} = b[(s * 4u + ${j}u) * FOURS + right];
#for i in 4
            sum${i} += a${i}[${j}] * b${j};
#end
#end
        }
        workgroupBarrier();
    }
#for i in 4
    store(m0 + down * 4u + ${i}u, n0 + right * 4u, sum${i});
#end
}
