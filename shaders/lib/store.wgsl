// How a contraction leaves its result: the one place where bias and activation are applied.
//
// Text: BIAS, ACT, and the bindings BIAS_AT and Y_AT that come after the kernel's own. Constants: CHANNELS, ACT_SLOPE.
#import lib/lane
#import lib/activation

// Channels of the result, which columns of a product may run through several times.
override CHANNELS: u32;

#if BIAS
@group(0) @binding(${BIAS_AT}) var<storage, read> bias: array<stored_lane>;
#end
@group(0) @binding(${Y_AT}) var<storage, read_write> y: array<stored_lane>;

// Stores the lane at place `at`, of column `column`; both are counted in lanes.
fn store(at: u32, column: u32, sum: lane) {
#if BIAS
    y[at] = stored_lane(${ACT}(sum + lane(bias[column % (CHANNELS / LANE)])));
#else
    y[at] = stored_lane(${ACT}(sum));
#end
}
