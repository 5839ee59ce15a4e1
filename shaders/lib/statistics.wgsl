// The statistics of rows. Reference: reference/norm.rs `moments`. The including kernel declares `x`, or x is JOINED (lib/joined.wgsl).
#import lib/moments
#import lib/cooperative
#if JOINED
#import lib/joined
#else
fn fetch(at: u32) -> lane {
    return x[at];
}
#end

alias Joined = Statistics;

// Rows first, first + stride, ... of the lane that starts at x[start], lanes apart from row to row. Two passes: the mean
// (about the first row, so a large mean costs no digits), then squares about it.
fn of_rows(start: u32, lanes: u32, first: u32, stride: u32, rows: u32) -> Statistics {
    if first >= rows {
        return Statistics(lane(0), lane(0), real(0));
    }
    let pivot = fetch(start + first * lanes);
    let count = real((rows - first + stride - 1u) / stride);
    var sum = lane(0);
    for (var row = first; row < rows; row += stride) {
        sum += fetch(start + row * lanes) - pivot;
    }
    let mean = pivot + sum / count;
    var squares = lane(0);
    for (var row = first; row < rows; row += stride) {
        let deviation = x[start + row * lanes] - mean;
        squares += deviation * deviation;
    }
    return Statistics(mean, squares, count);
}
