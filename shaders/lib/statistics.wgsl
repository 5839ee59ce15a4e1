// Mean and summed squared deviation of rows, of many together by Chan, Golub and LeVeque's (1979) rule: stable for
// any mean. Reference: reference/norm.rs `moments`. The including kernel declares `x`.
#import lib/team

struct Statistics {
    mean: lane,
    squares: lane,
    count: real,
}

fn join(a: Statistics, b: Statistics) -> Statistics {
    let total = max(a.count + b.count, real(1));
    let difference = b.mean - a.mean;
    return Statistics(
        a.mean + difference * (b.count / total),
        a.squares + b.squares + difference * difference * (a.count * b.count / total),
        a.count + b.count,
    );
}

// Rows first, first + stride, ... of the lane that starts at x[start], lanes apart from row to row. Two passes: the mean
// (about the first row, so a large mean costs no digits), then squares about it.
fn of_rows(start: u32, lanes: u32, first: u32, stride: u32, rows: u32) -> Statistics {
    if first >= rows {
        return Statistics(lane(0), lane(0), real(0));
    }
    let pivot = x[start + first * lanes];
    let count = real((rows - first + stride - 1u) / stride);
    var sum = lane(0);
    for (var row = first; row < rows; row += stride) {
        sum += x[start + row * lanes] - pivot;
    }
    let mean = pivot + sum / count;
    var squares = lane(0);
    for (var row = first; row < rows; row += stride) {
        let deviation = x[start + row * lanes] - mean;
        squares += deviation * deviation;
    }
    return Statistics(mean, squares, count);
}

#if COOPERATIVE
var<workgroup> joined: array<Statistics, WORKGROUP>;

// The statistics of the whole team, for each of its members.
fn of_team(t: u32, own: Statistics) -> Statistics {
    joined[t] = own;
    for (var half = ${TEAM}u / 2u; half > 0u; half /= 2u) {
        workgroupBarrier();
        if t < half * ${LANES}u {
            joined[t] = join(joined[t], joined[t + half * ${LANES}u]);
        }
    }
    workgroupBarrier();
    return joined[t % ${LANES}u];
}
#else
fn of_team(t: u32, own: Statistics) -> Statistics {
    return own;
}
#end
