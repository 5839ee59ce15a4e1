// Rows and columns each averaged with their neighbours; border pixels are repeated outward.
// Equation: y = columns of (rows of x), each r[i] -> r[i-1] / 4 + r[i] / 2 + r[i+1] / 4
// Reference: reference/spatial.rs `blur`.
// Layout: x and y [n, H, W, C], C counted in lanes.
// One invocation: one lane of y.
// Text: VEC4.
// Constants: COUNT (lanes of y), H W C.
#import lib/lane
#import lib/grid

override COUNT: u32;
override H: u32;
override W: u32;
override C: u32;

@group(0) @binding(0) var<storage, read> x: array<lane>;
@group(0) @binding(1) var<storage, read_write> y: array<lane>;

// Column w of a row, averaged with its neighbours.
fn along(row: u32, w: u32, c: u32) -> lane {
    let first = row * W;
    let left = x[(first + max(w, 1u) - 1u) * C + c];
    let right = x[(first + min(w + 1u, W - 1u)) * C + c];
    return lane(0.25) * (left + right) + lane(0.5) * x[(first + w) * C + c];
}

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) workgroups: vec3<u32>) {
    let i = invocation(id, workgroups);
    if i >= COUNT {
        return;
    }
    let c = i % C;
    let w = i / C % W;
    let h = i / (C * W) % H;
    let top = i / (C * W * H) * H;
    let above = along(top + max(h, 1u) - 1u, w, c);
    let below = along(top + min(h + 1u, H - 1u), w, c);
    y[i] = lane(0.25) * (above + below) + lane(0.5) * along(top + h, w, c);
}
