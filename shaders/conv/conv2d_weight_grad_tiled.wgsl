// A convolution's gradient to its weights as an implicit matrix product: rows are (ky, kx, i), columns o, and the
// contraction runs over the pixels of gy. Equation and reference as conv2d_weight_grad_direct.wgsl.
//
// The pixels are cut into PARTS runs of SHARE; reduce/sum.wgsl adds the parts in order. The tile's layer is the part.
// Layout: x NHWC, gy NHWC, out [PARTS] x HWIO. One workgroup: 64 x 64 weights of one part (lib/tile.wgsl).
// Text: XVEC (x in fours: I divides by 4), VEC4 (gy and out in fours: O does). Constants: lib/conv.wgsl, PARTS, SHARE (a multiple of 16).
#import lib/input
#import lib/lane
#import lib/conv
#if VEC4
#define B_VEC 1
#end
#import lib/tile

override PARTS: u32;
override SHARE: u32;

@group(0) @binding(0) var<storage, read> x: array<input>;
@group(0) @binding(1) var<storage, read> gy: array<lane>;
@group(0) @binding(2) var<storage, read_write> dw: array<lane>;

// The number of x that row m (a tap and a channel) meets at pixel k, or none outside the picture.
fn a_at(m: u32, k: u32) -> vec2<u32> {
    let tap = m / I;
    let line = k / SMALL_W % SMALL_H * STRIDE_H + tap / KERNEL_W - PAD_H;
    let column = k % SMALL_W * STRIDE_W + tap % KERNEL_W - PAD_W;
    let picture = k / (SMALL_H * SMALL_W);
    let inside = picture < BATCH && tap < KERNEL_H * KERNEL_W && line < LARGE_H && column < LARGE_W;
    return vec2(((picture * LARGE_H + line) * LARGE_W + column) * I + m % I, u32(inside));
}

// The number of gy at pixel k and channel n, or none.
fn b_at(k: u32, n: u32) -> vec2<u32> {
    return vec2(k * O + n, u32(k < BATCH * SMALL_H * SMALL_W && n < O));
}

fn a(at: u32) -> input {
    return x[at];
}

fn b(at: u32) -> lane {
    return gy[at];
}

@compute @workgroup_size(256)
fn main(
    @builtin(workgroup_id) id: vec3<u32>,
    @builtin(num_workgroups) workgroups: vec3<u32>,
    @builtin(local_invocation_index) t: u32,
) {
    let tile = tile_of(id, workgroups, tiles(KERNEL_H * KERNEL_W * I), tiles(O));
    if tile.z >= PARTS {
        return;
    }
    let from_k = tile.z * SHARE;
    let sums = tile_product(t, tile.x * TILE, tile.y * TILE, from_k, from_k + SHARE);
    let m = tile.x * TILE + t / 16u * 4u;
    let n = tile.y * TILE + t % 16u * 4u;
    let height = KERNEL_H * KERNEL_W * I;
#for i in 4
    if m + ${i}u < height {
        let at = (tile.z * height + m + ${i}u) * O + n;
#if VEC4
        if n < O {
            dw[at / 4u] = sums[${i}];
        }
#else
#for j in 4
        if n + ${j}u < O {
            dw[at + ${j}u] = sums[${i}][${j}];
        }
#end
#end
    }
#end
}
