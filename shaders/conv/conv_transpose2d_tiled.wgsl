// Transposed convolution by phases, each an implicit matrix product: rows are pixels of one phase of y, columns its
// channels, and the contraction runs over (ty, tx, o). Equation and reference as conv_transpose2d_direct.wgsl.
//
// Layout: x NHWC (O channels), w HWIO, y NHWC (I channels). The tile's layer is the phase (lib/phase.wgsl). One workgroup: 64
// pixels x 64 channels (lib/tile.wgsl).
// Text: XVEC (x and w in fours: O divides by 4), VEC4 (y in fours: I does), LEAVES, EPILOGUE. Constants: lib/conv.wgsl, PIXELS.
#import lib/input
#import lib/lane
#import lib/conv
#import lib/phase
#define A_ALONG_K 1
#define B_ALONG_K 1
#if XVEC
#define B_VEC 1
#end
#import lib/tile
#import lib/store

// Pixels of the largest phase.
override PIXELS: u32;

@group(0) @binding(0) var<storage, read> x: array<input>;
@group(0) @binding(1) var<storage, read> w: array<input>;
@group(0) @binding(${RESULT}) var<storage, read_write> y: array<lane>;

// This workgroup's phase, set before the product.
var<private> rows: Phase;
var<private> columns: Phase;

// The number of x that pixel m of the phase meets at k, or none outside the picture.
fn a_at(m: u32, k: u32) -> vec2<u32> {
    let tap = k / O;
    let a = rows.start + m / columns.count % rows.count - tap / columns.taps;
    let b = columns.start + m % columns.count - tap % columns.taps;
    let picture = m / (rows.count * columns.count);
    let inside = picture < BATCH && tap < rows.taps * columns.taps && a < SMALL_H && b < SMALL_W;
    return vec2(((picture * SMALL_H + a) * SMALL_W + b) * O + k % O, u32(inside));
}

// The number of w between k and channel n, or none.
fn b_at(k: u32, n: u32) -> vec2<u32> {
    let tap = k / O;
    let ky = rows.residue + tap / columns.taps * STRIDE_H;
    let kx = columns.residue + tap % columns.taps * STRIDE_W;
    let inside = n < I && tap < rows.taps * columns.taps;
    return vec2(((ky * KERNEL_W + kx) * I + n) * O + k % O, u32(inside));
}

fn a(at: u32) -> input {
    return x[at];
}

fn b(at: u32) -> input {
    return w[at];
}

@compute @workgroup_size(256)
fn main(
    @builtin(workgroup_id) id: vec3<u32>,
    @builtin(num_workgroups) workgroups: vec3<u32>,
    @builtin(local_invocation_index) t: u32,
) {
    let tile = tile_of(id, workgroups, tiles(PIXELS), tiles(I));
    if tile.z >= STRIDE_H * STRIDE_W {
        return;
    }
    rows = phase(tile.z / STRIDE_W, STRIDE_H, PAD_H, KERNEL_H, LARGE_H);
    columns = phase(tile.z % STRIDE_W, STRIDE_W, PAD_W, KERNEL_W, LARGE_W);
    let contraction = rows.taps * columns.taps * O;
    let sums = tile_product(t, tile.x * TILE, tile.y * TILE, 0u, contraction);
    let m = tile.x * TILE + t / 16u * 4u;
    let n = tile.y * TILE + t % 16u * 4u;
#for i in 4
    if m + ${i}u < BATCH * rows.count * columns.count {
        let pixel = m + ${i}u;
        let picture = pixel / (rows.count * columns.count);
        let line = rows.first + pixel / columns.count % rows.count * STRIDE_H;
        let column = columns.first + pixel % columns.count * STRIDE_W;
        let at = ((picture * LARGE_H + line) * LARGE_W + column) * I + n;
        store(at, n, I, sums[${i}]);
    }
#end
}
