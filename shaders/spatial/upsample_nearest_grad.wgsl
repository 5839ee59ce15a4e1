// The transpose of spatial/upsample_nearest.wgsl: blocks are summed.
// Equation: dx[n,h,w,c] = sum over a < FY, b < FX of gy[n, h * FY + a, w * FX + b, c]
// Reference: reference/spatial.rs `upsample_grad`.
// Layout: dx [n, H, W, C], gy [n, H * FY, W * FX, C], C counted in lanes.
// One invocation: one lane of dx.
// Text: VEC4.
// Constants: COUNT (lanes of dx), H W C FY FX.
#import lib/lane
#import lib/grid

override COUNT: u32;
override H: u32;
override W: u32;
override C: u32;
override FY: u32;
override FX: u32;

@group(0) @binding(0) var<storage, read> gy: array<lane>;
@group(0) @binding(1) var<storage, read_write> dx: array<lane>;

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) workgroups: vec3<u32>) {
    let i = invocation(id, workgroups);
    if i >= COUNT {
        return;
    }
    let c = i % C;
    let w = i / C % W;
    let row = i / (C * W);
    var sum = lane(0);
    for (var y = 0u; y < FY; y += 1u) {
        for (var x = 0u; x < FX; x += 1u) {
            sum += gy[((row * FY + y) * W * FX + w * FX + x) * C + c];
        }
    }
    dx[i] = sum;
}
