// Each picture moved by its own whole pixels (dy, dx), zeros where nothing arrives.
// Equation: y[n,h,w,c] = x[n, h - SIGN * offsets[n,0], w - SIGN * offsets[n,1], c], 0 outside
// Reference: reference/spatial.rs `shift`.
// Layout: x and y [n, H, W, C], C counted in lanes; offsets [n, 2].
// One invocation: one lane of y.
// Text: VEC4.
// Constants: COUNT (lanes of y), H W C, SIGN (-1 for the transpose).
#import lib/lane
#import lib/grid

override COUNT: u32;
override H: u32;
override W: u32;
override C: u32;
override SIGN: f32;

@group(0) @binding(0) var<storage, read> x: array<lane>;
@group(0) @binding(1) var<storage, read> offsets: array<real>;
@group(0) @binding(2) var<storage, read_write> y: array<lane>;

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) workgroups: vec3<u32>) {
    let i = invocation(id, workgroups);
    if i >= COUNT {
        return;
    }
    let n = i / (C * W * H);
    let h = i32(i / (C * W) % H) - i32(round(real(SIGN) * offsets[n * 2u]));
    let w = i32(i / C % W) - i32(round(real(SIGN) * offsets[n * 2u + 1u]));
    var value = lane(0);
    if h >= 0 && w >= 0 && h < i32(H) && w < i32(W) {
        value = x[((n * H + u32(h)) * W + u32(w)) * C + i % C];
    }
    y[i] = value;
}
