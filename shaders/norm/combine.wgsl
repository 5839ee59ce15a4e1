// The parts of norm/moments.wgsl joined in order: mean and biased variance of each group's channels.
// The joining rule is Chan, Golub and LeVeque's (1979): stable for any mean.
//
// Layout: parts [GROUPS, PARTS, 2, C], out [GROUPS, 2, C], C counted in lanes. One invocation: one channel lane of a
// group. Text: VEC4. Constants: GROUPS ROWS C PARTS as there.
#import lib/lane
#import lib/grid

override GROUPS: u32;
override ROWS: u32;
override C: u32;
override PARTS: u32;

@group(0) @binding(0) var<storage, read> parts: array<lane>;
@group(0) @binding(1) var<storage, read_write> moments: array<lane>;

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) workgroups: vec3<u32>) {
    let i = invocation(id, workgroups);
    if i >= GROUPS * C {
        return;
    }
    let c = i % C;
    let group = i / C;
    var mean = lane(0);
    var squares = lane(0);
    var count = 0.0;
    for (var part = 0u; part < PARTS; part += 1u) {
        let at = (group * PARTS + part) * 2u * C + c;
        let added = real((ROWS - part + PARTS - 1u) / PARTS);
        let total = count + added;
        let difference = parts[at] - mean;
        mean += difference * (added / total);
        squares += parts[at + C] + difference * difference * (count * added / total);
        count = total;
    }
    moments[group * 2u * C + c] = mean;
    moments[group * 2u * C + C + c] = squares / real(ROWS);
}
