// Mean and summed squared deviation of some numbers, and of two such sets together by Chan, Golub and LeVeque's (1979) rule:
// stable for any mean.
#import lib/lane

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
