// Every pixel repeated FY x FX times.
// Equation: y[n,h,w,c] = x[n, h / FY, w / FX, c], whole divisions
// Reference: reference/spatial.rs `upsample`.
// Layout: x [n, H, W, C], y [n, H * FY, W * FX, C], C counted in lanes.
// One invocation: one lane of y.
// Text: VEC4.
// Constants: COUNT (lanes of y), H W C FY FX.
#import lib/lane
#import lib/grid

override COUNT: u32;
override H: u32;
override W: u32;
override C: u32;
override FY: u32;
override FX: u32;

@group(0) @binding(0) var<storage, read> x: array<lane>;
@group(0) @binding(1) var<storage, read_write> y: array<lane>;

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) workgroups: vec3<u32>) {
    let i = invocation(id, workgroups);
    if i >= COUNT {
        return;
    }
    let w = i / C % (W * FX) / FX;
    let h = i / (C * W * FX) % (H * FY) / FY;
    let n = i / (C * W * FX * H * FY);
    y[i] = x[((n * H + h) * W + w) * C + i % C];
}
