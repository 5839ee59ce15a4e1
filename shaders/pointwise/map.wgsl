// An expression of other tensors, element by element; axes of extent 1 repeat (src/gpu/lower/expression.rs).
// Equation: y[i] = EPILOGUE of leaf0[i], leaf1[i], ..
// Reference: reference/pointwise.rs `unary`, `binary`; reference/reduce.rs `broadcast`.
// Layout: y and its leaves row-major [n, h, w, c], c counted in lanes.
// One invocation: one lane.
// Text: VEC4, LEAVES, EPILOGUE.
// Constants: COUNT (lanes of y).
#import lib/grid
#import lib/epilogue

override COUNT: u32;

@group(0) @binding(${RESULT}) var<storage, read_write> y: array<lane>;

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) workgroups: vec3<u32>) {
    let i = invocation(id, workgroups);
    if i < COUNT {
        y[i] = epilogue(lane(0), i);
    }
}
