// The largest number of a window of an image, lane by lane. The including kernel declares `x` [n, H, W, C]. As in PyTorch: the
// first of equal ones in order of rows, and NaN before all numbers, the last of several.
#import lib/lane
#import lib/elementary

override H: u32;
override W: u32;
override C: u32;
override KERNEL_H: u32;
override KERNEL_W: u32;
override STRIDE_H: u32;
override STRIDE_W: u32;
override PADDING_H: u32;
override PADDING_W: u32;

// Of image n, window (row, column) and channel lane c: for each channel the row of x, counted in pixels, that holds it.
fn largest_of_window(n: u32, row: u32, column: u32, c: u32) -> lane_bits {
    let top = row * STRIDE_H;
    let left = column * STRIDE_W;
    // Padding is no part of an image.
    let first_h = max(top, PADDING_H) - PADDING_H;
    let first_w = max(left, PADDING_W) - PADDING_W;
    let end_h = min(top + KERNEL_H - PADDING_H, H);
    let end_w = min(left + KERNEL_W - PADDING_W, W);
    let infinity = lane_bits(0x7f800000u);
    var at = lane_bits((n * H + first_h) * W + first_w);
    var largest = x[((n * H + first_h) * W + first_w) * C + c];
    for (var h = first_h; h < end_h; h += 1u) {
        for (var w = first_w; w < end_w; w += 1u) {
            let pixel = (n * H + h) * W + w;
            let value = x[pixel * C + c];
            let larger = (value > largest) & (magnitude(largest) <= infinity);
            let better = larger | (magnitude(value) > infinity);
            at = select(at, lane_bits(pixel), better);
            largest = select(largest, value, better);
        }
    }
    return at;
}
