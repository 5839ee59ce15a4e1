// y = x with axes of extent 1 repeated. Reference: reference/reduce.rs `broadcast`.
//
// Layout: row-major [n, h, w, c]. One invocation: one number of y.
// Constants: COUNT (numbers of y), H W C (extents of y), X0..X3 (strides of x, 0 where an axis repeats).
#import lib/real
#import lib/grid

override COUNT: u32;
override H: u32;
override W: u32;
override C: u32;
override X0: u32;
override X1: u32;
override X2: u32;
override X3: u32;

@group(0) @binding(0) var<storage, read> x: array<real>;
@group(0) @binding(1) var<storage, read_write> y: array<real>;

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) workgroups: vec3<u32>) {
    let i = invocation(id, workgroups);
    if i < COUNT {
        y[i] = x[i / (C * W * H) * X0 + i / (C * W) % H * X1 + i / C % W * X2 + i % C * X3];
    }
}
