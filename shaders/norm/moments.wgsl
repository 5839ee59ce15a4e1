// Mean and summed squared deviation of each channel over every PARTS-th row of a group, starting at `part`.
// Reference: reference/norm.rs `moments`; norm/combine.wgsl makes the whole group's from these.
//
// Two passes over the rows: the mean (about the first row, so a large mean costs no digits), then squares about it.
// Layout: x [GROUPS, ROWS, C], out [GROUPS, PARTS, 2, C], C counted in lanes. One invocation: one channel lane of one
// part. Text: VEC4. Constants: GROUPS ROWS C PARTS.
#import lib/lane
#import lib/grid

override GROUPS: u32;
override ROWS: u32;
override C: u32;
override PARTS: u32;

@group(0) @binding(0) var<storage, read> x: array<lane>;
@group(0) @binding(1) var<storage, read_write> moments: array<lane>;

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
    let pivot = x[start + part * C];
    var sum = lane(0);
    var count = 0u;
    for (var row = part; row < ROWS; row += PARTS) {
        sum += x[start + row * C] - pivot;
        count += 1u;
    }
    let mean = pivot + sum / real(count);
    var squares = lane(0);
    for (var row = part; row < ROWS; row += PARTS) {
        let deviation = x[start + row * C] - mean;
        squares += deviation * deviation;
    }
    let at = (group * PARTS + part) * 2u * C + c;
    moments[at] = mean;
    moments[at + C] = squares;
}
