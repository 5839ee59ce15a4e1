// Functions of a lane, named as in `graph::Unary` and `graph::Binary`. The expressions that lowering fuses into kernels
// (lower/expression.rs) are made of these. Reference: reference/pointwise.rs.
#import lib/lane
#import lib/elementary

fn leaky_relu(x: lane, slope: real) -> lane {
    // No 0 * infinity.
    let below = select(slope * x, lane(0), slope == 0.0);
    return keep_nan(x, select(x, below, x <= lane(0)));
}

fn sigmoid(x: lane) -> lane {
    let e = exp_minus(abs(x));
    return keep_nan(x, select(lane(1), e, x < lane(0)) / (lane(1) + e));
}

fn softplus(x: lane) -> lane {
    return keep_nan(x, max(x, lane(0)) + log1p(exp_minus(abs(x))));
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

// Not by sign: no 0 * infinity.
fn abs_grad(x: lane, g: lane) -> lane {
    return select(select(lane(0), g, x > lane(0)), -g, x < lane(0));
}
