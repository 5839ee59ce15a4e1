// Mean and summed squared deviation of each channel over a part of the rows of a group; with WHOLE, which needs one part, the
// biased variance in place of the sum.
// Equation: moments[0] = sum over rows of x / rows, moments[1] = sum over rows of (x - moments[0])^2
// Reference: reference/norm.rs `moments`.
// Layout: x [GROUPS, ROWS, C], moments [GROUPS, PARTS, 2, C], C counted in lanes.
// One workgroup: LANES lanes of one part (lib/cooperative.wgsl).
// Text: VEC4, LANES, THREADS, COOPERATIVE (THREADS is more than 1), WHOLE, JOINED (lib/joined.wgsl).
// Constants: GROUPS ROWS C PARTS.
#import lib/lane
#import lib/statistics

override GROUPS: u32;
override ROWS: u32;
override C: u32;
override PARTS: u32;

#if JOINED
#else
@group(0) @binding(0) var<storage, read> x: array<lane>;
#end
@group(0) @binding(${RESULT}) var<storage, read_write> moments: array<lane>;

@compute @workgroup_size(WORKGROUP)
fn main(
    @builtin(workgroup_id) id: vec3<u32>,
    @builtin(num_workgroups) workgroups: vec3<u32>,
    @builtin(local_invocation_index) t: u32,
) {
    let m = member(id, workgroups, t, C, PARTS);
    let c = min(m.lane, C - 1u);
    let group = min(m.group, GROUPS - 1u);
    let first = m.part * ${THREADS}u + m.row;
    let all = of_all(t, of_rows(group * ROWS * C + c, C, first, PARTS * ${THREADS}u, ROWS));
    if m.lane >= C || m.group >= GROUPS || m.row > 0u {
        return;
    }
    let at = (group * PARTS + m.part) * 2u * C + c;
    moments[at] = all.mean;
#if WHOLE
    moments[at + C] = all.squares / real(ROWS);
#else
    moments[at + C] = all.squares;
#end
}
