// A tile of a matrix product A * B: the entry point of every tiled contraction.
//
// A is an image's implicit matrix: its rows are pixels and its columns taps where A_ALONG_K is set, the other way round
// where not. One workgroup computes TILE_M x TILE_N results of one layer and one part of the contraction. It stages both
// operands through workgroup memory, SLICE numbers of the contraction at a time; the next slice is on its way from storage
// while this one is multiplied. One invocation holds QM x QN blocks of 4 x 4 results in registers; its blocks lie a whole
// row of invocations apart, so that neighbours read neighbouring vec4s.
//
// The including kernel declares x and ${B}, and says what they are:
// `begin(layer)` is called first; `rows()`, `columns()` and `depth()` are the extents of the product; `depth_of(layer)` is the last
// without what `begin` keeps, for WGSL does not take that to be the same in all invocations that meet at a barrier; `pixel(i)`
// and `tap(i)` are places in x, an image of A_H x A_W pixels and A_C channels; `b_at(k, n)` is the place of an element in ${B};
// `result_at(m)` that of the first column of a row of results.
// Text: A_ALONG_K, B_ALONG_K: four neighbours in memory lie along the contraction, not across; XVEC, B_VEC: they are loaded at
// once; TILE_M, TILE_N, QM, QN, SLICE (a multiple of 8), SLOTS (blocks of 4 x 4 numbers one invocation stages of a slice).
#import lib/lane
#import lib/place
#import lib/store

// Tiles down and across, layers, and parts of the contraction of SHARE numbers each (a multiple of SLICE).
override TILES_M: u32;
override TILES_N: u32;
override LAYERS: u32;
override SPLIT_K: u32;
override SHARE: u32;
// Numbers from one part of the result to the next.
override PART_LEN: u32;

const ACROSS = ${TILE_N}u / (4u * ${QN}u);
const DOWN = ${TILE_M}u / (4u * ${QM}u);
const A_FOURS = ${TILE_M}u / 4u;
const B_FOURS = ${TILE_N}u / 4u;
const A_BLOCKS = A_FOURS * ${SLICE}u / 4u;
const BLOCKS = A_BLOCKS + B_FOURS * ${SLICE}u / 4u;
// Vec4s from one k to the next: those of A, those of B, and an odd number in all, so that stores down a column do not meet
// in one bank.
const PITCH = (A_FOURS + B_FOURS) | 1u;

var<workgroup> slice: array<real4, ${SLICE}u * PITCH>;

// A block of 4 x 4 numbers that an invocation stages of every slice, always the same but for the contraction.
struct Slot {
    of_a: bool,
    // Of A the places of its four rows, of B the first of its four columns.
    rows: array<Place, 4>,
    column: u32,
    // Where along the slice it starts, and its place in workgroup memory.
    k: u32,
    at: u32,
}

// The block with this number among `vec4s` along the tile: four along it, four along k (x four, y k).
fn across(block: u32, vec4s: u32) -> vec2<u32> {
    return vec2(block % vec4s, block / vec4s * 4u);
}

// As `across`, but neighbouring invocations read 8 neighbours along k.
fn along(block: u32, vec4s: u32) -> vec2<u32> {
    return vec2(block / 2u % vec4s, (block % 2u + block / (2u * vec4s) * 2u) * 4u);
}

fn row(m: u32) -> Place {
#if A_ALONG_K
    return pixel(m);
#else
    return tap(m);
#end
}

fn slot_of(block: u32, m0: u32, n0: u32) -> Slot {
    var slot: Slot;
    slot.of_a = block < A_BLOCKS;
    if slot.of_a {
#if A_ALONG_K
        let at = along(block, A_FOURS);
#else
        let at = across(block, A_FOURS);
#end
        let m = m0 + at.x * 4u;
        slot.rows = array(row(m), row(m + 1u), row(m + 2u), row(m + 3u));
        slot.k = at.y;
        slot.at = at.y * PITCH + at.x;
    } else {
#if B_ALONG_K
        let at = along(block - A_BLOCKS, B_FOURS);
#else
        let at = across(block - A_BLOCKS, B_FOURS);
#end
        slot.column = n0 + at.x * 4u;
        slot.k = at.y;
        slot.at = at.y * PITCH + A_FOURS + at.x;
    }
    return slot;
}

// What pixel and tap meet: one number, or four from there on where XVEC is set.
fn meet(pixel: Place, tap: Place) -> input {
    let y = pixel.y + tap.y;
    let x_column = pixel.x + tap.x;
    let inside = y < ${A_H} && x_column < ${A_W};
#if MIRRORED
    let line = pixel.base + mirror(y, TOP, SOURCE_H);
    let at = (line * SOURCE_W + mirror(x_column, LEFT, SOURCE_W)) * ${A_C} + tap.base;
#else
    let at = ((pixel.base + y) * ${A_W} + x_column) * ${A_C} + tap.base;
#end
    return select(input(0), input(x[select(0u, at / STEP, inside)]), inside);
}

// Rows of A against k .. k + 4; the result has a column for each k.
fn a_block(rows: array<Place, 4>, k: u32) -> real4x4 {
#if XVEC
#if A_ALONG_K
    let k0 = column_of_a(k);
    return transpose(real4x4(meet(rows[0], k0), meet(rows[1], k0), meet(rows[2], k0), meet(rows[3], k0)));
#else
    let first = rows[0];
    return real4x4(
#for j in 4
        meet(column_of_a(k + ${j}u), first),
#end
    );
#end
#else
#for j in 4
    let k${j} = column_of_a(k + ${j}u);
#for i in 4
#if A_ALONG_K
    let a${i}_${j} = meet(rows[${i}], k${j});
#else
    let a${i}_${j} = meet(k${j}, rows[${i}]);
#end
#end
#end
    return real4x4(
#for j in 4
        real4(a0_${j}, a1_${j}, a2_${j}, a3_${j}),
#end
    );
#end
}

fn column_of_a(k: u32) -> Place {
#if A_ALONG_K
    return tap(k);
#else
    return pixel(k);
#end
}

#if B_VEC
fn b4(k: u32, n: u32) -> real4 {
    let inside = k < depth() && n < columns();
    return select(real4(0), real4(${B}[select(0u, b_at(k, n) / 4u, inside)]), inside);
}
#else
fn b1(k: u32, n: u32) -> real {
    let inside = k < depth() && n < columns();
    return select(real(0), real(${B}[select(0u, b_at(k, n), inside)]), inside);
}
#end

// Rows k .. k + 4 of B, columns n .. n + 4; the result has a column for each k.
fn b_block(k: u32, n: u32) -> real4x4 {
#if B_VEC
#if B_ALONG_K
    return transpose(real4x4(b4(k, n), b4(k, n + 1u), b4(k, n + 2u), b4(k, n + 3u)));
#else
    return real4x4(b4(k, n), b4(k + 1u, n), b4(k + 2u, n), b4(k + 3u, n));
#end
#else
    return real4x4(
#for j in 4
        real4(b1(k + ${j}u, n), b1(k + ${j}u, n + 1u), b1(k + ${j}u, n + 2u), b1(k + ${j}u, n + 3u)),
#end
    );
#end
}

fn load(slot: Slot, k: u32) -> real4x4 {
    if slot.of_a {
        return a_block(slot.rows, k + slot.k);
    }
    return b_block(k + slot.k, slot.column);
}

// Stores four columns of results from n on, the first of them number `at` of the result.
fn store4(at: u32, n: u32, four: real4) {
#if VEC4
    if n < columns() {
        store(at / 4u, four);
    }
#else
#for j in 4
    if n + ${j}u < columns() {
        store(at + ${j}u, four[${j}]);
    }
#end
#end
}

@compute @workgroup_size(DOWN * ACROSS)
fn main(
    @builtin(workgroup_id) id: vec3<u32>,
    @builtin(num_workgroups) workgroups: vec3<u32>,
    @builtin(local_invocation_index) t: u32,
) {
    // The grid is folded where it would exceed 65,535 workgroups a dimension, so some at the end may be too many.
    let index = id.y * workgroups.x + id.x;
    let layer = index / (TILES_M * TILES_N * SPLIT_K);
    if layer >= LAYERS {
        return;
    }
    begin(layer);
    let part = index / (TILES_M * TILES_N) % SPLIT_K;
    let m0 = index / TILES_N % TILES_M * ${TILE_M}u;
    let n0 = index % TILES_N * ${TILE_N}u;
    let from_k = part * SHARE;
    let to_k = min(from_k + SHARE, depth_of(layer));
#for l in SLOTS
    let block${l} = t + ${l}u * DOWN * ACROSS;
    let slot${l} = slot_of(min(block${l}, BLOCKS - 1u), m0, n0);
#end
#for p in QM
#for i in 4
#for q in QN
    var sum${p}_${i}_${q} = real4(0);
#end
#end
#end
    let down = t / ACROSS;
    let right = t % ACROSS;
    // In round 0 there is nothing to multiply yet, in the last nothing to stage any more.
    for (var k = from_k; ; k += ${SLICE}u) {
#for l in SLOTS
        let next${l} = load(slot${l}, k);
#end
        if k > from_k {
            for (var s = 0u; s < ${SLICE}u * PITCH; s += 4u * PITCH) {
#for u in 4
                {
#for p in QM
                    let a${p} = slice[s + ${u}u * PITCH + down + ${p}u * DOWN];
#end
#for q in QN
                    let b${q} = slice[s + ${u}u * PITCH + A_FOURS + right + ${q}u * ACROSS];
#for p in QM
#for i in 4
                    sum${p}_${i}_${q} += a${p}[${i}] * b${q};
#end
#end
#end
                }
#end
            }
        }
        if k >= to_k {
            break;
        }
        workgroupBarrier();
#for l in SLOTS
        if block${l} < BLOCKS {
#for j in 4
            slice[slot${l}.at + ${j}u * PITCH] = next${l}[${j}];
#end
        }
#end
        workgroupBarrier();
    }
#for p in QM
#for i in 4
    let m${p}_${i} = m0 + (down + ${p}u * DOWN) * 4u + ${i}u;
    if m${p}_${i} < rows() {
        let at = part * PART_LEN + result_at(m${p}_${i});
#for q in QN
        let column${q} = n0 + (right + ${q}u * ACROSS) * 4u;
        store4(at + column${q}, column${q}, sum${p}_${i}_${q});
#end
    }
#end
#end
}
