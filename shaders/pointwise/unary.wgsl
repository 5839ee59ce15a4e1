// y = f(x), element by element. Reference: reference/pointwise.rs `unary`.
//
// Layout: any, the same for both. One invocation: one lane.
// Text: VEC4 (lanes of four), F (the function's name). Constants: COUNT (lanes), SCALE and OFFSET (affine),
// ACT_SLOPE (leaky_relu).
#import lib/lane
#import lib/grid
#import lib/activation

override COUNT: u32;
override SCALE: f32 = 1.0;
override OFFSET: f32 = 0.0;

@group(0) @binding(0) var<storage, read> x: array<lane>;
@group(0) @binding(1) var<storage, read_write> y: array<lane>;

fn affine(x: lane) -> lane {
    return real(SCALE) * x + lane(real(OFFSET));
}

fn sigmoid(x: lane) -> lane {
    return lane(1) / (lane(1) + exp(-x));
}

fn softplus(x: lane) -> lane {
    return max(x, lane(0)) + log(lane(1) + exp(-abs(x)));
}

fn square(x: lane) -> lane {
    return x * x;
}

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) workgroups: vec3<u32>) {
    let i = invocation(id, workgroups);
    if i < COUNT {
        y[i] = ${F}(x[i]);
    }
}
