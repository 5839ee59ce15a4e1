// y = the sum of PARTS tensors that lie one after another, added in order, and what is fused behind.
//
// Layout: x [PARTS, COUNT], y [COUNT], in lanes. One invocation: one lane of y. Text: VEC4. Constants: PARTS COUNT.
#import lib/lane
#import lib/grid
#import lib/epilogue

override PARTS: u32;
override COUNT: u32;

@group(0) @binding(0) var<storage, read> x: array<lane>;
@group(0) @binding(${RESULT}) var<storage, read_write> y: array<lane>;

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
    y[i] = epilogue(sum, i);
}
