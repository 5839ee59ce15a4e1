// What the kernels of optimizers share: each changes all parameters in one dispatch, four numbers an invocation.
#import lib/real
#import lib/grid

override COUNT: u32;

@group(0) @binding(0) var<storage, read> gradients: array<real4>;
@group(0) @binding(1) var<storage, read> rates: array<real>;
@group(0) @binding(2) var<storage, read_write> parameters: array<real4>;
