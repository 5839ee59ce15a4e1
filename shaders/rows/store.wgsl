// Rows of a tensor replaced; no two rows[b] are the same.
// Equation: y[rows[b]] = x[b] where rows[b] is not negative
// Reference: reference/update.rs `apply`.
// Layout: x [n, LEN], rows [n], y [.., LEN].
// One invocation: one number of x.
// Constants: COUNT (numbers of x), LEN.
#import lib/real
#import lib/grid

override COUNT: u32;
override LEN: u32;

@group(0) @binding(0) var<storage, read> x: array<real>;
@group(0) @binding(1) var<storage, read> rows: array<real>;
@group(0) @binding(2) var<storage, read_write> y: array<real>;

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) workgroups: vec3<u32>) {
    let i = invocation(id, workgroups);
    if i >= COUNT {
        return;
    }
    let row = rows[i / LEN];
    if row >= 0.0 {
        y[u32(row) * LEN + i % LEN] = x[i];
    }
}
