// y = f(a, b), element by element; axes of extent 1 repeat. Reference: reference/pointwise.rs `binary`.
//
// Layout: row-major [n, h, w, c], c counted in lanes. One invocation: one lane.
// Text: VEC4, F (the function's name), BROADCAST (whether strides are needed at all).
// Constants: COUNT (lanes of y), H W C (extents of y), A0..A3 and B0..B3 (strides in lanes, 0 where an axis
// repeats), SLOPE (leaky_relu_grad).
#import lib/lane
#import lib/grid

override COUNT: u32;
override SLOPE: f32 = 0.0;

@group(0) @binding(0) var<storage, read> a: array<lane>;
@group(0) @binding(1) var<storage, read> b: array<lane>;
@group(0) @binding(2) var<storage, read_write> y: array<lane>;

fn add(a: lane, b: lane) -> lane {
    return a + b;
}

fn sub(a: lane, b: lane) -> lane {
    return a - b;
}

fn mul(a: lane, b: lane) -> lane {
    return a * b;
}

fn leaky_relu_grad(y: lane, g: lane) -> lane {
    return select(g, real(SLOPE) * g, y <= lane(0));
}

fn tanh_grad(y: lane, g: lane) -> lane {
    return g * (lane(1) - y * y);
}

fn sigmoid_grad(y: lane, g: lane) -> lane {
    return g * y * (lane(1) - y);
}

fn abs_grad(x: lane, g: lane) -> lane {
    return g * sign(x);
}

#if BROADCAST
override H: u32;
override W: u32;
override C: u32;
override A0: u32;
override A1: u32;
override A2: u32;
override A3: u32;
override B0: u32;
override B1: u32;
override B2: u32;
override B3: u32;
#end

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) workgroups: vec3<u32>) {
    let i = invocation(id, workgroups);
    if i >= COUNT {
        return;
    }
#if BROADCAST
    let c = i % C;
    let w = i / C % W;
    let h = i / (C * W) % H;
    let n = i / (C * W * H);
    y[i] = ${F}(a[n * A0 + h * A1 + w * A2 + c * A3], b[n * B0 + h * B1 + w * B2 + c * B3]);
#else
    y[i] = ${F}(a[i], b[i]);
#end
}
