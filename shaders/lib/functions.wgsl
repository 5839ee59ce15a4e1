// Functions of a lane, named as in `graph::Unary` and `graph::Binary`. The expressions that lowering fuses into kernels
// (lower/expression.rs) are made of these. Reference: reference/pointwise.rs.
#import lib/lane

fn leaky_relu(x: lane, slope: real) -> lane {
    // Not x > 0, so that NaN stays where the device knows it; and no 0 * infinity.
    let below = select(slope * x, lane(0), slope == 0.0);
    return select(x, below, x <= lane(0));
}

// Beyond 15 the result is 1 in single precision; some drivers overflow in exp for much larger arguments.
fn tanh_bounded(x: lane) -> lane {
    return tanh(clamp(x, lane(-15), lane(15)));
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

fn leaky_relu_grad(y: lane, g: lane, slope: real) -> lane {
    return select(g, slope * g, y <= lane(0));
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
