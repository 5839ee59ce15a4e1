// Per channel the sums of gy * xhat and of gy over rows. Reference: reference/norm.rs `grad_sums`. The including kernel
// declares `x`; gy is what lib/load.wgsl loads, or JOINED (lib/joined.wgsl).
#import lib/cooperative
#if JOINED
#import lib/joined
fn load(at: u32) -> lane {
    return gy[at];
}
#else
#import lib/load
fn fetch(at: u32) -> lane {
    return load(at);
}
#end

struct Sums {
    weight: lane,
    bias: lane,
}

alias Joined = Sums;

fn join(a: Sums, b: Sums) -> Sums {
    return Sums(a.weight + b.weight, a.bias + b.bias);
}

// Rows first, first + stride, ... of the lane that starts at x[start], lanes apart from row to row.
fn of_rows(start: u32, lanes: u32, first: u32, stride: u32, rows: u32, mean: lane, inverse: lane) -> Sums {
    var sums = Sums(lane(0), lane(0));
    for (var row = first; row < rows; row += stride) {
        let g = fetch(start + row * lanes);
        sums.weight += g * ((x[start + row * lanes] - mean) * inverse);
        sums.bias += g;
    }
    return sums;
}
