// The functions of elementary.wgsl to 1e-15 in f64, of which WGSL has no exp and no log. NaN is still NaN in single
// precision, whose bits can be seen; `single` is a lane of it (src/gpu/double.rs).

fn is_nan(x: real) -> bool {
    return (bitcast<u32>(f32(x)) & 0x7fffffffu) > 0x7f800000u;
}

fn keep_nan(x: lane, y: lane) -> lane {
    let magnitude = bitcast<lane_bits>(single(x)) & lane_bits(0x7fffffffu);
    return select(y, x, magnitude > lane_bits(0x7f800000u));
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

// 2 atanh(s), s = x / (2 + x) <= 1/3, by its series.
fn log1p(x: lane) -> lane {
    let s = x / (lane(2) + x);
    var p = lane(0);
    for (var k = 33; k > 0; k -= 2) {
        p = p * s * s + lane(1) / lane(real(k));
    }
    return lane(2) * s * p;
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
