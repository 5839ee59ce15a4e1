// Convolution as an implicit matrix product: rows are pixels of y, columns output channels, and the contraction runs
// over (ky, kx, i). Equation and reference as conv2d_direct.wgsl.
//
// Layout: x NHWC, w HWIO, y NHWC. One workgroup: 64 pixels x 64 channels (lib/tile.wgsl).
// Text: XVEC (x in fours: I divides by 4), VEC4 (w and y in fours: O does), LEAVES, EPILOGUE. Constants: lib/conv.wgsl.
#import lib/input
#import lib/lane
#import lib/conv
#define A_ALONG_K 1
#if VEC4
#define B_VEC 1
#end
#import lib/tile
#import lib/store

@group(0) @binding(0) var<storage, read> x: array<input>;
@group(0) @binding(1) var<storage, read> w: array<lane>;
@group(0) @binding(${RESULT}) var<storage, read_write> y: array<lane>;

// The number of x that pixel m meets at k, counted in pixels' channels, or none outside the picture.
fn a_at(m: u32, k: u32) -> vec2<u32> {
    let tap = k / I;
    let line = m / SMALL_W % SMALL_H * STRIDE_H + tap / KERNEL_W - PAD_H;
    let column = m % SMALL_W * STRIDE_W + tap % KERNEL_W - PAD_W;
    let inside = m < BATCH * SMALL_H * SMALL_W && k < KERNEL_H * KERNEL_W * I && line < LARGE_H && column < LARGE_W;
    let picture = m / (SMALL_H * SMALL_W);
    return vec2(((picture * LARGE_H + line) * LARGE_W + column) * I + k % I, u32(inside));
}

// The number of w at k and channel n, or none.
fn b_at(k: u32, n: u32) -> vec2<u32> {
    return vec2(k * O + n, u32(k < KERNEL_H * KERNEL_W * I && n < O));
}

fn a(at: u32) -> input {
    return x[at];
}

fn b(at: u32) -> lane {
    return w[at];
}

@compute @workgroup_size(256)
fn main(
    @builtin(workgroup_id) id: vec3<u32>,
    @builtin(num_workgroups) workgroups: vec3<u32>,
    @builtin(local_invocation_index) t: u32,
) {
    let tile = tile_of(id, workgroups, tiles(BATCH * SMALL_H * SMALL_W), tiles(O));
    if tile.z >= 1u {
        return;
    }
    let sums = tile_product(t, tile.x * TILE, tile.y * TILE, 0u, KERNEL_H * KERNEL_W * I);
    let m = tile.x * TILE + t / 16u * 4u;
    let n = tile.y * TILE + t % 16u * 4u;
#for i in 4
    if m + ${i}u < BATCH * SMALL_H * SMALL_W {
        let at = (m + ${i}u) * O + n;
        store(at, n, O, sums[${i}]);
    }
#end
}
