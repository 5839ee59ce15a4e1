// The two sums of a normalisation's gradient over a part of the rows of a group; norm/grad.wgsl or reduce/parts.wgsl adds the
// parts.
// Equation: sums[0] = sum over rows of gy * xhat, sums[1] = sum over rows of gy; xhat = (x - mean) / sqrt(variance + eps)
// Reference: reference/norm.rs `grad_sums`.
// Layout: x and gy [GROUPS, ROWS, C], moments [GROUPS, 2, C], sums [PARTS, GROUPS, 2, C], C counted in lanes; gy is what LOAD
//     computes (lib/load.wgsl).
// One workgroup: LANES lanes of one part (lib/cooperative.wgsl).
// Text: VEC4, LANES, THREADS, COOPERATIVE, LOAD, JOINED (lib/joined.wgsl).
// Constants: GROUPS ROWS C PARTS EPS.
#import lib/lane
#import lib/norm_sums

override GROUPS: u32;
override ROWS: u32;
override C: u32;
override PARTS: u32;
override EPS: f32;

@group(0) @binding(0) var<storage, read> x: array<lane>;
@group(0) @binding(1) var<storage, read> moments: array<lane>;
@group(0) @binding(${RESULT}) var<storage, read_write> sums: array<lane>;

@compute @workgroup_size(WORKGROUP)
fn main(
    @builtin(workgroup_id) id: vec3<u32>,
    @builtin(num_workgroups) workgroups: vec3<u32>,
    @builtin(local_invocation_index) t: u32,
) {
    let m = member(id, workgroups, t, C, PARTS);
    let c = min(m.lane, C - 1u);
    let group = min(m.group, GROUPS - 1u);
    let mean = moments[group * 2u * C + c];
    let inverse = lane(1) / sqrt(moments[group * 2u * C + C + c] + lane(real(EPS)));
    let first = m.part * ${THREADS}u + m.row;
    let own = of_rows(group * ROWS * C + c, C, first, PARTS * ${THREADS}u, ROWS, mean, inverse);
    let all = of_all(t, own);
    if m.lane >= C || m.group >= GROUPS || m.row > 0u {
        return;
    }
    let at = (m.part * GROUPS + group) * 2u * C + c;
    sums[at] = all.weight;
    sums[at + C] = all.bias;
}
