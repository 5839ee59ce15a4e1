// How a contraction leaves its result: lane `at` of it, with what is fused behind.
#import lib/epilogue

@group(0) @binding(${RESULT}) var<storage, read_write> y: array<stored_lane>;

fn store(at: u32, sum: lane) {
    y[at] = stored_lane(epilogue(sum, at));
}
