// How a contraction that goes straight to storage takes a number or four of its operands: rounded to f16 where MIXED is set.
#import lib/input
#import lib/lane
#if MIXED

// The smallest number of f16 that has all its digits, and the distance of those below. They are rounded apart, for quantizeToF16 may
// make them 0; and f32(f16(x)) may be taken for x.
const NORMAL = 0x1p-14;
const SUBNORMAL = 0x1p-24;

fn to_input(x: stored_input) -> input {
    return select(quantizeToF16(x), round(x / SUBNORMAL) * SUBNORMAL, abs(x) < input(NORMAL));
}

fn to_lane(x: stored_lane) -> lane {
    return select(quantizeToF16(x), round(x / SUBNORMAL) * SUBNORMAL, abs(x) < lane(NORMAL));
}
#else

fn to_input(x: stored_input) -> input {
    return input(x);
}

fn to_lane(x: stored_lane) -> lane {
    return lane(x);
}
#end
