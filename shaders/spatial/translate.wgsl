// Each image moved by its own pixels (dy, dx), rounded, halves to even; zeros where nothing arrives, or an offset is NaN.
// Equation: y[n,h,w,c] = x[n, h - SIGN * round(offsets[n,0]), w - SIGN * round(offsets[n,1]), c], 0 outside
// Reference: reference/spatial.rs `translate`.
// Layout: x and y [n, H, W, C], C counted in lanes; offsets [n, 2].
// One invocation: one lane of y.
// Text: VEC4.
// Constants: COUNT (lanes of y), H W C, SIGN (-1 for the transpose).
#import lib/lane
#import lib/elementary
#import lib/grid

override COUNT: u32;
override H: u32;
override W: u32;
override C: u32;
override SIGN: f32;

@group(0) @binding(0) var<storage, read> x: array<lane>;
@group(0) @binding(1) var<storage, read> offsets: array<real>;
@group(0) @binding(2) var<storage, read_write> y: array<lane>;

// Pixels by which an offset moves an image of so many: at most all of them.
fn moved(offset: real, extent: u32) -> i32 {
    if is_nan(offset) {
        return i32(extent);
    }
    return i32(real(SIGN) * round(clamp(offset, -real(extent), real(extent))));
}

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) workgroups: vec3<u32>) {
    let i = invocation(id, workgroups);
    if i >= COUNT {
        return;
    }
    let n = i / (C * W * H);
    let h = i32(i / (C * W) % H) - moved(offsets[n * 2u], H);
    let w = i32(i / C % W) - moved(offsets[n * 2u + 1u], W);
    var value = lane(0);
    if (h >= 0) & (w >= 0) & (h < i32(H)) & (w < i32(W)) {
        value = x[((n * H + u32(h)) * W + u32(w)) * C + i % C];
    }
    y[i] = value;
}
