// The functions of elementary.wgsl to 1e-15 in f64, of which WGSL has no exp and no log. NaN is still NaN in single
// precision, whose bits can be seen; `single` is a lane of it (src/gpu/double.rs).

fn is_nan(x: real) -> bool {
    return (bitcast<u32>(f32(x)) & 0x7fffffffu) > 0x7f800000u;
}

fn magnitude(x: lane) -> lane_bits {
    return bitcast<lane_bits>(single(x)) & lane_bits(0x7fffffffu);
}

fn keep_nan(x: lane, y: lane) -> lane {
    return select(y, x, magnitude(x) > lane_bits(0x7f800000u));
}

// 2^-n exp(n ln 2 - x), by the series of exp.
fn exp_minus(x: lane) -> lane {
    let within = min(x, lane(700));
    let n = round(within * lane(1.4426950408889634));
    let r = (n * lane(0.693147180369123816490) - within) + n * lane(1.90821492927058770002e-10);
    var p = lane(1);
    for (var k = 14; k > 0; k -= 1) {
        p = p * r / lane(real(k)) + lane(1);
    }
    // 2^-512, 2^-256 ..: those of which n is made.
    var left = n;
    var bit = real(512);
    for (var k = 0; k < 10; k += 1) {
        var power = real(0.5);
        for (var j = 9; j > k; j -= 1) {
            power *= power;
        }
        let has = left >= lane(bit);
        p *= select(lane(1), lane(power), has);
        left -= select(lane(0), lane(bit), has);
        bit *= real(0.5);
    }
    return select(p, lane(0), x > lane(700));
}

// The square of exp(x / 2), which stays in range where exp(x) does.
fn exponential(x: lane) -> lane {
    let e = exp_minus(lane(0.5) * abs(x));
    let root = select(e, lane(1) / e, x > lane(0));
    return keep_nan(x, root * root);
}

// 2 atanh(s) for |s| <= 1/3, by its series.
fn twice_atanh(s: lane) -> lane {
    var p = lane(0);
    for (var k = 33; k > 0; k -= 2) {
        p = p * s * s + lane(1) / lane(real(k));
    }
    return lane(2) * s * p;
}

fn log1p(x: lane) -> lane {
    return twice_atanh(x / (lane(2) + x));
}

// n ln 2 + log(m), x = 2^n m, m from sqrt(1/2) to sqrt(2), n a sum of powers of 2.
fn logarithm(x: lane) -> lane {
    var m = x;
    var n = lane(0);
    for (var k = 10; k >= 0; k -= 1) {
        // 2^bit, bit = 2^k, at most 2^512.
        let bit = real(1u << u32(min(k, 9)));
        var power = real(2);
        for (var j = 0; j < min(k, 9); j += 1) {
            power *= power;
        }
        let large = m >= lane(power);
        let small = m * lane(power) <= lane(1);
        m = select(select(m, m * lane(power), small), m / lane(power), large);
        n += select(select(lane(0), lane(-bit), small), lane(bit), large);
    }
    let above = m > lane(1.4142135623730951);
    let below = m < lane(0.7071067811865476);
    m = select(select(m, m * lane(2), below), m * lane(0.5), above);
    n += select(select(lane(0), lane(-1), below), lane(1), above);
    let y = n * lane(0.693147180369123816490) + (twice_atanh((m - lane(1)) / (m + lane(1))) + n * lane(1.90821492927058770002e-10));
    let none = lane(bitcast<single>(select(lane_bits(0x7fc00000u), lane_bits(0xff800000u), x == lane(0))));
    // Only infinity is still so large.
    return select(select(none, y, x > lane(0)), x, m > lane(2));
}

// Below 1 Lambert's continued fraction.
fn tanh_bounded(x: lane) -> lane {
    let square = min(x * x, lane(1));
    var fraction = lane(21);
    for (var k = 19; k > 0; k -= 2) {
        fraction = lane(real(k)) + square / fraction;
    }
    let e = exp_minus(lane(2) * abs(x));
    let beyond = (lane(1) - e) / (lane(1) + e);
    return keep_nan(x, select(select(beyond, -beyond, x < lane(0)), x / fraction, abs(x) < lane(1)));
}
