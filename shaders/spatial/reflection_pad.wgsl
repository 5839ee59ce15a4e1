// An image continued by mirroring it about its border pixels.
// Equation: y[n,h,w,c] = x[n, mirror(h - TOP), mirror(w - LEFT), c]
// Reference: reference/spatial.rs `reflection_pad`.
// Layout: x [n, H, W, C], y [n, YH, YW, C], C counted in lanes.
// One invocation: one lane of y.
// Text: VEC4.
// Constants: COUNT (lanes of y), H W C YH YW TOP LEFT.
#import lib/lane
#import lib/grid
#import lib/mirror

override COUNT: u32;
override H: u32;
override W: u32;
override C: u32;
override YH: u32;
override YW: u32;
override TOP: u32;
override LEFT: u32;

@group(0) @binding(0) var<storage, read> x: array<lane>;
@group(0) @binding(1) var<storage, read_write> y: array<lane>;

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) workgroups: vec3<u32>) {
    let i = invocation(id, workgroups);
    if i >= COUNT {
        return;
    }
    let c = i % C;
    let w = mirror(i / C % YW, LEFT, W);
    let h = mirror(i / (C * YW) % YH, TOP, H);
    let n = i / (C * YW * YH);
    y[i] = x[((n * H + h) * W + w) * C + c];
}
