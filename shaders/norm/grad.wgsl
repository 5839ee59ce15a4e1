// dx = weight / deviation * (gy - SHARE * (sum(gy) + xhat * sum(gy * xhat))), SHARE = 1 / rows, or 0 where the moments
// are constants. Reference: reference/norm.rs `grad`.
//
// Layout: x, gy and dx [GROUPS, ROWS, C], moments and sums [GROUPS, 2, C], affine [2, C], C counted in lanes. One
// invocation: one lane of dx. Text: VEC4, AFFINE. Constants: COUNT (lanes of dx), ROWS C EPS SHARE.
#import lib/lane
#import lib/grid

override COUNT: u32;
override ROWS: u32;
override C: u32;
override EPS: f32;
override SHARE: f32;

@group(0) @binding(0) var<storage, read> x: array<lane>;
@group(0) @binding(1) var<storage, read> moments: array<lane>;
@group(0) @binding(2) var<storage, read> gy: array<lane>;
@group(0) @binding(3) var<storage, read> sums: array<lane>;
#if AFFINE
@group(0) @binding(4) var<storage, read> weight_bias: array<lane>;
@group(0) @binding(5) var<storage, read_write> dx: array<lane>;
#else
@group(0) @binding(4) var<storage, read_write> dx: array<lane>;
#end

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) workgroups: vec3<u32>) {
    let i = invocation(id, workgroups);
    if i >= COUNT {
        return;
    }
    let c = i % C;
    let at = i / (ROWS * C) * 2u * C + c;
    let inverse = lane(1) / sqrt(moments[at + C] + lane(real(EPS)));
    let xhat = (x[i] - moments[at]) * inverse;
    var factor = inverse;
#if AFFINE
    factor *= weight_bias[c];
#end
    dx[i] = factor * (gy[i] - real(SHARE) * (sums[at + C] + xhat * sums[at]));
}
