// The entry point of a tile (lib/tile.wgsl) whose products matrix units compute: f16 by f16, summed in f32.
//
// A slice of both operands lies in workgroup memory, each row of A and each column of B along the contraction, so that a subgroup loads
// the SIZE x SIZE matrices of both as they lie. The tile is made of PATCHES_M x PATCHES_N patches of PATCH_M x PATCH_N results.
// Each subgroup holds one; where subgroups may be ROUNDS times as large as SUBGROUP, and so fewer, up to ROUNDS of them.
// Text: SIZE (8 or 16), PATCHES_M, PATCHES_N, FRAGMENTS_M and FRAGMENTS_N (matrices of a patch down and across), STEPS (SLICE / SIZE), SUBGROUP, ROUNDS,
// SEVERAL (ROUNDS is more than 1).
const SIZE = ${SIZE}u;
const PATCHES = ${PATCHES_M}u * ${PATCHES_N}u;
const THREADS = PATCHES * ${SUBGROUP}u;
// Numbers from one row or column to the next: the slice, and 16 bytes so that they do not meet in one bank.
const LINE = ${SLICE}u + 8u;
const AREA = SIZE * SIZE;

var<workgroup> lines: array<f16, (${TILE_M}u + ${TILE_N}u) * LINE>;
// A matrix of results of each patch, on their way to storage.
var<workgroup> results: array<f32, PATCHES * AREA>;

#if SEVERAL
var<workgroup> needed: u32;
#end

// Puts a slice where it is multiplied; what is outside becomes zero.
fn stage(next: Next, t: u32) {
#for l in A_EACH
    let a${l} = vec4<f16>(select(real4(0), real4(next.a${l}), next.a_inside${l}));
#if A_ALONG_K
    let at_a${l} = (t / K_FOURS + ${l}u * (THREADS / K_FOURS)) * LINE + t % K_FOURS * 4u;
#for j in 4
    lines[at_a${l} + ${j}u] = a${l}[${j}];
#end
#else
    let at_a${l} = t % A_FOURS * 4u * LINE + t / A_FOURS + ${l}u * (THREADS / A_FOURS);
#for j in 4
    lines[at_a${l} + ${j}u * LINE] = a${l}[${j}];
#end
#end
#end
#for l in B_EACH
    let b${l} = vec4<f16>(select(real4(0), real4(next.b${l}), next.b_inside${l}));
#if B_ALONG_K
    let at_b${l} = (${TILE_M}u + t / K_FOURS + ${l}u * (THREADS / K_FOURS)) * LINE + t % K_FOURS * 4u;
#for j in 4
    lines[at_b${l} + ${j}u] = b${l}[${j}];
#end
#else
    let at_b${l} = (${TILE_M}u + t % B_FOURS * 4u) * LINE + t / B_FOURS + ${l}u * (THREADS / B_FOURS);
#for j in 4
    lines[at_b${l} + ${j}u * LINE] = b${l}[${j}];
#end
#end
#end
}

@compute @workgroup_size(THREADS)
fn main(
    @builtin(workgroup_id) id: vec3<u32>,
    @builtin(num_workgroups) workgroups: vec3<u32>,
    @builtin(local_invocation_index) t: u32,
    @builtin(subgroup_id) subgroup: u32,
    @builtin(num_subgroups) subgroups: u32,
) {
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
#if SEVERAL
    if t == 0u {
        needed = (PATCHES + subgroups - 1u) / subgroups;
    }
    let rounds = workgroupUniformLoad(&needed);
#end
#for r in ROUNDS
    let patch${r} = subgroup + ${r}u * subgroups;
    let a${r} = patch${r} / ${PATCHES_N}u * ${FRAGMENTS_M}u * SIZE * LINE;
    let b${r} = (${TILE_M}u + patch${r} % ${PATCHES_N}u * ${FRAGMENTS_N}u * SIZE) * LINE;
#for p in FRAGMENTS_M
#for q in FRAGMENTS_N
    var sum${r}_${p}_${q} = coop_mat${SIZE}x${SIZE}<f32, C>();
#end
#end
#end
    stage(load(mine, from_k), t);
    workgroupBarrier();
    // In the last round there is nothing to load any more.
    for (var k = from_k + ${SLICE}u; ; k += ${SLICE}u) {
        var next: Next;
        if k < to_k {
            next = load(mine, k);
        }
#for r in ROUNDS
#if SEVERAL
        if rounds > ${r}u {
#end
#for s in STEPS
#for p in FRAGMENTS_M
            let at_a${s}_${p} = a${r} + ${p}u * SIZE * LINE + ${s}u * SIZE;
            let a${s}_${p} = coopLoadT<coop_mat${SIZE}x${SIZE}<f16, A>>(&lines[at_a${s}_${p}], LINE);
#end
#for q in FRAGMENTS_N
            let at_b${s}_${q} = b${r} + ${q}u * SIZE * LINE + ${s}u * SIZE;
            let b${s}_${q} = coopLoad<coop_mat${SIZE}x${SIZE}<f16, B>>(&lines[at_b${s}_${q}], LINE);
#for p in FRAGMENTS_M
            sum${r}_${p}_${q} = coopMultiplyAdd(a${s}_${p}, b${s}_${q}, sum${r}_${p}_${q});
#end
#end
#end
#if SEVERAL
        }
#end
#end
        if k >= to_k {
            break;
        }
        workgroupBarrier();
        stage(next, t);
        workgroupBarrier();
    }
#for p in FRAGMENTS_M
#for q in FRAGMENTS_N
#for r in ROUNDS
#if SEVERAL
    if rounds > ${r}u {
#else
    {
#end
        let to${r}_${p}_${q} = patch${r} * AREA;
        coopStoreT(sum${r}_${p}_${q}, &results[to${r}_${p}_${q}], SIZE);
    }
#end
    workgroupBarrier();
    for (var i = t * 4u; i < PATCHES * AREA; i += THREADS * 4u) {
        let own = i / AREA;
        let m = m0 + (own / ${PATCHES_N}u * ${FRAGMENTS_M}u + ${p}u) * SIZE + i % AREA / SIZE;
        let n = n0 + (own % ${PATCHES_N}u * ${FRAGMENTS_N}u + ${q}u) * SIZE + i % SIZE;
        if m < rows() {
            let four = real4(results[i], results[i + 1u], results[i + 2u], results[i + 3u]);
            store4(part * PART_LEN + result_at(m) + n, n, four);
        }
    }
    workgroupBarrier();
#end
#end
}
