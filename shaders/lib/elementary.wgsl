// exp, log, log(1 + x) and tanh to a few units in the last place of f32: those of drivers may err by 1e-7 of 1 wherever they are
// small, or overflow. NaN is tested by its bits, since compilers may take comparisons for those of numbers.
// In double precision elementary_double.wgsl stands in its place (src/gpu/double.rs).

fn is_nan(x: real) -> bool {
    return (bitcast<u32>(x) & 0x7fffffffu) > 0x7f800000u;
}

// The bits of |x|.
fn magnitude(x: lane) -> lane_bits {
    return bitcast<lane_bits>(x) & lane_bits(0x7fffffffu);
}

// `y`, which is `f(x)`; NaN where x is.
fn keep_nan(x: lane, y: lane) -> lane {
    return select(y, x, magnitude(x) > lane_bits(0x7f800000u));
}

// exp(r) for |r| <= ln 2 / 2, by Cephes' polynomial.
fn exp_near_0(r: lane) -> lane {
    var p = lane(1.9875691500e-4);
    p = p * r + lane(1.3981999507e-3);
    p = p * r + lane(8.3334519073e-3);
    p = p * r + lane(4.1665795894e-2);
    p = p * r + lane(1.6666665459e-1);
    p = p * r + lane(5.0000001201e-1);
    return p * r * r + r + lane(1);
}

// exp(-x) for x >= 0, 0 beyond 87: 2^-n exp(n ln 2 - x).
fn exp_minus(x: lane) -> lane {
    let within = min(x, lane(87));
    let n = round(within * lane(1.44269504));
    let r = (n * lane(0.693359375) - within) + n * lane(-2.12194440e-4);
    let power = bitcast<lane>((lane_bits(127u) - lane_bits(n)) << lane_bits(23u));
    return select(exp_near_0(r) * power, lane(0), x > lane(87));
}

// exp(x) for any x: 2^n exp(x - n ln 2). No number is 2^n for every n from -150 to 129: it is made of two.
fn exponential(x: lane) -> lane {
    let within = clamp(x, lane(-104), lane(89));
    let n = round(within * lane(1.44269504));
    let r = (within - n * lane(0.693359375)) + n * lane(2.12194440e-4);
    let shifted = lane_bits(n + lane(254));
    let half = shifted / lane_bits(2u);
    let first = bitcast<lane>(half << lane_bits(23u));
    let second = bitcast<lane>((shifted - half) << lane_bits(23u));
    return keep_nan(x, exp_near_0(r) * first * second);
}

// 2 atanh(s) for |s| <= 1/3, by the polynomial of degree 4 in s^2 nearest to atanh(s) / s.
fn twice_atanh(s: lane) -> lane {
    let z = s * s;
    var p = lane(0.1407888918);
    p = p * z + lane(0.1398257887);
    p = p * z + lane(0.2001229762);
    p = p * z + lane(0.3333316082);
    p = p * z + lane(1);
    return lane(2) * s * p;
}

// log(1 + x) for x in 0..=1.
fn log1p(x: lane) -> lane {
    return twice_atanh(x / (lane(2) + x));
}

// log(x): n ln 2 + log(m), x = 2^n m, m from sqrt(1/2) to sqrt(2). -infinity of 0 and NaN below it, by their bits.
fn logarithm(x: lane) -> lane {
    // Below 2^-126 the bits hold no exponent.
    let small = x < lane(1.17549435e-38);
    let bits = bitcast<lane_bits>(select(x, x * lane(8388608), small));
    // The bits of 1 above those of sqrt(1/2).
    let above = bits + lane_bits(0x3f800000u - 0x3f3504f3u);
    let n = lane(above >> lane_bits(23u)) - lane(127) - select(lane(0), lane(23), small);
    let m = bitcast<lane>((above & lane_bits(0x7fffffu)) + lane_bits(0x3f3504f3u));
    let y = n * lane(0.693359375) + (twice_atanh((m - lane(1)) / (m + lane(1))) + n * lane(-2.12194440e-4));
    let none = bitcast<lane>(select(lane_bits(0x7fc00000u), lane_bits(0xff800000u), magnitude(x) == lane_bits(0u)));
    let positive = x > lane(0);
    return select(select(none, y, positive), x, positive & (magnitude(x) > lane_bits(0x7f7fffffu)));
}

// The reference's quotient of two polynomials (reference/pointwise.rs); beyond the bound it is 1.
fn tanh_bounded(x: lane) -> lane {
    let bounded = clamp(x, lane(-7.905311), lane(7.905311));
    let square = bounded * bounded;
    var above = lane(-2.7607685e-16);
    above = above * square + lane(2.000188e-13);
    above = above * square + lane(-8.604672e-11);
    above = above * square + lane(5.122297e-8);
    above = above * square + lane(1.4857224e-5);
    above = above * square + lane(6.3726193e-4);
    above = above * square + lane(4.8935255e-3);
    var below = lane(1.1982584e-6);
    below = below * square + lane(1.1853471e-4);
    below = below * square + lane(2.2684346e-3);
    below = below * square + lane(4.893525e-3);
    return keep_nan(x, bounded * above / below);
}
