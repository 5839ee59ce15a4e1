// A copy: the rate at which this device reads and writes memory.
// Equation: y[i] = x[i]
// Reference: none; nothing but its time is looked at.
// Layout: x and y vectors as vec4.
// One invocation: one four.
// Constants: COUNT (vec4).
#import lib/real
#import lib/grid

override COUNT: u32;

@group(0) @binding(0) var<storage, read> x: array<real4>;
@group(0) @binding(1) var<storage, read_write> y: array<real4>;

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) workgroups: vec3<u32>) {
    let i = invocation(id, workgroups);
    if i < COUNT {
        y[i] = x[i];
    }
}
