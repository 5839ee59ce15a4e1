// A 64 x 64 tile of a matrix product, staged through workgroup memory in slices of 16 along the contraction.
//
// 16 x 16 invocations hold 4 x 4 results each in registers. The including kernel says what the matrices A and B are:
// `a_at(m, k)` and `b_at(k, n)` give the place of an element in memory and whether there is one (else it is 0); `a(place)`
// and `b(place)` load it, or four neighbours where XVEC (B_VEC) is set: along k where A_ALONG_K (B_ALONG_K) is, else along m
// (n).
#import lib/real

const TILE = 64u;
const SLICE = 16u;
// A little wider than the tile, so that the transposing stores of a warp do not all meet in one bank.
const PITCH = 68u;

var<workgroup> a_slice: array<real, SLICE * PITCH>;
var<workgroup> b_slice: array<real, SLICE * PITCH>;

// Which tile a workgroup computes: (row of tiles, column of tiles, layer), columns counted first. The grid is folded where it
// would exceed 65,535 workgroups a dimension, so some at the end may have a layer too many.
fn tile_of(id: vec3<u32>, workgroups: vec3<u32>, rows: u32, columns: u32) -> vec3<u32> {
    let index = id.y * workgroups.x + id.x;
    return vec3(index / columns % rows, index % columns, index / (rows * columns));
}

fn tiles(extent: u32) -> u32 {
    return (extent + TILE - 1u) / TILE;
}

fn a4(m: u32, k: u32) -> real4 {
    var four = real4(0);
#if XVEC
    let at = a_at(m, k);
    if at.y == 1u {
        four = a(at.x / 4u);
    }
#else
#for j in 4
#if A_ALONG_K
    let at${j} = a_at(m, k + ${j}u);
#else
    let at${j} = a_at(m + ${j}u, k);
#end
    if at${j}.y == 1u {
        four[${j}] = a(at${j}.x);
    }
#end
#end
    return four;
}

fn b4(k: u32, n: u32) -> real4 {
    var four = real4(0);
#if B_VEC
    let at = b_at(k, n);
    if at.y == 1u {
        four = b(at.x / 4u);
    }
#else
#for j in 4
#if B_ALONG_K
    let at${j} = b_at(k + ${j}u, n);
#else
    let at${j} = b_at(k, n + ${j}u);
#end
    if at${j}.y == 1u {
        four[${j}] = b(at${j}.x);
    }
#end
#end
    return four;
}

// Adds A[m0.., k_from..k_to] * B[k_from..k_to, n0..] for this invocation's rows m0 + 4 * (t / 16) .. + 4 and columns
// n0 + 4 * (t % 16) .. + 4. Every invocation of the workgroup must call it, with the same m0, n0, k_from and k_to.
fn tile_product(t: u32, m0: u32, n0: u32, k_from: u32, k_to: u32) -> array<real4, 4> {
    var sums = array<real4, 4>();
    let across = t / 4u;
    let quad = t % 4u * 4u;
    let along = t / 16u;
    let wide = t % 16u * 4u;
    for (var k = k_from; k < k_to; k += SLICE) {
#if A_ALONG_K
        let a_four = a4(m0 + across, k + quad);
#for j in 4
        a_slice[(quad + ${j}u) * PITCH + across] = a_four[${j}];
#end
#else
        let a_four = a4(m0 + wide, k + along);
#for j in 4
        a_slice[along * PITCH + wide + ${j}u] = a_four[${j}];
#end
#end
#if B_ALONG_K
        let b_four = b4(k + quad, n0 + across);
#for j in 4
        b_slice[(quad + ${j}u) * PITCH + across] = b_four[${j}];
#end
#else
        let b_four = b4(k + along, n0 + wide);
#for j in 4
        b_slice[along * PITCH + wide + ${j}u] = b_four[${j}];
#end
#end
        workgroupBarrier();
        for (var s = 0u; s < SLICE; s += 1u) {
            let am = s * PITCH + t / 16u * 4u;
            let bn = s * PITCH + t % 16u * 4u;
            let b_row = real4(b_slice[bn], b_slice[bn + 1u], b_slice[bn + 2u], b_slice[bn + 3u]);
#for i in 4
            sums[${i}] += a_slice[am + ${i}u] * b_row;
#end
        }
        workgroupBarrier();
    }
    return sums;
}
