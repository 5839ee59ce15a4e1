// Of every window of an image the number of another that stands where the image's is largest: with both the same, max pooling.
// Equation: y[n,a,b,c] = v[n,h,w,c] at the h,w of window a,b where x[n,h,w,c] is largest, the first of equal ones
// Reference: reference/pool.rs `max_pool`.
// Layout: x and v [n, H, W, C], y [n, YH, YW, C], C counted in lanes.
// One invocation: one lane of y.
// Text: VEC4.
// Constants: COUNT (lanes of y), H W C YH YW, KERNEL_H KERNEL_W STRIDE_H STRIDE_W PADDING_H PADDING_W.
#import lib/grid
#import lib/max_window

override COUNT: u32;
override YH: u32;
override YW: u32;

@group(0) @binding(0) var<storage, read> x: array<lane>;
@group(0) @binding(1) var<storage, read> v: array<lane>;
@group(0) @binding(2) var<storage, read_write> y: array<lane>;

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) workgroups: vec3<u32>) {
    let i = invocation(id, workgroups);
    if i >= COUNT {
        return;
    }
    let c = i % C;
    let at = largest_of_window(i / (C * YW * YH), i / (C * YW) % YH, i / C % YW, c);
#if VEC4
    y[i] = lane(v[at.x * C + c].x, v[at.y * C + c].y, v[at.z * C + c].z, v[at.w * C + c].w);
#else
    y[i] = v[at * C + c];
#end
}
