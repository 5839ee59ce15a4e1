// A product of few columns, such as the pixels of an image by its last layer: the entry point of narrow contractions.
//
// One invocation computes P neighbouring pixels of a row of results, all N channels each, over every LANES-th four of the channels
// of x. For each row of taps it loads SPAN fours of x once, and each is multiplied by every tap that it meets. LANES neighbouring
// invocations have the other fours of the same pixels: they read neighbouring memory, and their sums are added up in order at
// the end.
//
// The including kernel declares x and w, in vec4s, and says what they are:
// x is A_LINES rows, those of all images, of A_WIDTH pixels of C_FOURS vec4s. `begin(layer)` is called first; `lines()` and `width()`
// are rows and columns of results; `depth_y()` is how many taps lie in a column; `line_of(row, ty)` is the row of x that meets tap ty,
// A_LINES where it is outside; `first(column)` is the column of x that tap 0 of a row meets, tap 1 the next, and the next result
// PIXEL_STEP further; `there_x(tx)` whether there is such a tap; `w_at(ty, tx, c, n)` is vec4 n of the N that hold the weights of
// channels 4c to 4c + 3; `result_at(row, column)` is where a pixel's results begin.
// Text: P, N, N_FOURS (N / 4), SPAN, TAPS (the most taps in a row), LANES (a power of two up to 64), W_ALONG (a vec4 of weights lies
// along the channels of x, not of the result), XVEC (set), lib/operand.wgsl.

override LAYERS: u32;
// The most of all layers: rows, and blocks of P pixels in a row.
override LINES: u32;
override BLOCKS: u32;

const GROUPS = 64u / ${LANES}u;
// Lanes of a pixel's results.
const N_LANES = ${N}u / LANE;
const RESULTS = ${P}u * N_LANES;

var<workgroup> partial: array<lane, 64u * RESULTS>;

@compute @workgroup_size(64)
fn main(
    @builtin(workgroup_id) id: vec3<u32>,
    @builtin(num_workgroups) workgroups: vec3<u32>,
    @builtin(local_invocation_index) t: u32,
) {
    let block = (id.y * workgroups.x + id.x) * GROUPS + t / ${LANES}u;
    let layer = block / (LINES * BLOCKS);
    let row = block / BLOCKS % LINES;
    let column = block % BLOCKS * ${P}u;
    begin(layer);
    let there = (layer < LAYERS) & (row < lines()) & (column < width());
    var sum: array<array<real, ${N}>, ${P}>;
#for p in P
#for n in N
    sum[${p}][${n}] = real(0);
#end
#end
    let left = first(column);
    for (var c = t % ${LANES}u; c < select(0u, ${C_FOURS}, there); c += ${LANES}u) {
        for (var ty = 0u; ty < depth_y(); ty += 1u) {
            let line = line_of(row, ty);
            if line >= ${A_LINES} {
                continue;
            }
            var fours: array<real4, ${SPAN}>;
#for s in SPAN
            {
                let inside = left + ${s}u < ${A_WIDTH};
#if MIRRORED
                let pixel = line * SOURCE_W + mirror(left + ${s}u, LEFT, SOURCE_W);
#else
                let pixel = line * ${A_WIDTH} + left + ${s}u;
#end
                let at = select(0u, pixel * ${C_FOURS} + c, inside);
                fours[${s}] = select(real4(0), to_input(x[at]), inside);
            }
#end
#for u in TAPS
            if there_x(${u}u) {
                var weights: array<real4, ${N}>;
#for n in N
                weights[${n}] = to_input(w[w_at(ty, ${u}u, c, ${n}u)]);
#end
#for p in P
#for j in 4
#for n in N
#if W_ALONG
                sum[${p}][${n}] += fours[${p}u * ${PIXEL_STEP} + ${u}u][${j}] * weights[${n}][${j}];
#else
                sum[${p}][${n}] += fours[${p}u * ${PIXEL_STEP} + ${u}u][${j}] * weights[(${j}u * ${N}u + ${n}u) / 4u][(${j}u * ${N}u + ${n}u) % 4u];
#end
#end
#end
#end
            }
#end
        }
    }
#for p in P
#if VEC4
#for l in N_FOURS
    partial[t * RESULTS + ${p}u * N_LANES + ${l}u] =
        lane(sum[${p}][4u * ${l}u], sum[${p}][4u * ${l}u + 1u], sum[${p}][4u * ${l}u + 2u], sum[${p}][4u * ${l}u + 3u]);
#end
#else
#for n in N
    partial[t * RESULTS + ${p}u * ${N}u + ${n}u] = sum[${p}][${n}];
#end
#end
#end
    workgroupBarrier();
    let from_group = t / ${LANES}u * ${LANES}u * RESULTS;
    for (var r = t % ${LANES}u; r < RESULTS; r += ${LANES}u) {
        let result = column + r / N_LANES;
        if there & (result < width()) {
            var total = lane(0);
            for (var l = 0u; l < ${LANES}u; l += 1u) {
                total += partial[from_group + l * RESULTS + r];
            }
            store(result_at(row, result) / LANE + r % N_LANES, total);
        }
    }
}
