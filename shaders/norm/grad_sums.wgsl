// Per channel the sums of gy * xhat and of gy over every PARTS-th row of a group, starting at `part`.
// Reference: reference/norm.rs `grad_sums`; reduce/sum.wgsl adds the parts.
//
// Layout: x and gy [GROUPS, ROWS, C], moments [GROUPS, 2, C], out [PARTS, GROUPS, 2, C], C counted in lanes. One
// invocation: one channel lane of one part. Text: VEC4. Constants: GROUPS ROWS C PARTS EPS.
#import lib/lane
#import lib/grid

override GROUPS: u32;
override ROWS: u32;
override C: u32;
override PARTS: u32;
override EPS: f32;

@group(0) @binding(0) var<storage, read> x: array<lane>;
@group(0) @binding(1) var<storage, read> moments: array<lane>;
@group(0) @binding(2) var<storage, read> gy: array<lane>;
@group(0) @binding(3) var<storage, read_write> sums: array<lane>;

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) workgroups: vec3<u32>) {
    let i = invocation(id, workgroups);
    if i >= GROUPS * PARTS * C {
        return;
    }
    let c = i % C;
    let part = i / C % PARTS;
    let group = i / (C * PARTS);
    let start = group * ROWS * C + c;
    let mean = moments[group * 2u * C + c];
    let inverse = lane(1) / sqrt(moments[group * 2u * C + C + c] + lane(real(EPS)));
    var weight = lane(0);
    var bias = lane(0);
    for (var row = part; row < ROWS; row += PARTS) {
        let g = gy[start + row * C];
        weight += g * ((x[start + row * C] - mean) * inverse);
        bias += g;
    }
    let at = (part * GROUPS + group) * 2u * C + c;
    sums[at] = weight;
    sums[at + C] = bias;
}
