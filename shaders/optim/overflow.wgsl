// Whether a scaled loss has a gradient that is infinite or NaN.
// Equation: state[FOUND] = 1 (as bits) if one of gradients is not finite
// Reference: reference/update.rs `rescale`.
// Layout: gradients the bits of a vector as vec4, state that of a loss scale (graph/loss_scale.rs).
// One invocation: four gradients.
// Text: FOUND. Constants: COUNT (vec4).
//
// The bits are looked at, as in reduce/finite.wgsl: WGSL allows an implementation to take it that all numbers are finite.
#import lib/grid

override COUNT: u32;

const EXPONENT = 0x7f800000u;

@group(0) @binding(0) var<storage, read> gradients: array<vec4<u32>>;
@group(0) @binding(1) var<storage, read_write> state: array<atomic<u32>>;

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) workgroups: vec3<u32>) {
    let i = invocation(id, workgroups);
    if i < COUNT && any((gradients[i] & vec4(EXPONENT)) == vec4(EXPONENT)) {
        atomicOr(&state[${FOUND}], 1u);
    }
}
