// y = the sum of TERMS x PARTS tensors, added in order, and what is fused behind.
//
// Layout: each x [PARTS, COUNT], y [COUNT], in lanes. One invocation: one lane of y. Text: VEC4, TERMS. Constants: PARTS COUNT.
#import lib/lane
#import lib/grid
#import lib/epilogue

override PARTS: u32;
override COUNT: u32;

#for k in TERMS
@group(0) @binding(${k}) var<storage, read> x${k}: array<lane>;
#end
@group(0) @binding(${RESULT}) var<storage, read_write> y: array<lane>;

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) workgroups: vec3<u32>) {
    let i = invocation(id, workgroups);
    if i >= COUNT {
        return;
    }
    var sum = lane(0);
#for k in TERMS
    for (var part = 0u; part < PARTS; part += 1u) {
        sum += x${k}[part * COUNT + i];
    }
#end
    y[i] = epilogue(sum, i);
}
