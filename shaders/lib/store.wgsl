// Four neighbouring channels of a tile's result. The including kernel declares `y`, in lanes.
#import lib/epilogue

// Stores `four` as channels n.. of `channels`, the first of them number `at` of y.
fn store(at: u32, n: u32, channels: u32, four: real4) {
#if VEC4
    if n < channels {
        y[at / 4u] = epilogue(four, at / 4u);
    }
#else
#for j in 4
    if n + ${j}u < channels {
        y[at + ${j}u] = epilogue(four[${j}], at + ${j}u);
    }
#end
#end
}
