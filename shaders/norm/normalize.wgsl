// Normalisation by moments that are given; or, with PARTIAL, joined here from the parts of norm/moments.wgsl and stored once.
// Equation: y = (x - mean) / sqrt(variance + eps) * weight + bias, and what is fused behind
// Reference: reference/norm.rs `normalize`.
// Layout: x and y [GROUPS, ROWS, C], moments [GROUPS, 2, C], or [GROUPS, PARTS, 2, C] and whole [GROUPS, 2, C], weight_bias
//     [2, C], C counted in lanes.
// One invocation: one lane of every BLOCKS-th row.
// Text: VEC4, AFFINE, PARTIAL, THREADS, EPILOGUE.
// Constants: GROUPS ROWS C BLOCKS EPS PARTS.
#import lib/lane
#import lib/grid
#import lib/epilogue
#if PARTIAL
#import lib/moments
#end

override GROUPS: u32;
override ROWS: u32;
override C: u32;
override BLOCKS: u32;
override EPS: f32;

@group(0) @binding(0) var<storage, read> x: array<lane>;
@group(0) @binding(1) var<storage, read> moments: array<lane>;
#if AFFINE
@group(0) @binding(${AFFINE_AT}) var<storage, read> weight_bias: array<lane>;
#end
@group(0) @binding(${RESULT}) var<storage, read_write> y: array<lane>;

#if PARTIAL
override PARTS: u32;
@group(0) @binding(${RESULT1}) var<storage, read_write> whole: array<lane>;

fn part_rows(part: u32) -> real {
    // Rows part * THREADS + (0 .. THREADS) of every PARTS * THREADS.
    let stride = PARTS * ${THREADS}u;
    let first = part * ${THREADS}u;
    return real(ROWS / stride * ${THREADS}u + clamp(ROWS % stride, first, first + ${THREADS}u) - first);
}
#end

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) workgroups: vec3<u32>) {
    let i = invocation(id, workgroups);
    let c = i % C;
    let block = i / C % BLOCKS;
    let group = i / (C * BLOCKS);
    if group >= GROUPS {
        return;
    }
#if PARTIAL
    var all = Statistics(lane(0), lane(0), real(0));
    for (var part = 0u; part < PARTS; part += 1u) {
        let at = (group * PARTS + part) * 2u * C + c;
        all = join(all, Statistics(moments[at], moments[at + C], part_rows(part)));
    }
    let mean = all.mean;
    let variance = all.squares / real(ROWS);
    if block == 0u {
        whole[group * 2u * C + c] = mean;
        whole[group * 2u * C + C + c] = variance;
    }
#else
    let mean = moments[group * 2u * C + c];
    let variance = moments[group * 2u * C + C + c];
#end
    let deviation = sqrt(variance + lane(real(EPS)));
    for (var row = block; row < ROWS; row += BLOCKS) {
        let at = (group * ROWS + row) * C + c;
        var value = (x[at] - mean) / deviation;
#if AFFINE
        value = value * weight_bias[c] + weight_bias[C + c];
#end
        y[at] = epilogue(value, at);
    }
}
