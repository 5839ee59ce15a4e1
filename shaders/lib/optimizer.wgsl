// What the kernels of optimizers share: each changes all parameters in one dispatch, four numbers an invocation. Text: SCALED: the
// binding of a loss scale's state (graph/loss_scale.rs), where there is one; its number FACTOR is 0 where nothing is to change.
#import lib/real
#import lib/grid

override COUNT: u32;

@group(0) @binding(0) var<storage, read> gradients: array<real4>;
@group(0) @binding(1) var<storage, read> rates: array<real>;
@group(0) @binding(2) var<storage, read_write> parameters: array<real4>;
#if SCALED
@group(0) @binding(${SCALED}) var<storage, read_write> loss_scale: array<real>;

fn is_left_out() -> bool {
    return loss_scale[${FACTOR}] == 0.0;
}
#else
fn is_left_out() -> bool {
    return false;
}
#end
