// A whole normalisation where one workgroup can do it: the moments of its rows, then the rows.
// Equation: y = (x - mean) / sqrt(variance + eps) * weight + bias, and what is fused behind
// Reference: reference/norm.rs `moments`, `normalize`.
// Layout: x and y [GROUPS, ROWS, C], moments [GROUPS, 2, C], weight_bias [2, C], C counted in lanes.
// One workgroup: LANES lanes of one group (lib/cooperative.wgsl).
// Text: VEC4, AFFINE, LANES, THREADS, COOPERATIVE, EPILOGUE, JOINED (lib/joined.wgsl).
// Constants: GROUPS ROWS C EPS.
#import lib/lane
#import lib/statistics
#import lib/epilogue

override GROUPS: u32;
override ROWS: u32;
override C: u32;
override EPS: f32;

#if JOINED
#else
@group(0) @binding(0) var<storage, read> x: array<lane>;
#end
#if AFFINE
@group(0) @binding(${AFFINE_AT}) var<storage, read> weight_bias: array<lane>;
#end
@group(0) @binding(${RESULT}) var<storage, read_write> y: array<lane>;
@group(0) @binding(${RESULT1}) var<storage, read_write> moments: array<lane>;

@compute @workgroup_size(WORKGROUP)
fn main(
    @builtin(workgroup_id) id: vec3<u32>,
    @builtin(num_workgroups) workgroups: vec3<u32>,
    @builtin(local_invocation_index) t: u32,
) {
    let m = member(id, workgroups, t, C, 1u);
    let c = min(m.lane, C - 1u);
    let group = min(m.group, GROUPS - 1u);
    let all = of_all(t, of_rows(group * ROWS * C + c, C, m.row, ${THREADS}u, ROWS));
    if m.lane >= C || m.group >= GROUPS {
        return;
    }
    let variance = all.squares / real(ROWS);
    if m.row == 0u {
        moments[group * 2u * C + c] = all.mean;
        moments[group * 2u * C + C + c] = variance;
    }
    let deviation = sqrt(variance + lane(real(EPS)));
    for (var row = m.row; row < ROWS; row += ${THREADS}u) {
        let at = (group * ROWS + row) * C + c;
        var value = (x[at] - all.mean) / deviation;
#if AFFINE
        value = value * weight_bias[c] + weight_bias[C + c];
#end
        y[at] = epilogue(value, at);
    }
}
