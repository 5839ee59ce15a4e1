// Places in the image x of a convolution and of its weight gradient: pixels of the small side, and taps.
#import lib/conv
#import lib/place
#define A_H LARGE_H
#define A_W LARGE_W
#define A_C I

fn pixel(index: u32) -> Place {
    let row = index / SMALL_W % SMALL_H * STRIDE_H - PAD_H;
    let column = index % SMALL_W * STRIDE_W - PAD_W;
    let image = index / (SMALL_H * SMALL_W);
#if MIRRORED
    return place(image * SOURCE_H, row, column, image < BATCH);
#else
    return place(image * LARGE_H, row, column, image < BATCH);
#end
}

fn tap(index: u32) -> Place {
    let tap = index / I;
    return place(index % I, tap / KERNEL_W, tap % KERNEL_W, tap < KERNEL_H * KERNEL_W);
}
