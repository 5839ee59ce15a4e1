// Rows taken from two tensors laid one after the other.
// Equation: y[b] = row rows[b] of x and z: rounded down to a whole number, no less than 0 (NaN too) and no more than the last
// Reference: reference/spatial.rs `gather_rows`.
// Layout: x [A_ROWS, LEN], z [.., LEN], rows [n], y [n, LEN].
// One invocation: one number of y.
// Constants: COUNT (numbers of y), LEN, A_ROWS, LAST (row of the two together).
#import lib/real
#import lib/grid

override COUNT: u32;
override LEN: u32;
override A_ROWS: u32;
override LAST: u32;

@group(0) @binding(0) var<storage, read> x: array<real>;
@group(0) @binding(1) var<storage, read> z: array<real>;
@group(0) @binding(2) var<storage, read> rows: array<real>;
@group(0) @binding(3) var<storage, read_write> y: array<real>;

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) workgroups: vec3<u32>) {
    let i = invocation(id, workgroups);
    if i >= COUNT {
        return;
    }
    let given = rows[i / LEN];
    // Larger than any tensor has rows, and u32 holds it.
    let row = min(select(0u, u32(min(given, 2147483648.0)), given > 0.0), LAST);
    if row < A_ROWS {
        y[i] = x[row * LEN + i % LEN];
    } else {
        y[i] = z[(row - A_ROWS) * LEN + i % LEN];
    }
}
