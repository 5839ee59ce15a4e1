// Where a pixel of a convolution's large image is in memory. For kernels that import lib/conv.wgsl.
// Text: MIRRORED, as there.

// The first pixel of line `y` of image `n`.
fn large_line(n: u32, y: u32) -> u32 {
#if MIRRORED
    return (n * SOURCE_H + mirror(y, TOP, SOURCE_H)) * SOURCE_W;
#else
    return (n * LARGE_H + y) * LARGE_W;
#end
}

// The pixel in column `x` of the line that begins with pixel `line`.
fn large_pixel(line: u32, x: u32) -> u32 {
#if MIRRORED
    return line + mirror(x, LEFT, SOURCE_W);
#else
    return line + x;
#end
}
