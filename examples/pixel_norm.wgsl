// y = x / sqrt(mean over channels of x^2 + EPS). Meaning: custom_op.rs `evaluate`.
//
// Layout: [PIXELS, CHANNELS]. One invocation: one pixel.
#import lib/real
#import lib/grid

override PIXELS: u32;
override CHANNELS: u32;
override EPS: f32;

@group(0) @binding(0) var<storage, read> x: array<real>;
@group(0) @binding(${RESULT}) var<storage, read_write> y: array<real>;

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) workgroups: vec3<u32>) {
    let pixel = invocation(id, workgroups);
    if pixel >= PIXELS {
        return;
    }
    let start = pixel * CHANNELS;
    var squares = real(0);
    for (var c = 0u; c < CHANNELS; c++) {
        squares += x[start + c] * x[start + c];
    }
    let scale = 1 / sqrt(squares / real(CHANNELS) + real(EPS));
    for (var c = 0u; c < CHANNELS; c++) {
        y[start + c] = x[start + c] * scale;
    }
}
