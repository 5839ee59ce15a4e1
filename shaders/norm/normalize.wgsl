// y = act((x - mean) / sqrt(variance + eps) * weight + bias). Reference: reference/norm.rs `normalize`.
//
// Layout: x and y [GROUPS, ROWS, C], moments [GROUPS, 2, C], affine [2, C], C counted in lanes. One invocation: one
// lane of y. Text: VEC4, AFFINE, ACT. Constants: COUNT (lanes of y), ROWS C EPS, ACT_SLOPE.
#import lib/lane
#import lib/grid
#import lib/activation

override COUNT: u32;
override ROWS: u32;
override C: u32;
override EPS: f32;

@group(0) @binding(0) var<storage, read> x: array<lane>;
@group(0) @binding(1) var<storage, read> moments: array<lane>;
#if AFFINE
@group(0) @binding(2) var<storage, read> weight_bias: array<lane>;
@group(0) @binding(3) var<storage, read_write> y: array<lane>;
#else
@group(0) @binding(2) var<storage, read_write> y: array<lane>;
#end

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) workgroups: vec3<u32>) {
    let i = invocation(id, workgroups);
    if i >= COUNT {
        return;
    }
    let c = i % C;
    let at = i / (ROWS * C) * 2u * C + c;
    var value = (x[i] - moments[at]) / sqrt(moments[at + C] + lane(real(EPS)));
#if AFFINE
    value = value * weight_bias[c] + weight_bias[C + c];
#end
    y[i] = ${ACT}(value);
}
