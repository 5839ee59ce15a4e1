// y[i] = sum of x[part, i] over the PARTS parts of a contraction, in order: where a contraction is split, its bias and
// activation are applied here. Reference: the contraction's own.
//
// Layout: x [PARTS, COUNT] and y [COUNT], counted in lanes. One invocation: one lane of y.
// Text: VEC4 (channels of y divide by 4), lib/store.wgsl. Constants: PARTS, COUNT.
#import lib/lane
#import lib/grid
#import lib/store

override PARTS: u32;
override COUNT: u32;

@group(0) @binding(0) var<storage, read> x: array<lane>;

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) workgroups: vec3<u32>) {
    let i = invocation(id, workgroups);
    if i >= COUNT {
        return;
    }
    var sum = lane(0);
    for (var part = 0u; part < PARTS; part += 1u) {
        sum += x[part * COUNT + i];
    }
    store(i, i, sum);
}
