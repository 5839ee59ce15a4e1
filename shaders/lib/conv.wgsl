// The index set of a convolution (shape.rs `ConvGeometry`): large[y * STRIDE + ky - PAD] meets small[y] through ky.
override BATCH: u32;
override LARGE_H: u32;
override LARGE_W: u32;
override SMALL_H: u32;
override SMALL_W: u32;
override KERNEL_H: u32;
override KERNEL_W: u32;
override STRIDE_H: u32;
override STRIDE_W: u32;
override PAD_H: u32;
override PAD_W: u32;
// Channels on the large and on the small side: the weights are [KERNEL_H, KERNEL_W, I, O].
override I: u32;
override O: u32;
#if MIRRORED
// The large image is another of SOURCE_H x SOURCE_W, continued by mirroring it about its border pixels.
#import lib/mirror
override SOURCE_H: u32;
override SOURCE_W: u32;
override TOP: u32;
override LEFT: u32;
#end
