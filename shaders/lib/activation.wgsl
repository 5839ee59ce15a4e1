// Functions of a lane, named as in `graph::Unary`. ACT is the name of one of them, or `identity`.
override ACT_SLOPE: f32 = 0.0;

fn identity(x: lane) -> lane {
    return x;
}

fn leaky_relu(x: lane) -> lane {
    // Not x > 0, so that NaN stays where the device knows it; and no 0 * infinity.
    let below = select(real(ACT_SLOPE) * x, lane(0), ACT_SLOPE == 0.0);
    return select(x, below, x <= lane(0));
}

// Beyond 15 the result is 1 in single precision; some drivers overflow in exp for much larger arguments.
fn tanh_bounded(x: lane) -> lane {
    return tanh(clamp(x, lane(-15), lane(15)));
}
