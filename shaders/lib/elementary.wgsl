// exp, log(1 + x) and tanh to a few units in the last place of f32: those of drivers may err by 1e-7 of 1 wherever they are
// small, or overflow. NaN is tested by its bits, since compilers may take comparisons for those of numbers.
// In double precision elementary_double.wgsl stands in its place (src/gpu/double.rs).

fn is_nan(x: real) -> bool {
    return (bitcast<u32>(x) & 0x7fffffffu) > 0x7f800000u;
}

// `y`, which is `f(x)`; NaN where x is.
fn keep_nan(x: lane, y: lane) -> lane {
    let magnitude = bitcast<lane_bits>(x) & lane_bits(0x7fffffffu);
    return select(y, x, magnitude > lane_bits(0x7f800000u));
}

// exp(-x) for x >= 0, 0 beyond 87: 2^-n exp(n ln 2 - x), with Cephes' polynomial.
fn exp_minus(x: lane) -> lane {
    let within = min(x, lane(87));
    let n = round(within * lane(1.44269504));
    let r = (n * lane(0.693359375) - within) + n * lane(-2.12194440e-4);
    var p = lane(1.9875691500e-4);
    p = p * r + lane(1.3981999507e-3);
    p = p * r + lane(8.3334519073e-3);
    p = p * r + lane(4.1665795894e-2);
    p = p * r + lane(1.6666665459e-1);
    p = p * r + lane(5.0000001201e-1);
    let power = bitcast<lane>((lane_bits(127u) - lane_bits(n)) << lane_bits(23u));
    return select((p * r * r + r + lane(1)) * power, lane(0), x > lane(87));
}

// log(1 + x) for x in 0..=1: 2 atanh(s), s = x / (2 + x), by the polynomial of degree 4 in s^2 nearest to atanh(s) / s.
fn log1p(x: lane) -> lane {
    let s = x / (lane(2) + x);
    let z = s * s;
    var p = lane(0.1407888918);
    p = p * z + lane(0.1398257887);
    p = p * z + lane(0.2001229762);
    p = p * z + lane(0.3333316082);
    p = p * z + lane(1);
    return lane(2) * s * p;
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
