// The transpose of spatial/max_pool.wgsl in v: each window's number is added to the pixel where x is largest in it.
// Equation: dv[n,h,w,c] = sum over the windows a,b in which x[n,h,w,c] is largest, the first of equal ones, of gy[n,a,b,c]
// Reference: reference/pool.rs `max_pool_grad`.
// Layout: x and dv [n, H, W, C], gy [n, YH, YW, C], C counted in lanes.
// One invocation: one lane of dv. It looks through every window that it is part of.
// Text: VEC4.
// Constants: COUNT (lanes of dv), H W C YH YW, KERNEL_H KERNEL_W STRIDE_H STRIDE_W PADDING_H PADDING_W.
#import lib/grid
#import lib/max_window

override COUNT: u32;
override YH: u32;
override YW: u32;

@group(0) @binding(0) var<storage, read> x: array<lane>;
@group(0) @binding(1) var<storage, read> gy: array<lane>;
@group(0) @binding(2) var<storage, read_write> dv: array<lane>;

// The first window that reaches position `at` of the padded image.
fn first_window(at: u32, kernel: u32, stride: u32) -> u32 {
    return (max(at + 1u, kernel) - kernel + stride - 1u) / stride;
}

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) workgroups: vec3<u32>) {
    let i = invocation(id, workgroups);
    if i >= COUNT {
        return;
    }
    let c = i % C;
    let h = i / (C * W) % H + PADDING_H;
    let w = i / C % W + PADDING_W;
    let n = i / (C * W * H);
    let first_column = first_window(w, KERNEL_W, STRIDE_W);
    let end_row = min(h / STRIDE_H + 1u, YH);
    let end_column = min(w / STRIDE_W + 1u, YW);
    var sum = lane(0);
    for (var row = first_window(h, KERNEL_H, STRIDE_H); row < end_row; row += 1u) {
        for (var column = first_column; column < end_column; column += 1u) {
            let here = largest_of_window(n, row, column, c) == lane_bits(i / C);
            sum += select(lane(0), gy[((n * YH + row) * YW + column) * C + c], here);
        }
    }
    dv[i] = sum;
}
