// Four neighbouring channels of a tile's result, with bias and activation. The including kernel declares `y` and, where BIAS
// is set, `bias`, in lanes.

// Stores `four` as channels n.. of `channels`, the first of them number `at` of y.
fn store(at: u32, n: u32, channels: u32, four: real4) {
#if VEC4
    if n < channels {
#if BIAS
        y[at / 4u] = ${ACT}(four + bias[n / 4u]);
#else
        y[at / 4u] = ${ACT}(four);
#end
    }
#else
#for j in 4
    if n + ${j}u < channels {
#if BIAS
        y[at + ${j}u] = ${ACT}(four[${j}] + bias[n + ${j}u]);
#else
        y[at + ${j}u] = ${ACT}(four[${j}]);
#end
    }
#end
#end
}
