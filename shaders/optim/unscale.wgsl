// The gradients of a loss, from those of the scaled loss; all 0 where the update is left out.
// Equation: gradients = gradients * factor, 0 if factor is 0
// Reference: reference/update.rs `apply`.
// Layout: state that of a loss scale, gradients a vector as vec4.
// One invocation: four gradients.
// Text: FACTOR. Constants: COUNT (vec4).
#import lib/real
#import lib/grid

override COUNT: u32;

@group(0) @binding(0) var<storage, read> state: array<real>;
@group(0) @binding(1) var<storage, read_write> gradients: array<real4>;

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) workgroups: vec3<u32>) {
    let i = invocation(id, workgroups);
    if i < COUNT {
        let factor = state[${FACTOR}];
        if factor == 0.0 {
            gradients[i] = real4(0);
        } else {
            gradients[i] *= factor;
        }
    }
}
