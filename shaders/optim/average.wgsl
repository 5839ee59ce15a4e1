// A moving average of all parameters of an optimizer: one dispatch.
// Equation: average = decay * average + (1 - decay) * parameters
// Reference: reference/update.rs `apply`.
// Layout: parameters and average vectors as vec4, decay one number.
// One invocation: four numbers.
// Constants: COUNT (vec4).
#import lib/real
#import lib/grid

override COUNT: u32;

@group(0) @binding(0) var<storage, read> parameters: array<real4>;
@group(0) @binding(1) var<storage, read> decay: array<real>;
@group(0) @binding(2) var<storage, read_write> average: array<real4>;

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) workgroups: vec3<u32>) {
    let i = invocation(id, workgroups);
    if i < COUNT {
        average[i] = decay[0] * average[i] + (1.0 - decay[0]) * parameters[i];
    }
}
