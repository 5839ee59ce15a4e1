// A normalisation's gradient to its operand, from sums over its rows.
// Equation: dx = weight / deviation * (gy - SHARE * (sum(gy) + xhat * sum(gy * xhat))), SHARE = 1 / rows, or 0 where the
//     moments are constants
// Reference: reference/norm.rs `grad`.
// Layout: x, gy and dx [GROUPS, ROWS, C], moments [GROUPS, 2, C], parts [PARTS, GROUPS, 2, C], weight_bias [2, C], sums
//     [GROUPS, 2, C], C counted in lanes; gy is what LOAD computes (lib/load.wgsl).
// One invocation: one lane of every BLOCKS-th row; it adds up the PARTS parts of the sums, and with KEEP stores them once.
// Text: VEC4, AFFINE, KEEP, LOAD.
// Constants: GROUPS ROWS C BLOCKS PARTS EPS SHARE.
#import lib/lane
#import lib/grid
#import lib/load

override GROUPS: u32;
override ROWS: u32;
override C: u32;
override BLOCKS: u32;
override PARTS: u32;
override EPS: f32;
override SHARE: f32;

@group(0) @binding(0) var<storage, read> x: array<lane>;
@group(0) @binding(1) var<storage, read> moments: array<lane>;
@group(0) @binding(2) var<storage, read> parts: array<lane>;
#if AFFINE
@group(0) @binding(3) var<storage, read> weight_bias: array<lane>;
#end
@group(0) @binding(${RESULT}) var<storage, read_write> dx: array<lane>;
#if KEEP
@group(0) @binding(${RESULT1}) var<storage, read_write> sums: array<lane>;
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
    let at = group * 2u * C + c;
    var weight = lane(0);
    var bias = lane(0);
    for (var part = 0u; part < PARTS; part += 1u) {
        weight += parts[part * GROUPS * 2u * C + at];
        bias += parts[part * GROUPS * 2u * C + at + C];
    }
#if KEEP
    if block == 0u {
        sums[at] = weight;
        sums[at + C] = bias;
    }
#end
    let mean = moments[at];
    let inverse = lane(1) / sqrt(moments[at + C] + lane(real(EPS)));
    var factor = inverse;
#if AFFINE
    factor *= weight_bias[c];
#end
    for (var row = block; row < ROWS; row += BLOCKS) {
        let i = (group * ROWS + row) * C + c;
        let xhat = (x[i] - mean) * inverse;
        dx[i] = factor * (load(i) - real(SHARE) * (bias + xhat * weight));
    }
}
