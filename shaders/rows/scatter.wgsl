// Rows of a tensor replaced.
// Equation: y[rows[b]] = x[b] where 0 <= rows[b] < ROWS, rounded down; of equal rows the last counts
// Reference: reference/update.rs `apply`.
// Layout: x [n, LEN], rows [n], y [.., LEN].
// One invocation: one number of x.
// Constants: COUNT (numbers of x), LEN, ROWS (of y).
#import lib/real
#import lib/grid

override COUNT: u32;
override LEN: u32;
override ROWS: u32;

@group(0) @binding(0) var<storage, read> x: array<real>;
@group(0) @binding(1) var<storage, read> rows: array<real>;
@group(0) @binding(2) var<storage, read_write> y: array<real>;

// The row that x[b] replaces, ROWS if none.
fn place(b: u32) -> u32 {
    let given = rows[b];
    // Larger than any tensor has rows, and u32 holds it.
    return min(select(ROWS, u32(min(given, 2147483648.0)), given >= 0.0), ROWS);
}

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) workgroups: vec3<u32>) {
    let i = invocation(id, workgroups);
    if i >= COUNT {
        return;
    }
    let row = place(i / LEN);
    if row == ROWS {
        return;
    }
    for (var later = i / LEN + 1u; later < COUNT / LEN; later++) {
        if place(later) == row {
            return;
        }
    }
    y[row * LEN + i % LEN] = x[i];
}
