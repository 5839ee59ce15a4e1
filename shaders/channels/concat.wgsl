// The channels of two tensors, one behind the other.
// Equation: y[p,c] = x[p,c] where c < A, else z[p,c - A]
// Reference: reference/channels.rs `concat`.
// Layout: x [pixels, A], z [pixels, B], y [pixels, A + B], channels counted in lanes.
// One invocation: one lane of y.
// Text: VEC4 (where both counts of channels divide by 4).
// Constants: COUNT (lanes of y), A B.
#import lib/lane
#import lib/grid

override COUNT: u32;
override A: u32;
override B: u32;

@group(0) @binding(0) var<storage, read> x: array<lane>;
@group(0) @binding(1) var<storage, read> z: array<lane>;
@group(0) @binding(2) var<storage, read_write> y: array<lane>;

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) workgroups: vec3<u32>) {
    let i = invocation(id, workgroups);
    if i >= COUNT {
        return;
    }
    let p = i / (A + B);
    let c = i % (A + B);
    if c < A {
        y[i] = x[p * A + c];
    } else {
        y[i] = z[p * B + c - A];
    }
}
