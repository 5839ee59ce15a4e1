// Where a vector first holds an infinity or NaN.
// Equation: found = the most, over all i whose x[i] is infinite or NaN, of the number of x from there on; 0 if there is none
// Reference: reference/prepared.rs `first_non_finite`.
// Layout: x the bits of a vector as vec4, found one number that is 0 before.
// One invocation: four x.
//
// WGSL allows an implementation to take it that neither occurs, and with that to drop any test of a value. So the bits are
// looked at: in both the exponent's are all ones.
#import lib/grid

const EXPONENT = 0x7f800000u;

@group(0) @binding(0) var<storage, read> x: array<vec4<u32>>;
@group(0) @binding(1) var<storage, read_write> found: atomic<u32>;

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) workgroups: vec3<u32>) {
    let i = invocation(id, workgroups);
    let count = arrayLength(&x);
    if i < count {
        let bad = (x[i] & vec4(EXPONENT)) == vec4(EXPONENT);
        if any(bad) {
            let first = select(select(select(3u, 2u, bad.z), 1u, bad.y), 0u, bad.x);
            atomicMax(&found, 4u * (count - i) - first);
        }
    }
}
