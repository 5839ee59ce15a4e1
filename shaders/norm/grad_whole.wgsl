// A normalisation's whole gradient where one workgroup can do it: the sums of norm/grad_sums.wgsl, then the dx of norm/grad.wgsl.
// Equation: dx = weight / deviation * (gy - SHARE * (sum(gy) + xhat * sum(gy * xhat))), SHARE = 1 / rows, or 0 where the
//     moments are constants
// Reference: reference/norm.rs `grad_sums`, `grad`.
// Layout: x, gy and dx [GROUPS, ROWS, C], moments and sums [GROUPS, 2, C], weight_bias [2, C], C counted in lanes; gy is what
//     LOAD computes (lib/load.wgsl).
// One workgroup: LANES lanes of one group (lib/cooperative.wgsl).
// Text: VEC4, AFFINE, KEEP, LANES, THREADS, COOPERATIVE, LOAD, JOINED (lib/joined.wgsl).
// Constants: GROUPS ROWS C EPS SHARE.
#import lib/lane
#import lib/norm_sums

override GROUPS: u32;
override ROWS: u32;
override C: u32;
override EPS: f32;
override SHARE: f32;

@group(0) @binding(0) var<storage, read> x: array<lane>;
@group(0) @binding(1) var<storage, read> moments: array<lane>;
#if AFFINE
@group(0) @binding(2) var<storage, read> weight_bias: array<lane>;
#end
@group(0) @binding(${RESULT}) var<storage, read_write> dx: array<lane>;
#if KEEP
@group(0) @binding(${RESULT1}) var<storage, read_write> sums: array<lane>;
#end

@compute @workgroup_size(WORKGROUP)
fn main(
    @builtin(workgroup_id) id: vec3<u32>,
    @builtin(num_workgroups) workgroups: vec3<u32>,
    @builtin(local_invocation_index) t: u32,
) {
    let m = member(id, workgroups, t, C, 1u);
    let c = min(m.lane, C - 1u);
    let group = min(m.group, GROUPS - 1u);
    let start = group * ROWS * C + c;
    let at = group * 2u * C + c;
    let mean = moments[at];
    let inverse = lane(1) / sqrt(moments[at + C] + lane(real(EPS)));
    let all = of_all(t, of_rows(start, C, m.row, ${THREADS}u, ROWS, mean, inverse));
    if m.lane >= C || m.group >= GROUPS {
        return;
    }
#if KEEP
    if m.row == 0u {
        sums[at] = all.weight;
        sums[at + C] = all.bias;
    }
#end
    var factor = inverse;
#if AFFINE
    factor *= weight_bias[c];
#end
    for (var row = m.row; row < ROWS; row += ${THREADS}u) {
        let i = start + row * C;
        let xhat = (x[i] - mean) * inverse;
        dx[i] = factor * (load(i) - real(SHARE) * (all.bias + xhat * all.weight));
    }
}
