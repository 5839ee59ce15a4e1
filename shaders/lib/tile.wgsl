// A tile of a matrix product A * B: the entry point of every tiled contraction.
//
// A is an image's implicit matrix: its rows are pixels and its columns taps where A_ALONG_K is set, the other way round
// where not. One workgroup computes TILE_M x TILE_N results of one layer and one part of the contraction. It stages both
// operands through workgroup memory, SLICE numbers of the contraction at a time. While a slice is multiplied, the next one
// is on its way from storage into registers; what comes is first looked at when it is staged, after the multiplication, or
// the compiler would have to wait for it before. One invocation holds QM x QN blocks of 4 x 4 results in registers; they lie
// a whole row of invocations apart, so that neighbours read neighbouring vec4s.
//
// The including kernel declares x and ${B}, and says what they are:
// `begin(layer)` is called first; `rows()`, `columns()` and `depth()` are the extents of the product; `depth_of(layer)` is the last
// without what `begin` keeps, for WGSL does not take that to be the same in all invocations that meet at a barrier; `pixel(i)`
// and `tap(i)` are places in x, an image of A_H x A_W pixels and A_C channels; `b_at(k, n)` is the place of an element in ${B};
// `result_at(m)` that of the first column of a row of results.
// Text: MIXED (lib/real.wgsl), A_ALONG_K, B_ALONG_K: four neighbours in memory lie along the contraction, not across (B only where A does); XVEC,
// B_VEC: they are loaded at once; TILE_M, TILE_N, QM, QN, SLICE (a multiple of 8); lib/stage.wgsl; PAIRS: what lies along the
// contraction is multiplied two at a time, not four, which takes fewer registers and more loads from workgroup memory; SIZE:
// matrix units multiply (lib/matrix.wgsl).
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

// Vec4s along a slice, down and across the tile.
const K_FOURS = ${SLICE}u / 4u;
const A_FOURS = ${TILE_M}u / 4u;
const B_FOURS = ${TILE_N}u / 4u;

#import lib/stage

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

#if SIZE
#import lib/matrix
#else
const ACROSS = ${TILE_N}u / (4u * ${QN}u);
const DOWN = ${TILE_M}u / (4u * ${QM}u);
const THREADS = DOWN * ACROSS;

#if PAIRS
#define PIECES 2
#define PIECE 2
alias piece = vec2<real>;
alias staged_piece = vec2<staged>;
#else
#define PIECES 1
#define PIECE 4
alias piece = real4;
alias staged_piece = staged4;
#end

// An operand that lies across the contraction is kept as vec4s across the tile, one k after another; one that lies along it as
// pieces along a row or column, which needs no transposition. Neighbouring invocations want neighbouring rows of A and every
// fourth column of B: so the first of each four columns come first, then the second, and so on. Two pieces are left empty, so that
// stores down a column do not meet in one bank.
#if A_ALONG_K
var<workgroup> a: array<staged_piece, ${PIECES}u * K_FOURS * ${TILE_M}u>;
#else
var<workgroup> a: array<staged4, ${SLICE}u * A_FOURS>;
#end
#if B_ALONG_K
const B_PITCH = ${TILE_N}u + 2u;
var<workgroup> b: array<staged_piece, ${PIECES}u * K_FOURS * B_PITCH>;
#else
var<workgroup> b: array<staged4, ${SLICE}u * B_FOURS>;
#end

// The row of a tile that is row i of block p of an invocation.
fn row_of(down: u32, p: u32, i: u32) -> u32 {
#if A_ALONG_K
    return down + (4u * p + i) * DOWN;
#else
    return (down + p * DOWN) * 4u + i;
#end
}

// Puts a slice where it is multiplied; what is outside becomes zero.
fn stage(next: Next, t: u32) {
#for l in A_EACH
    let a${l} = staged4(select(real4(0), real4(next.a${l}), next.a_inside${l}));
#if A_ALONG_K
#for h in PIECES
    a[(t % K_FOURS * ${PIECES}u + ${h}u) * ${TILE_M}u + t / K_FOURS + ${l}u * (THREADS / K_FOURS)] = piece_of(a${l}, ${h}u);
#end
#else
    a[t + ${l}u * THREADS] = a${l};
#end
#end
#for l in B_EACH
    let b${l} = staged4(select(real4(0), real4(next.b${l}), next.b_inside${l}));
#if B_ALONG_K
    let n${l} = t / K_FOURS + ${l}u * (THREADS / K_FOURS);
    let at${l} = t % K_FOURS * ${PIECES}u * B_PITCH + n${l} % 4u * B_FOURS + n${l} / 4u;
#for h in PIECES
    b[at${l} + ${h}u * B_PITCH] = piece_of(b${l}, ${h}u);
#end
#else
    b[t + ${l}u * THREADS] = b${l};
#end
#end
}

fn piece_of(four: staged4, h: u32) -> staged_piece {
#if PAIRS
    return staged_piece(four[2u * h], four[2u * h + 1u]);
#else
    return four;
#end
}

@compute @workgroup_size(THREADS)
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
    let mine = mine_of(t, m0, n0);
#for p in QM
#for i in 4
#for q in QN
    var sum${p}_${i}_${q} = real4(0);
#end
#end
#end
    let down = t / ACROSS;
    let right = t % ACROSS;
    // In round 0 there is nothing to multiply yet, in the last nothing to load any more.
    for (var k = from_k; ; k += ${SLICE}u) {
        var next: Next;
        if k < to_k {
            next = load(mine, k);
        }
        if k > from_k {
            for (var s = 0u; s < K_FOURS; s += 1u) {
#if A_ALONG_K
#for h in PIECES
                {
                    let at = s * ${PIECES}u + ${h}u;
#for q in QN
#if B_ALONG_K
#for c in 4
                    let column${c}_${q} = piece(b[at * B_PITCH + ${c}u * B_FOURS + right + ${q}u * ACROSS]);
#end
#for j in PIECE
                    let b${j}_${q} = real4(column0_${q}[${j}], column1_${q}[${j}], column2_${q}[${j}], column3_${q}[${j}]);
#end
#else
#for j in PIECE
                    let b${j}_${q} = real4(b[(at * ${PIECE}u + ${j}u) * B_FOURS + right + ${q}u * ACROSS]);
#end
#end
#end
#for p in QM
#for i in 4
                    let a${p}_${i} = piece(a[at * ${TILE_M}u + row_of(down, ${p}u, ${i}u)]);
#for j in PIECE
#for q in QN
                    sum${p}_${i}_${q} += a${p}_${i}[${j}] * b${j}_${q};
#end
#end
#end
#end
                }
#end
#else
#for j in 4
                {
                    let at = s * 4u + ${j}u;
#for p in QM
                    let a${p} = real4(a[at * A_FOURS + down + ${p}u * DOWN]);
#end
#for q in QN
                    let b${q} = real4(b[at * B_FOURS + right + ${q}u * ACROSS]);
#for p in QM
#for i in 4
                    sum${p}_${i}_${q} += a${p}[${i}] * b${q};
#end
#end
#end
                }
#end
#end
            }
        }
        if k >= to_k {
            break;
        }
        workgroupBarrier();
        stage(next, t);
        workgroupBarrier();
    }
#for p in QM
#for i in 4
    let m${p}_${i} = m0 + row_of(down, ${p}u, ${i}u);
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
#end
