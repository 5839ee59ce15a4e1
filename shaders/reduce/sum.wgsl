// A sum over some axes of a tensor or an expression. A long one is made in two dispatches: PARTS partial sums, which
// reduce/parts.wgsl adds, so the order is fixed and no invocation adds up more than a few hundred numbers.
// Equation: y[part, o] = sum of x over every PARTS-th element of the summed axes, starting at `part`, and what is fused behind
// Reference: reference/reduce.rs `sum`.
// Layout: x row-major [n, h, w, c], c counted in lanes, what LOAD computes (lib/load.wgsl); y [PARTS, kept axes].
// One invocation: one lane of y.
// Text: VEC4 (only where c is kept), LOAD, EPILOGUE.
// Constants: PARTS; KEPT and SUMMED (lanes kept, elements summed each); K1..K3 and R1..R3 (extents of kept and of summed axes,
//     1 where an axis is the other kind); S0..S3 (strides of x in lanes).
#import lib/lane
#import lib/grid
#import lib/load
#import lib/epilogue

override PARTS: u32;
override KEPT: u32;
override SUMMED: u32;
override K1: u32;
override K2: u32;
override K3: u32;
override R1: u32;
override R2: u32;
override R3: u32;
override S0: u32;
override S1: u32;
override S2: u32;
override S3: u32;

@group(0) @binding(${RESULT}) var<storage, read_write> y: array<lane>;

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) workgroups: vec3<u32>) {
    let i = invocation(id, workgroups);
    if i >= PARTS * KEPT {
        return;
    }
    let o = i % KEPT;
    let start = o / (K3 * K2 * K1) * S0 + o / (K3 * K2) % K1 * S1 + o / K3 % K2 * S2 + o % K3 * S3;
    var sum = lane(0);
    for (var r = i / KEPT; r < SUMMED; r += PARTS) {
        sum += load(start + r / (R3 * R2 * R1) * S0 + r / (R3 * R2) % R1 * S1 + r / R3 % R2 * S2 + r % R3 * S3);
    }
    y[i] = epilogue(sum, i);
}
