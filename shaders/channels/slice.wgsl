// Some neighbouring channels of a tensor; or, of the transpose, a tensor put among channels of zeros.
// Equation: y[p,c] = x[p,c + SKIPPED - ZEROS], 0 where x has no such channel
// Reference: reference/channels.rs `slice`, `slice_grad`.
// Layout: x [pixels, X], y [pixels, Y], channels counted in lanes.
// One invocation: one lane of y.
// Text: VEC4 (where both counts of channels and the first channel divide by 4).
// Constants: COUNT (lanes of y), X Y, SKIPPED (lanes of x in front of the first) or, of the transpose, ZEROS (lanes of y).
#import lib/lane
#import lib/grid

override COUNT: u32;
override X: u32;
override Y: u32;
override SKIPPED: u32;
override ZEROS: u32;

@group(0) @binding(0) var<storage, read> x: array<lane>;
@group(0) @binding(1) var<storage, read_write> y: array<lane>;

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) workgroups: vec3<u32>) {
    let i = invocation(id, workgroups);
    if i >= COUNT {
        return;
    }
    // Before the zeros end it wraps round to a number larger than any channel.
    let c = i % Y + SKIPPED - ZEROS;
    var value = lane(0);
    if c < X {
        value = x[i / Y * X + c];
    }
    y[i] = value;
}
